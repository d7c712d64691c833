"""Spool entries as the control sees them: `spool/<egressId>/{request.json,state.json,control.json}`.

request.json is written once, before the recorder starts. state.json is the recorder's, save for an egress whose
recorder never came. control.json is the control's own memory: what was announced, and what the recorder was asked for.
"""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import structlog

from meet.media.twirp.egress_model import (
    COMPOSE,
    ONLY,
    EgressRequest,
    EgressState,
    EgressStatus,
    ParticipantChoice,
    TrackChoice,
)
from meet.recorder import durable
from meet.recorder import state as recorders
from meet.recorder.control.report import as_recorded, merge, status_of, tellable
from meet.recorder.jsonfile import read_object

log = structlog.get_logger(__name__)

EGRESS_ID: Final = re.compile(r"EG_[A-Za-z0-9]{8,32}")
StopReason: TypeAlias = Literal["stop_requested", "cancelled", "room_finished"]
STOP_REASONS: Final[tuple[StopReason, ...]] = ("stop_requested", "cancelled", "room_finished")


FIRST_BYTES: Final = 1 << 20
"""What must fit on the disk, whatever the reserve is: a recording that ends at once helps nobody."""
FIRST_FILES: Final = 16


@dataclass
class Memory:
    """Contents of control.json. announced: the last status a webhook receiver has confirmed.

    stop, layout, paused: what was asked for last; None when it never was. ending_ms: unix time of the step to `ending`.
    """

    announced: EgressStatus | None = None
    stop: StopReason | None = None
    layout: str | None = None
    paused: bool | None = None
    ending_ms: int | None = None


class Spool:
    """The directory with one folder per egress."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def folder(self, egress_id: str) -> Path:
        """The egress's folder. Raises ValueError for what is no egress id."""
        if not EGRESS_ID.fullmatch(egress_id):
            raise ValueError("not an egress id")
        return self._path / egress_id

    def create(self, state: EgressState, created_ms: int) -> None:
        """Make the entry durable; request.json comes last, so an entry that has one is complete. Raises OSError, also
        when the disk would not take the beginning of a journal."""
        folder = self.folder(state.egress_id)
        durable.make_folder(folder)
        durable.afford(folder, FIRST_BYTES, FIRST_FILES)
        self.remember(state, Memory())
        request = state.request
        content = {
            "egress_id": state.egress_id,
            "room_name": request.room_name,
            "layout": request.layout,
            "encoding": request.encoding,
            "key": request.key,
            "created_ms": created_ms,
        }
        if request.participant is not None:
            content["participant"] = dataclasses.asdict(request.participant)
        if request.tracks is not None:
            content["tracks"] = dataclasses.asdict(request.tracks)
        content |= {
            name: value for name in ("compose", "only", "container") if (value := getattr(request, name)) is not None
        }
        if request.manifest is not None:
            content["manifest"] = {"key": request.manifest_key(state.egress_id), "content": request.manifest}
        durable.replace(folder / "request.json", json.dumps(content).encode())

    def remember(self, state: EgressState, memory: Memory) -> None:
        """Write control.json durably; an entry that is gone stays gone. Raises OSError for a full disk and the like."""
        content = {
            "room_sid": state.request.room_sid,
            "original": base64.b64encode(state.request.original).decode(),
            **dataclasses.asdict(memory),
        }
        with contextlib.suppress(FileNotFoundError):
            durable.replace(self.folder(state.egress_id) / "control.json", json.dumps(content).encode())

    def write_state(self, state: EgressState) -> None:
        """Write state.json for an egress that has no recorder to do it."""
        with contextlib.suppress(FileNotFoundError):
            recorders.write(self.folder(state.egress_id) / "state.json", as_recorded(state))

    def remove(self, egress_id: str) -> None:
        """Delete the entry with everything in it."""
        shutil.rmtree(self.folder(egress_id), ignore_errors=True)

    def lost(self, egress_id: str) -> bool:
        """Somebody has removed the entry, though the spool itself is there."""
        try:
            return self._path.is_dir() and not self.folder(egress_id).exists()
        except OSError:
            return False  # nobody can tell at the moment

    def has_journal(self, egress_id: str) -> bool:
        """True while frames lie there that may not be in any finished file."""
        try:
            return any((self.folder(egress_id) / "journal").iterdir())
        except (FileNotFoundError, NotADirectoryError):  # perhaps a recorder has removed it just now
            return False

    def scan(self) -> list[tuple[EgressState, Memory, bool]]:
        """Every readable entry, oldest first, and whether it has a journal. Half-made ones are removed."""
        found: list[tuple[EgressState, Memory, bool]] = []
        if not self._path.is_dir():
            return found
        for folder in self._path.iterdir():
            if not EGRESS_ID.fullmatch(folder.name) or not folder.is_dir():
                continue
            try:
                if not (folder / "request.json").exists() and not (folder / "state.json").exists():
                    self.remove(folder.name)
                    continue
                entry = self.load(folder.name)
                if entry is not None:
                    found.append((*entry, self.has_journal(folder.name)))
            except (ValueError, TypeError, OSError) as error:  # one of many: the others are not to wait for a repair
                log.error("spool_entry_unreadable", egress_id=folder.name, reason=type(error).__name__)
        return sorted(found, key=lambda item: item[0].started_at_ms or 0)

    def peek(self, egress_id: str) -> tuple[EgressState, Memory] | None:
        """As `load`; None, and one line in the log, also for what the disk does not let us read."""
        try:
            return self.load(egress_id)
        except (ValueError, TypeError, OSError) as error:
            log.error("spool_entry_unreadable", egress_id=egress_id, reason=type(error).__name__)
            return None

    def load(self, egress_id: str) -> tuple[EgressState, Memory] | None:
        """One entry, or None when it is not there or its request cannot be read.

        Raises OSError, and ValueError for what nobody could be told."""
        folder = self.folder(egress_id)
        request, kept = _read(folder / "request.json"), _read(folder / "control.json")
        if not all(request.get(name) and isinstance(request[name], str) for name in ("room_name", "key")):
            log.error("spool_entry_unreadable", egress_id=egress_id)
            return None
        state = EgressState(
            egress_id=egress_id,
            request=EgressRequest(
                room_name=request["room_name"],
                room_sid=str(kept.get("room_sid") or ""),
                layout=str(request.get("layout") or "grid"),
                encoding=recorders.encoding_of(request),
                key=request["key"],
                original=_bytes(kept.get("original")),
                participant=_participant(request.get("participant")),
                tracks=_tracks(request.get("tracks")),
                compose=next((mode for mode in COMPOSE if mode == request.get("compose")), None),
                only=next((part for part in ONLY if part == request.get("only")), None),
                container="ogg" if request.get("container") == "ogg" else None,
                manifest=_manifest(request.get("manifest")),
            ),
            layout=str(kept.get("layout") or request.get("layout") or "grid"),
            started_at_ms=_whole(request.get("created_ms")),
            updated_at_ms=_whole(request.get("created_ms")),
        )
        report = _read(folder / "state.json")
        stop, layout, paused = kept.get("stop"), kept.get("layout"), kept.get("paused")
        memory = Memory(
            announced=status_of(kept.get("announced")),
            stop=stop if stop in STOP_REASONS else None,
            layout=layout if isinstance(layout, str) else None,
            paused=paused if isinstance(paused, bool) else None,
        )
        status = status_of(report.get("status")) or "starting"
        if status == "active" and memory.stop is not None:
            status = "ending"  # what was answered to the stop, though the recorder did not get to write it
        merged = merge(state, report, status)
        if status == "ending":
            memory.ending_ms = _whole(kept.get("ending_ms")) or merged.updated_at_ms
        return tellable(dataclasses.replace(merged, layout=memory.layout or merged.layout)), memory


def _participant(value: Any) -> ParticipantChoice | None:
    if not isinstance(value, dict):
        return None
    return ParticipantChoice(str(value.get("identity")), value.get("screen_share") is True)


def _tracks(value: Any) -> TrackChoice | None:
    if not isinstance(value, dict):
        return None
    return TrackChoice(str(value.get("video") or ""), str(value.get("audio") or ""), value.get("direct") is True)


def _manifest(value: Any) -> dict[str, str] | None:
    content = value.get("content") if isinstance(value, dict) else None
    return {str(name): str(text) for name, text in content.items()} if isinstance(content, dict) else None


def _whole(value: Any) -> int | None:
    return int(value) if isinstance(value, int | float) else None


def _bytes(value: Any) -> bytes:
    """Only shown: without it the egress is what it is."""
    try:
        return base64.b64decode(str(value or ""))
    except ValueError:
        return b""


def _read(path: Path) -> dict[str, Any]:
    try:
        return read_object(path) or {}
    except OSError:
        return {}
