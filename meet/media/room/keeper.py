"""Rooms on disk, so that they survive the media process: one JSON file per room, written in order by one thread.

Members are not kept: clients come back by themselves. What they must find again is what the API gave the room: its sid,
metadata, timeouts and limit.

Several media processes share the directory. Each file names its worker; a room moves by being `release`d by one and
`take`n by another.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import structlog

from meet.media.room.events import ParticipantJoined, RoomEvent, RoomFinished, RoomStarted, RoomUpdated
from meet.media.room.registry import RoomRegistry
from meet.media.room.room import Room

log = structlog.get_logger(__name__)

_PATIENCE_S: Final = 1.0
"""How long an answer to the API waits for the disk: a meeting matters more than its file."""


@dataclass(frozen=True)
class KeptRoom:
    """Contents of one file. Timeouts are seconds, created_at_ms unix time; had_member: somebody was in it already.

    worker: the process it lives in; what says more than there are processes now belongs to the remainder."""

    name: str
    sid: str
    metadata: str
    empty_timeout_s: int
    departure_timeout_s: int
    max_participants: int
    created_at_ms: int
    had_member: bool
    worker: int = 0

    @classmethod
    def of(cls, room: Room, worker: int = 0) -> KeptRoom:
        return cls(
            name=room.name,
            sid=room.sid,
            metadata=room.metadata,
            empty_timeout_s=room.empty_timeout_s,
            departure_timeout_s=room.departure_timeout_s,
            max_participants=room.max_participants,
            created_at_ms=room.created_at_ms,
            had_member=room.had_member,
            worker=worker,
        )

    def pack(self) -> bytes:
        """For the message with which the room goes to another process, and which has the name.

        Metadata as they are: escaped as in JSON, they could be six times as long, and would not fit in."""
        fields = {name: value for name, value in asdict(self).items() if name not in ("name", "metadata")}
        return json.dumps(fields).encode() + b"\n" + self.metadata.encode()

    @classmethod
    def unpack(cls, name: str, packed: bytes) -> KeptRoom:
        """What `pack` made of the room of this name. Raises ValueError, TypeError."""
        fields, _, metadata = packed.partition(b"\n")
        return cls(name=name, metadata=metadata.decode(), **json.loads(fields))

    def restore(self, registry: RoomRegistry) -> Room:
        """Make the room again; nobody is told that it started, since it did so in an earlier process."""
        room = registry.restore(self.name, sid=self.sid, created_at_ms=self.created_at_ms)
        room.metadata = self.metadata
        room.empty_timeout_s = self.empty_timeout_s
        room.departure_timeout_s = self.departure_timeout_s
        room.max_participants = self.max_participants
        room.had_member = self.had_member
        return room


class RoomKeeper:
    """Follows a registry from `open` to `close`; what happens to rooms after `close` is not written.

    worker, of: which of how many processes this is."""

    def __init__(self, directory: Path, *, worker: int = 0, of: int = 1) -> None:
        self._directory = directory
        self._worker = worker
        self._of = of
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="room keeper")
        self._following = False
        self._released: set[str] = set()

    def open(self, registry: RoomRegistry) -> None:
        """Bring the kept rooms back, then follow. Raises OSError when the directory cannot be made."""
        self._directory.mkdir(parents=True, exist_ok=True)
        for kept in kept_rooms(self._directory):
            if kept.worker % self._of == self._worker:
                kept.restore(registry)
        self._following = True
        registry.add_listener(self._on_event)
        registry.settle = self._written

    async def _written(self) -> None:
        """Return when what has happened so far is in its file, or when the disk takes too long."""
        if self._following:
            await asyncio.wait((asyncio.wrap_future(self._later(lambda: None)),), timeout=_PATIENCE_S)

    async def close(self) -> None:
        """Stop following and wait for what is being written. Rooms that exist now are there at the next start."""
        self._following = False
        await asyncio.to_thread(self._thread.shutdown)

    async def release(self, room: Room) -> bytes:
        """Write the room down as it is now, and never again: another process is about to take it, with the result."""
        self._released.add(room.name)
        path, content, packed = self._path(room.name), self._content(room), KeptRoom.of(room, self._worker).pack()
        await asyncio.wrap_future(self._later(lambda: _write(path, content)))
        return packed

    async def take(self, name: str, registry: RoomRegistry, packed: bytes) -> bool:
        """Make the room that another process has released; False when `packed` cannot be read.

        It need not be what the file says, which may be older: the disk may be full."""
        self._released.discard(name)
        try:
            kept = KeptRoom.unpack(name, packed)
        except (ValueError, TypeError):
            log.warning("released_room_unreadable", room=name)
            return False
        room = registry.get(name) or kept.restore(registry)
        room.restored = False  # its people are told where it is at this moment, and its recorder need not wait for them
        path, content = self._path(name), self._content(room)
        await asyncio.wrap_future(self._later(lambda: _write(path, content)))
        return True

    def _on_event(self, event: RoomEvent) -> None:
        room = event.room
        if isinstance(event, RoomStarted):
            self._released.discard(room.name)
        if not self._following or room.name in self._released:
            return
        path = self._path(room.name)
        if isinstance(event, RoomFinished):
            self._later(lambda: path.unlink(missing_ok=True))
        elif isinstance(event, RoomStarted | RoomUpdated | ParticipantJoined):
            content = self._content(room)
            self._later(lambda: _write(path, content))

    def _content(self, room: Room) -> bytes:
        return json.dumps(asdict(KeptRoom.of(room, self._worker))).encode()

    def _later(self, work: Callable[[], None]) -> Future[None]:
        # Not on the event loop: a disk that hesitates would hold up the media.
        def guarded() -> None:
            try:
                work()
            except OSError as error:
                log.error("room_not_kept", error=error.strerror)

        return self._thread.submit(guarded)

    def _path(self, name: str) -> Path:
        return self._directory / f"{hashlib.sha256(name.encode()).hexdigest()[:32]}.json"


def kept_rooms(directory: Path) -> Iterator[KeptRoom]:
    """What the files of the directory hold."""
    for path in sorted(directory.glob("*.json")):
        kept = _read(path)
        if kept is not None:
            yield kept


def _read(path: Path) -> KeptRoom | None:
    try:
        content = path.read_bytes()
    except OSError as error:
        log.warning("kept_room_unreadable", source=path.name, error=error.strerror)
        return None
    return _parse(content, path.name)


def _parse(content: bytes, source: str) -> KeptRoom | None:
    try:
        return KeptRoom(**json.loads(content))
    except (ValueError, TypeError):
        log.warning("kept_room_unreadable", source=source)
        return None


def _write(path: Path, content: bytes) -> None:
    """Replace in one step. No fsync: a killed process loses nothing, and after a power cut every meeting is over."""
    temporary = path.with_suffix(".tmp")
    temporary.write_bytes(content)
    temporary.replace(path)
