"""Where a recording stands: `state.json` in its spool directory, moving one way only.

`starting -> active -> ending -> complete | failed | aborted | limit_reached`; a status may be skipped, never left
backwards, and a final one is never left.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final, Self

from pydantic import TypeAdapter, ValidationError

from meet.recorder import durable
from meet.recorder.jsonfile import read_object

ORDER: Final = {"starting": 0, "active": 1, "ending": 2, "complete": 3, "failed": 3, "aborted": 3, "limit_reached": 3}
"""A step never leads to a lower number, nor from 3 to anything."""
FINAL: Final = frozenset({"complete", "failed", "aborted", "limit_reached"})


class IllegalTransition(Exception):
    """A step backwards, or out of a final status."""


def now_ms() -> int:
    """Unix time in ms."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True)
class EgressState:
    """Times are unix ms, size bytes, duration seconds; encoding is a preset name or an options object.

    only: "audio" or "video" when the file has nothing else; container: "ogg" when that was asked for. store: name of
    the one that has the finished file; what is configured may have changed while it was made.
    integrity: what `finish.integrity` found of the finished file. paused: nothing of the media is being recorded; the
    status stays what it is.
    """

    egress_id: str
    room_name: str
    status: str
    layout: str
    encoding: str | dict[str, Any]
    key: str
    started_at_ms: int | None = None
    updated_at_ms: int | None = None
    ended_at_ms: int | None = None
    error: str | None = None
    error_code: int | None = None
    details: str | None = None
    size: int | None = None
    duration_s: float | None = None
    integrity: dict[str, Any] | None = None
    paused: bool = False
    only: str | None = None
    container: str | None = None
    store: str | None = None

    @property
    def final(self) -> bool:
        """Nothing will change any more."""
        return self.status in FINAL

    def advance(self, status: str, **changes: Any) -> Self:
        """The next state. Raises IllegalTransition."""
        if self.final or ORDER[status] < ORDER[self.status]:
            raise IllegalTransition(f"{self.egress_id}: {self.status} -> {status}")
        changes.setdefault("updated_at_ms", now_ms())
        if status in FINAL:
            changes.setdefault("ended_at_ms", changes["updated_at_ms"])
        return replace(self, status=status, **changes)

    @classmethod
    def from_request(cls, request: dict[str, Any]) -> Self:
        """The first state of a recording, from its request.json."""
        created = request.get("created_ms")
        return cls(
            egress_id=request["egress_id"],
            room_name=request["room_name"],
            status="starting",
            layout=str(request.get("layout") or "grid"),
            encoding=encoding_of(request),
            key=request["key"],
            started_at_ms=created if isinstance(created, int) else None,
            only=request.get("only"),
            container=request.get("container"),
        )


_STATE: Final = TypeAdapter(EgressState)


def encoding_of(request: dict[str, Any]) -> str | dict[str, Any]:
    """What request.json says of it: preset name or options object."""
    wanted = request.get("encoding")
    return wanted if wanted and isinstance(wanted, str | dict) else "H264_720P_30"


def read(path: Path) -> EgressState | None:
    """The state in a file, None when there is none or it is damaged."""
    try:
        document = read_object(path)
        state = _STATE.validate_python(document)
    except (OSError, ValidationError):
        return None
    return state if state.status in ORDER else None


def first_layout(request: Path) -> str:
    """The layout of a recording's beginning; later ones are in its journal, so that every composition repeats them.

    Raises OSError."""
    return str((read_object(request) or {}).get("layout") or "grid")


def write(path: Path, state: EgressState) -> None:
    """Replace the file atomically and durably: what follows, most of all letting go of the journal, relies on it."""
    durable.replace(path, json.dumps(asdict(state)).encode())
