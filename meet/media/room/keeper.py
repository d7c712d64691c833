"""Rooms on disk, so that they survive the media process: one JSON file per room, written in order by one thread.

Members are not kept: clients come back by themselves. What they must find again is what the API gave the room: its sid,
metadata, timeouts and limit.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import structlog

from meet.media.room.events import ParticipantJoined, RoomEvent, RoomFinished, RoomStarted, RoomUpdated
from meet.media.room.registry import RoomRegistry
from meet.media.room.room import Room

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class KeptRoom:
    """Contents of one file. Timeouts are seconds, created_at_ms unix time; had_member: somebody was in it already."""

    name: str
    sid: str
    metadata: str
    empty_timeout_s: int
    departure_timeout_s: int
    max_participants: int
    created_at_ms: int
    had_member: bool

    @classmethod
    def of(cls, room: Room) -> KeptRoom:
        return cls(
            name=room.name,
            sid=room.sid,
            metadata=room.metadata,
            empty_timeout_s=room.empty_timeout_s,
            departure_timeout_s=room.departure_timeout_s,
            max_participants=room.max_participants,
            created_at_ms=room.created_at_ms,
            had_member=room.had_member,
        )

    def restore(self, registry: RoomRegistry) -> None:
        """Make the room again; nobody is told that it started, since it did so in an earlier process."""
        room = registry.restore(self.name, sid=self.sid, created_at_ms=self.created_at_ms)
        room.metadata = self.metadata
        room.empty_timeout_s = self.empty_timeout_s
        room.departure_timeout_s = self.departure_timeout_s
        room.max_participants = self.max_participants
        room.had_member = self.had_member


class RoomKeeper:
    """Follows a registry from `open` to `close`; what happens to rooms after `close` is not written."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="room keeper")
        self._following = False

    def open(self, registry: RoomRegistry) -> None:
        """Bring the kept rooms back, then follow. Raises OSError when the directory cannot be made."""
        self._directory.mkdir(parents=True, exist_ok=True)
        for kept in self._kept():
            kept.restore(registry)
        self._following = True
        registry.add_listener(self._on_event)

    async def close(self) -> None:
        """Stop following and wait for what is being written. Rooms that exist now are there at the next start."""
        self._following = False
        await asyncio.to_thread(self._thread.shutdown)

    def _on_event(self, event: RoomEvent) -> None:
        if not self._following:
            return
        path = self._path(event.room.name)
        if isinstance(event, RoomFinished):
            self._later(lambda: path.unlink(missing_ok=True))
        elif isinstance(event, RoomStarted | RoomUpdated | ParticipantJoined):
            content = json.dumps(asdict(KeptRoom.of(event.room))).encode()
            self._later(lambda: _write(path, content))

    def _later(self, work: Callable[[], None]) -> None:
        # Not on the event loop: a disk that hesitates would hold up the media.
        def guarded() -> None:
            try:
                work()
            except OSError as error:
                log.error("room_not_kept", error=error.strerror)

        self._thread.submit(guarded)

    def _path(self, name: str) -> Path:
        return self._directory / f"{hashlib.sha256(name.encode()).hexdigest()[:32]}.json"

    def _kept(self) -> Iterator[KeptRoom]:
        for path in sorted(self._directory.glob("*.json")):
            try:
                yield KeptRoom(**json.loads(path.read_bytes()))
            except (OSError, ValueError, TypeError):
                log.warning("kept_room_unreadable", file=path.name)


def _write(path: Path, content: bytes) -> None:
    """Replace in one step. No fsync: a killed process loses nothing, and after a power cut every meeting is over."""
    temporary = path.with_suffix(".tmp")
    temporary.write_bytes(content)
    temporary.replace(path)
