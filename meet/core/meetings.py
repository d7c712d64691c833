"""MeetingService: what a moderator does to a running meeting (contract 2.5.6, 7.3)."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Final, Literal, TypeAlias
from weakref import WeakValueDictionary

import structlog

from .callers import Caller
from .errors import ParticipantNotFound, RoomNotFound
from .meeting_errors import NotDemotable, NotPromotable, UnreadableParticipant
from .model.participant import ParticipantGrant
from .model.permissions import Permission, union
from .model.room import Room
from .permission_names import Spelling
from .permissions import Rights
from .ports import MediaServer, ParticipantGrantRepository, RoomRepository
from .signals import Signals
from .token_codec import decode_metadata, parse_member_metadata

log = structlog.get_logger(__name__)

ModerationAction: TypeAlias = Literal["upgrade", "downgrade"]

_ORIGINAL: Final = "originalPermissions"


class MeetingService:
    """Existence of the room (404) is checked before the permission (403), and that before the participant."""

    def __init__(
        self,
        *,
        rooms: RoomRepository,
        participants: ParticipantGrantRepository,
        rights: Rights,
        media: MediaServer,
        signals: Signals,
        spelling: Spelling,
    ) -> None:
        self._rooms = rooms
        self._participants = participants
        self._rights = rights
        self._media = media
        self._signals = signals
        self._spelling = spelling
        self._changing: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    async def end(self, caller: Caller, room_id: str) -> None:
        """End the meeting for everybody; there being none is fine.

        Raises RoomNotFound, InsufficientPermissions, MediaServerError."""
        await self._moderated(caller, room_id, "canEndMeeting")
        await self._media.delete_room(room_id)
        log.info("meeting_end_requested", room=room_id)

    async def kick(self, caller: Caller, room_id: str, identity: str) -> None:
        """Remove a participant. Raises also ParticipantNotFound."""
        await self._moderated(caller, room_id, "canKickParticipants")
        if not await self._media.remove_participant(room_id, identity):
            raise ParticipantNotFound(room_id, identity)
        log.info("participant_kicked", room=room_id, identity=identity)

    async def change_role(self, caller: Caller, room_id: str, identity: str, action: ModerationAction) -> None:
        """Promote to moderator for the time of this meeting, or take that back, and tell the participant.

        Who may be promoted or demoted is ours to know: participants can write their own metadata. Neither
        action touches the media grants of the session: the participant asks for a fresh token when it is told.
        Raises also ParticipantNotFound, NotPromotable, NotDemotable, UnreadableParticipant."""
        room = await self._moderated(caller, room_id, "canMakeModerator")
        async with self._changing.setdefault((room_id, identity), asyncio.Lock()):
            participant = await self._media.get_participant(room_id, identity)
            if participant is None:
                raise ParticipantNotFound(room_id, identity)
            held = decode_metadata(participant.metadata)
            if held is None or parse_member_metadata(held) is None:
                raise UnreadableParticipant(room_id, identity)
            grant = await self._participants.set_promoted(room_id, identity, action == "upgrade")
            if grant is None:
                raise (NotPromotable if action == "upgrade" else NotDemotable)(room_id, identity)
            changed = {**_kept(held), **self._spelling.for_media(_rights(grant, room))}
            text = json.dumps(changed, ensure_ascii=False, separators=(",", ":"))
            try:
                await self._media.update_participant_metadata(room_id, identity, text)
            except BaseException:
                await self._participants.set_promoted(room_id, identity, not grant.promoted)
                raise
        self._signals.participant_role(room_id, identity, changed["badge"])
        log.info("participant_role_changed", room=room_id, identity=identity, action=action)

    async def _moderated(self, caller: Caller, room_id: str, permission: Permission) -> Room:
        room = await self._rooms.get(room_id)
        if room is None:
            raise RoomNotFound(room_id)
        await self._rights.require(caller, room, permission)
        return room


def _kept(held: dict[str, Any]) -> dict[str, Any]:
    """The participant's metadata without what it says about a promotion."""
    return {name: value for name, value in held.items() if name not in ("isPromotedModerator", _ORIGINAL)}


def _rights(grant: ParticipantGrant, room: Room) -> dict[str, Any]:
    """What the participant's metadata has to say about rights."""
    if not grant.promoted:
        return {"permissions": grant.permissions, "badge": grant.badge}
    return {
        "permissions": union(grant.permissions, room.roles["moderator"]["permissions"]),
        "badge": "moderator",
        "isPromotedModerator": True,
        _ORIGINAL: grant.permissions,
    }
