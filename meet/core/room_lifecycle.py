"""What meetings do to rooms: started, finished, lost events found again, rooms whose time is up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import structlog

from .assistant_ports import CaptionUserRepository
from .clock import Clock
from .errors import MediaServerError, RoomNotFound
from .model.paging import PageRequest, RoomFilter
from .model.room import Room, RoomStatus
from .ports import MediaServer, NameRepository, ParticipantGrantRepository, RoomRepository
from .room_removal import RoomRemoval
from .webhook_events import WebhookEvents

log = structlog.get_logger(__name__)


class RoomLifecycle:
    """Moves a room between `open`, `active_meeting` and `closed` (contract 3.1). Every method is idempotent."""

    def __init__(
        self,
        *,
        rooms: RoomRepository,
        names: NameRepository,
        participants: ParticipantGrantRepository,
        caption_users: CaptionUserRepository,
        token_ttl_s: float,
        removal: RoomRemoval,
        media: MediaServer,
        webhooks: WebhookEvents,
        wake: Callable[[], None],
        clock: Clock,
    ) -> None:
        self._rooms = rooms
        self._names = names
        self._participants = participants
        self._caption_users = caption_users
        self._token_ttl_ms = int(token_ttl_s * 1000)
        self._removal = removal
        self._media = media
        self._webhooks = webhooks
        self._wake = wake
        self._clock = clock
        self._absent: set[str] = set()

    async def started(self, room_id: str) -> Room | None:
        """A meeting began. Returns the room, None when it is not ours."""
        room = await self._rooms.get(room_id)
        if room is None or room.status == "active_meeting":
            return room
        room = await self._rooms.modify(
            room_id, lambda room: replace(room, status="active_meeting"), self._webhooks.meeting_started
        )
        log.info("meeting_started", room=room_id)
        self._wake()
        return room

    async def finished(self, room_id: str) -> None:
        """A meeting ended: apply the room's meeting end action, free its names, end promotions and captions."""
        room = await self._rooms.get(room_id)
        if room is None:
            log.info("meeting_finished", room=room_id, known=False)
            return
        await self._names.release_room(room_id)
        await self._caption_users.clear(room_id)
        await self._participants.end_meeting(room_id, self._clock.now_ms() - self._token_ttl_ms)
        if room.status == "active_meeting" and room.meeting_end_action == "delete":
            await self._removal.purge(room_id, self._webhooks.meeting_ended)
        else:
            # Somebody may have set the status meanwhile (contract appendix D); the meeting ends all the same.
            await self._rooms.modify(room_id, _after_meeting, self._webhooks.meeting_ended)
        log.info("meeting_finished", room=room_id, action=room.meeting_end_action)
        self._wake()

    async def reconcile(self) -> None:
        """Bring statuses in line with the media server, whatever events were lost. Does nothing if it cannot be asked.

        A meeting is over when it is absent in two runs in a row: after a restart of the media server its clients need
        a moment to be back. The database is read first, so a meeting that starts in between is not mistaken either."""
        believed = await self._rooms.ids_with_status("active_meeting")
        try:
            running = set(await self._media.list_rooms())
        except MediaServerError as error:
            log.warning("room_reconcile_skipped", reason=error.detail or error.message)
            return
        absent = set(believed) - running
        for room_id in absent & self._absent:
            log.info("meeting_end_found", room=room_id)
            await self._finish_found(room_id)
        self._absent = absent
        for room_id in running.difference(believed):
            await self.started(room_id)

    async def _finish_found(self, room_id: str) -> None:
        """One room whose media cannot be deleted at the moment must not keep the others from being brought in line."""
        try:
            await self.finished(room_id)
        except Exception as error:
            log.warning("meeting_end_failed", room=room_id, reason=type(error).__name__)

    async def expire(self) -> None:
        """Delete rooms whose auto-deletion date has passed, each by its own policy (contract 6)."""
        request = PageRequest("autoDeletionDate", "asc", 100)
        wanted = RoomFilter(expired_before=self._clock.now_ms())
        while True:
            page = await self._rooms.page(wanted, request)
            for room in page.items:
                await self._expire_one(room)
            if page.next_token is None:
                return
            request = replace(request, token=page.next_token)

    async def _expire_one(self, room: Room) -> None:
        policy = room.auto_deletion_policy or {"withMeeting": "when_meeting_ends", "withRecordings": "close"}
        try:
            await self._removal.delete(room.room_id, policy["withMeeting"], policy["withRecordings"])
        except RoomNotFound:
            return
        except Exception as error:  # the domain's refusals, and whatever a blob store raises
            log.warning("room_expiry_failed", room=room.room_id, reason=f"{type(error).__name__}: {error}")


def _after_meeting(room: Room) -> Room:
    if room.status != "active_meeting":
        return room
    status: RoomStatus = "closed" if room.meeting_end_action == "close" else "open"
    return replace(room, status=status, meeting_end_action="none")
