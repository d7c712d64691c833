"""Deleting rooms: the decision table carried out, once, in bulk, and at the end of a meeting."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import structlog

from .callers import Caller
from .errors import InsufficientPermissions, MeetError, RoomDeletionRefused, RoomNotFound
from .model.room import (
    BulkRoomDeletion,
    FailedRoom,
    MeetingEndAction,
    Room,
    RoomDeletion,
    WithMeeting,
    WithRecordings,
)
from .model.webhook import Announcement
from .permissions import manages
from .ports import MediaServer, RecordingRepository, RoomRepository, RoomStillHasRecordings
from .recording_removal import RecordingRemoval
from .room_deletion import Verdict, decide

log = structlog.get_logger(__name__)

_ATTEMPTS = 5
_POLL_S = 0.05


class RoomRemoval:
    """Applies the deletion table. A decision is taken again whenever the room changed under it."""

    def __init__(
        self,
        *,
        rooms: RoomRepository,
        recordings: RecordingRepository,
        recording_removal: RecordingRemoval,
        media: MediaServer,
        ending_grace_s: float,
    ) -> None:
        self._rooms = rooms
        self._recordings = recordings
        self._recording_removal = recording_removal
        self._media = media
        self._ending_grace_s = ending_grace_s

    async def delete(self, room_id: str, with_meeting: WithMeeting, with_recordings: WithRecordings) -> RoomDeletion:
        """Carry out contract 2.2.3 for one room. Raises RoomNotFound, RoomDeletionRefused, MediaServerError."""
        for _ in range(_ATTEMPTS):
            room = await self._rooms.get(room_id)
            if room is None:
                raise RoomNotFound(room_id)
            recordings = await self._recordings.any_of_room(room_id)
            verdict = decide(room.status == "active_meeting", recordings, with_meeting, with_recordings)
            if verdict.action is None:
                raise RoomDeletionRefused(room_id, verdict.code, verdict.text)
            done = await self._apply(room, verdict)
            if done is not None:
                log.info("room_deletion", room=room_id, outcome=verdict.code)
                return done
        raise RoomDeletionRefused(  # a meeting or a recording kept starting under us
            room_id, "room_has_active_meeting", " cannot be deleted because it has an active meeting."
        )

    async def delete_many(
        self,
        caller: Caller,
        room_ids: Sequence[str],
        with_meeting: WithMeeting,
        with_recordings: WithRecordings,
    ) -> BulkRoomDeletion:
        """One result per distinct id: those refused by the access check first, then the rest in request order."""
        refused: list[FailedRoom] = []
        failed: list[FailedRoom] = []
        deleted: list[RoomDeletion] = []
        allowed: list[str] = []
        for room_id in dict.fromkeys(room_ids):
            room = await self._rooms.get(room_id)
            if room is None and caller.is_admin:  # who owns it needs no look: found missing in its turn
                allowed.append(room_id)
            elif room is None:
                refused.append(_failure(room_id, RoomNotFound(room_id)))
            elif not manages(caller, room):
                refused.append(_failure(room_id, InsufficientPermissions()))
            else:
                allowed.append(room_id)
        for room_id in allowed:
            try:
                deleted.append(await self.delete(room_id, with_meeting, with_recordings))
            except MeetError as error:
                failed.append(_failure(room_id, error))
            except Exception as error:  # the blob store's own tree: the other rooms still get their turn
                log.warning("room_not_deleted", room=room_id, reason=type(error).__name__)
                failed.append(_failure(room_id, MeetError(f"Unexpected error while deleting room '{room_id}'")))
        return BulkRoomDeletion(tuple(deleted), tuple(refused + failed))

    async def await_ends(self, done: Sequence[RoomDeletion]) -> None:
        """Give meetings that were told to end the time to take their rooms with them, so that who is told that a room
        was deleted finds none. One that takes longer, because its store does, is deleted all the same."""
        ending = {each.room_id for each in done if each.ending and each.room is None}
        deadline = time.monotonic() + self._ending_grace_s
        while ending and time.monotonic() < deadline:
            ending = {room_id for room_id in ending if await self._rooms.get(room_id) is not None}
            if ending:
                await asyncio.sleep(_POLL_S)
        if ending:
            log.info("rooms_still_ending", rooms=sorted(ending))

    async def purge(self, room_id: str, announce: Callable[[Room], Announcement] | None = None) -> None:
        """Remove the room with its recordings and their media, meeting or not. Absent is fine.

        What `announce` makes of the room goes to the outbox in the transaction that removes it.

        Raises what the blob store raises; the room then stays, to be met again by the next attempt."""
        for _ in range(_ATTEMPTS):
            await self._recording_removal.all_of_room(room_id)
            try:
                await self._rooms.delete(room_id, even_active=True, announce=announce)
            except RoomStillHasRecordings:
                continue
            log.info("room_deleted", room=room_id)
            return
        raise RoomStillHasRecordings(room_id)

    async def _apply(self, room: Room, verdict: Verdict) -> RoomDeletion | None:
        """None: the room is not what the decision was based on any more; decide again."""
        message = f"Room '{room.room_id}'{verdict.text}"
        changed: Room | None
        if room.status == "active_meeting":
            changed = await self._schedule(room.room_id, verdict)
            if changed is None:
                return None
            if verdict.end_meeting:
                await self._media.delete_room(room.room_id)
        elif verdict.action == "close":
            changed = await self._close(room.room_id)
            if changed is None:
                return None
        elif not await self._delete_idle(room.room_id, with_recordings=verdict.code != "room_deleted"):
            return None
        else:
            changed = None
        shown = changed if verdict.shows_room else None
        return RoomDeletion(room.room_id, verdict.code, message, shown, verdict.deferred, verdict.end_meeting)

    async def _schedule(self, room_id: str, verdict: Verdict) -> Room | None:
        action: MeetingEndAction = "close" if verdict.action == "close" else "delete"

        def change(room: Room) -> Room:
            if room.status != "active_meeting":
                return room
            return replace(room, meeting_end_action=action)

        changed = await self._rooms.modify(room_id, change)
        return changed if changed is not None and changed.status == "active_meeting" else None

    async def _close(self, room_id: str) -> Room | None:
        def change(room: Room) -> Room:
            if room.status == "active_meeting":
                return room
            return replace(room, status="closed", meeting_end_action="none")

        changed = await self._rooms.modify(room_id, change)
        return changed if changed is not None and changed.status == "closed" else None

    async def _delete_idle(self, room_id: str, *, with_recordings: bool) -> bool:
        if with_recordings:
            await self._recording_removal.all_of_room(room_id)
        try:
            return await self._rooms.delete(room_id)
        except RoomStillHasRecordings:
            return False


def _failure(room_id: str, error: MeetError) -> FailedRoom:
    name = error.code if isinstance(error, RoomDeletionRefused) else error.title
    return FailedRoom(room_id, name, error.message)
