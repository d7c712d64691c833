"""All rooms of this process."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable

import structlog

from meet.media.room.errors import RoomNotFound
from meet.media.room.events import RoomEvent
from meet.media.room.link import LeaveAction, LeaveReason
from meet.media.room.model import DEFAULT_CODECS, RoomOptions
from meet.media.room.room import Room

log = structlog.get_logger(__name__)

Listener = Callable[[RoomEvent], None]


class RoomRegistry:
    """Creates, finds, deletes and expires rooms.

    clock: seconds, monotonic. wall_ms: unix time in milliseconds. Timeouts are the defaults for rooms that are
    created without their own. codecs: MIME types that may be published. `tick()` must be called about once a second.
    """

    def __init__(
        self,
        *,
        empty_timeout_s: int = 300,
        departure_timeout_s: int = 20,
        codecs: tuple[str, ...] = DEFAULT_CODECS,
        clock: Callable[[], float] = time.monotonic,
        wall_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._empty_timeout_s = empty_timeout_s
        self._departure_timeout_s = departure_timeout_s
        self._codecs = codecs
        self._clock = clock
        self._wall_ms = wall_ms
        self._rooms: dict[str, Room] = {}
        self._listeners: list[Listener] = []
        self.settle: Callable[[], Awaitable[None]] = _nothing_to_wait_for
        """Await it before a change is answered to whoever asked for it: the next process then knows it, too."""

    def add_listener(self, listener: Listener) -> None:
        """Call `listener(event)` for every event from now on. An exception of a listener is logged, not raised."""
        self._listeners.append(listener)

    def emit(self, event: RoomEvent) -> None:
        for listener in self._listeners:
            try:
                listener(event)
            except Exception:
                log.exception("room_listener_failed", event_type=type(event).__name__, room=event.room.name)

    def create(self, name: str, options: RoomOptions | None = None) -> Room:
        """Create the room, or return the existing one with the given options applied."""
        options = options or RoomOptions()
        room = self._rooms.get(name)
        if room is not None:
            room.apply(options)
            return room
        room = self._add(name)
        room.configure(options)
        log.info("room_started", room=name, sid=room.sid)
        room.started()
        return room

    def restore(self, name: str, *, sid: str, created_at_ms: int) -> Room:
        """Bring back a room of an earlier process, empty and without telling anybody that it started."""
        room = self._add(name)
        room.sid, room.created_at_ms, room.restored = sid, created_at_ms, True
        log.info("room_restored", room=name, sid=sid)
        return room

    def _add(self, name: str) -> Room:
        room = self._rooms[name] = Room(
            name,
            emit=self.emit,
            clock=self._clock,
            wall_ms=self._wall_ms,
            empty_timeout_s=self._empty_timeout_s,
            departure_timeout_s=self._departure_timeout_s,
            codecs=self._codecs,
        )
        return room

    def get(self, name: str) -> Room | None:
        return self._rooms.get(name)

    def require(self, name: str) -> Room:
        """The room; raises RoomNotFound."""
        room = self._rooms.get(name)
        if room is None:
            raise RoomNotFound(name)
        return room

    def list(self, names: Iterable[str] = ()) -> list[Room]:
        """All rooms, or those of `names` that exist."""
        wanted = set(names)
        return [r for r in self._rooms.values() if not wanted or r.name in wanted]

    def delete(self, name: str) -> None:
        """Disconnect everybody with ROOM_DELETED and drop the room. Raises RoomNotFound."""
        self._finish(self.require(name), LeaveReason.ROOM_DELETED, LeaveAction.DISCONNECT)

    def shutdown(self) -> None:
        """Tell every client that the server goes away and that it should come back."""
        for room in list(self._rooms.values()):
            self._finish(room, LeaveReason.SERVER_SHUTDOWN, LeaveAction.RECONNECT)

    def hand_over(self, name: str) -> None:
        """Another process has the room now; its clients are told to join again, and find it there."""
        room = self._rooms.pop(name, None)
        if room is not None:
            room.hand_over()
            log.info("room_handed_over", room=name, sid=room.sid)

    def tick(self) -> None:
        """Close rooms that stayed empty longer than their timeout."""
        now = self._clock()
        for room in list(self._rooms.values()):
            if room.expired(now):
                self._finish(room, LeaveReason.ROOM_CLOSED, LeaveAction.DISCONNECT)

    def _finish(self, room: Room, reason: LeaveReason, action: LeaveAction) -> None:
        if self._rooms.get(room.name) is room:
            del self._rooms[room.name]
        room.close(reason, action)
        log.info("room_finished", room=room.name, sid=room.sid, reason=reason.name)


async def _nothing_to_wait_for() -> None:
    """Rooms that are kept nowhere."""
