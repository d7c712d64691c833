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
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import structlog

from meet.media.twirp.egress_model import (
    COMPOSE,
    ONLY,
    STATUSES,
    EgressRequest,
    EgressState,
    EgressStatus,
    ParticipantChoice,
    TrackChoice,
)
from meet.recorder import durable

log = structlog.get_logger(__name__)

EGRESS_ID: Final = re.compile(r"EG_[A-Za-z0-9]{8,32}")
StopReason: TypeAlias = Literal["stop_requested", "cancelled", "room_finished"]
STOP_REASONS: Final[tuple[StopReason, ...]] = ("stop_requested", "cancelled", "room_finished")

_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "started_at_ms": (int, float),
    "updated_at_ms": (int, float),
    "ended_at_ms": (int, float),
    "error": (str,),
    "error_code": (int,),
    "details": (str,),
    "size": (int,),
    "duration_s": (int, float),
    "layout": (str,),
    "paused": (bool,),
    "integrity": (dict,),
}
_WHOLE: Final = ("started_at_ms", "updated_at_ms", "ended_at_ms")


@dataclass
class Memory:
    """Contents of control.json. announced: the last status a webhook receiver has confirmed.

    stop, layout, paused: what was asked for last; None when it never was."""

    announced: EgressStatus | None = None
    stop: StopReason | None = None
    layout: str | None = None
    paused: bool | None = None


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
        """Make the entry durable; request.json comes last, so an entry that has one is complete. Raises OSError."""
        folder = self.folder(state.egress_id)
        durable.make_folder(folder)
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
        """Write control.json; an entry that is gone stays gone. Raises OSError for a full disk and the like."""
        content = {
            "room_sid": state.request.room_sid,
            "original": base64.b64encode(state.request.original).decode(),
            **dataclasses.asdict(memory),
        }
        with contextlib.suppress(FileNotFoundError):
            _write(self.folder(state.egress_id) / "control.json", content)

    def write_state(self, state: EgressState) -> None:
        """Write state.json for an egress that has no recorder to do it."""
        content: dict[str, Any] = {
            "egress_id": state.egress_id,
            "room_name": state.request.room_name,
            "status": state.status,
        }
        content |= {name: getattr(state, name) for name in _TYPES}
        content |= {"encoding": state.request.encoding, "key": state.request.key}
        with contextlib.suppress(FileNotFoundError):
            durable.replace(self.folder(state.egress_id) / "state.json", json.dumps(content).encode())

    def remove(self, egress_id: str) -> None:
        """Delete the entry with everything in it."""
        shutil.rmtree(self.folder(egress_id), ignore_errors=True)

    def has_journal(self, egress_id: str) -> bool:
        """True while frames lie there that may not be in any finished file."""
        journal = self.folder(egress_id) / "journal"
        return journal.is_dir() and any(journal.iterdir())

    def scan(self) -> Iterator[tuple[EgressState, Memory]]:
        """Every readable entry, oldest first. Entries whose start was cut off half-way are removed."""
        if not self._path.is_dir():
            return
        found = []
        for folder in self._path.iterdir():
            if not EGRESS_ID.fullmatch(folder.name) or not folder.is_dir():
                continue
            if not (folder / "request.json").exists() and not (folder / "state.json").exists():
                self.remove(folder.name)
                continue
            entry = self.load(folder.name)
            if entry is not None:
                found.append(entry)
        yield from sorted(found, key=lambda item: item[0].started_at_ms or 0)

    def load(self, egress_id: str) -> tuple[EgressState, Memory] | None:
        """One entry, or None when it is not there or its request cannot be read."""
        folder = self.folder(egress_id)
        request, kept = _read(folder / "request.json"), _read(folder / "control.json")
        if not {"room_name", "key"} <= request.keys():
            log.error("spool_entry_unreadable", egress_id=egress_id)
            return None
        state = EgressState(
            egress_id=egress_id,
            request=EgressRequest(
                room_name=str(request["room_name"]),
                room_sid=str(kept.get("room_sid") or ""),
                layout=str(request.get("layout") or "grid"),
                encoding=request.get("encoding") or "H264_720P_30",
                key=str(request["key"]),
                original=base64.b64decode(str(kept.get("original") or "")),
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
        return dataclasses.replace(merged, layout=memory.layout or merged.layout), memory


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


def status_of(value: object) -> EgressStatus | None:
    """A status word, or None for anything else."""
    return next((status for status in STATUSES if status == value), None)


def merge(state: EgressState, report: dict[str, Any], status: EgressStatus) -> EgressState:
    """The state with the well-formed fields of a recorder's report taken over; absent ones keep their value."""
    changes: dict[str, Any] = {}
    for name, types in _TYPES.items():
        value: Any = report.get(name)
        if type(value) in types:
            changes[name] = int(value) if name in _WHOLE else value
    if status == "active" and report.get("details", "") is None:
        changes["details"] = None  # what kept it from being stored is over
    return dataclasses.replace(state, status=status, **changes)


def _whole(value: Any) -> int | None:
    return int(value) if isinstance(value, int | float) else None


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _write(path: Path, content: dict[str, Any]) -> None:
    """Replace the file in one step, without waiting for the disk."""
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_bytes(json.dumps(content).encode())
    temporary.replace(path)
