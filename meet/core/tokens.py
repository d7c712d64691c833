"""TokenService: room member tokens, which are at the same time the media server's tokens (contract 3.8.3, 3.8.4)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

import structlog

from .callers import Caller, RoomMemberClaims
from .clock import Clock
from .errors import (
    InsufficientPermissions,
    InvalidToken,
    ParticipantNameRequired,
    ParticipantNotFound,
    RoomClosed,
    RoomNotFound,
    Unauthorized,
)
from .ids import new_identity
from .member_claims import MemberClaims
from .member_grants import Grant, MemberGrants
from .model.media import MediaParticipant
from .model.participant import ParticipantGrant
from .model.permissions import union
from .model.room import Room
from .permission_names import Spelling
from .ports import MediaServer, NameRepository, ParticipantGrantRepository, RoomRepository
from .settings import CoreSettings
from .token_codec import TokenCodec, member_metadata

log = structlog.get_logger(__name__)

_TOLERANCE_S = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberTokenRequest:
    """Body of the token operation; an empty secret counts as none."""

    secret: str | None = field(default=None, repr=False)
    join_meeting: bool = False
    participant_name: str | None = None


class TokenService:
    """Generates and refreshes room member tokens."""

    def __init__(
        self,
        *,
        rooms: RoomRepository,
        names: NameRepository,
        participants: ParticipantGrantRepository,
        media: MediaServer,
        grants: MemberGrants,
        claims: MemberClaims,
        codec: TokenCodec,
        clock: Clock,
        settings: CoreSettings,
    ) -> None:
        self._rooms = rooms
        self._names = names
        self._participants = participants
        self._media = media
        self._grants = grants
        self._claims = claims
        self._codec = codec
        self._clock = clock
        self._settings = settings
        self._spelling = Spelling(settings.mode)

    async def generate(
        self,
        caller: Caller,
        room_id: str,
        request: MemberTokenRequest,
        *,
        livekit_url: str,
        previous_token: str | None = None,
    ) -> str:
        """A token for the caller, the secret, or both. `livekit_url` goes into join tokens: where clients connect.

        With a `previous_token` of a participant the join is a regeneration: same identity and name, current rights.
        Raises RoomNotFound, RoomMemberNotFound, UnknownRoomSecret, AnonymousAccessDisabled, InsufficientPermissions,
        Unauthorized, InvalidToken, RoomClosed, ParticipantNameRequired, ParticipantNotFound, MediaServerError."""
        now = self._clock.now_ms()  # before the rights are read: a change in between makes the token void
        await self._rooms.settled()  # and a change that was dated earlier is among them
        room = await self._rooms.get(room_id)
        if room is None:
            raise RoomNotFound(room_id)
        grant = await self._grants.collect(caller, room, request.secret)
        claims = RoomMemberClaims(
            iat=now,
            room_id=room_id,
            permissions=grant.permissions,
            badge=grant.badge,
            member_id=grant.member_id,
            user_id=grant.user_id,
        )
        if not request.join_meeting:
            return self._codec.sign_member(claims)
        previous = self._previous(previous_token, room_id)
        if room.status == "closed":
            raise RoomClosed(room_id)
        if not grant.permissions["canJoinMeeting"]:
            raise InsufficientPermissions
        claims = replace(claims, livekit_url=livekit_url)
        if previous is not None and previous.identity and previous.name:
            claims = await self._regenerate(room, claims, previous.identity)
        else:
            claims = await self._join(room, claims, grant, request.participant_name or grant.name)
        log.info("join_token_issued", room=room_id, identity=claims.identity, badge=claims.badge)
        return self._codec.sign_member(claims)

    async def refresh(self, room_id: str, token: str | None) -> str:
        """A fresh token with the identity of `token` and the rights we hold of the participant, promotion included.

        The participant must be in the meeting, but its metadata there counts for nothing: the participant can write it.
        Stricter than contract 3.8.4: rights that were taken away are not given again; clients then generate a token.
        Raises Unauthorized, InvalidToken, InsufficientPermissions, ParticipantNotFound, MediaServerError."""
        if not token:
            raise Unauthorized
        now = self._clock.now_ms()  # before the rights are read, as in `generate`
        await self._rooms.settled()
        claims = self._codec.verify_member(token, leeway_s=_TOLERANCE_S)
        if claims.room_id != room_id:
            raise InsufficientPermissions
        if not claims.identity or not claims.name or not await self._claims.hold(claims):
            raise InvalidToken
        await self._participant(room_id, claims.identity)
        grant = await self._participants.get(room_id, claims.identity)
        if grant is None:
            grant = await self._remember(claims, claims.identity)
        fresh = replace(
            claims,
            iat=now,
            permissions=grant.permissions,
            badge=grant.badge,
            is_promoted_moderator=None,
        )
        if grant.promoted:
            room = await self._rooms.get(room_id)
            if room is not None:  # without the room there is no moderator role to add
                fresh = _promoted(fresh, room)
        return self._codec.sign_member(fresh)

    async def _remember(self, claims: RoomMemberClaims, identity: str) -> ParticipantGrant:
        """The rights of a token we signed but hold no record of; those of a promoted one cannot be told any more."""
        if claims.is_promoted_moderator:
            raise InvalidToken
        return await self._participants.issue(claims.room_id, identity, _own(claims), self._clock.now_ms())

    def _previous(self, token: str | None, room_id: str) -> RoomMemberClaims | None:
        if not token:
            return None
        previous = self._codec.verify_member(token, leeway_s=_TOLERANCE_S)
        if previous.room_id != room_id:
            raise InsufficientPermissions
        return previous

    async def _join(self, room: Room, claims: RoomMemberClaims, grant: Grant, wanted: str | None) -> RoomMemberClaims:
        """First join: reserve a unique name, make sure that the media room exists, choose the identity."""
        if not wanted:
            raise ParticipantNameRequired
        now = self._clock.now_ms()
        expires = now + self._settings.name_reservation_ttl_s * 1000
        name = await self._names.reserve(room.room_id, wanted, now, expires)
        try:
            await self._media.create_room(
                room.room_id,
                metadata=self._room_metadata(room),
                empty_timeout_s=int(self._settings.meeting_empty_timeout_s),
                departure_timeout_s=int(self._settings.meeting_departure_timeout_s),
            )
        except BaseException:
            await self._names.release(room.room_id, name)
            raise
        identity = grant.member_id or grant.user_id or new_identity(name)
        await self._participants.issue(room.room_id, identity, _own(claims), now)
        return replace(claims, identity=identity, name=name)

    async def _regenerate(self, room: Room, claims: RoomMemberClaims, identity: str) -> RoomMemberClaims:
        """Current rights for somebody in the meeting; a promotion survives as long as there is something to promote."""
        participant = await self._participant(room.room_id, identity)
        now = self._clock.now_ms()
        stored = await self._participants.issue(room.room_id, identity, _own(claims), now, keep_promotion=True)
        claims = replace(claims, identity=identity, name=participant.name)
        extra: dict[str, Any] = {}
        if stored.promoted:
            extra["originalPermissions"] = claims.permissions
            claims = _promoted(claims, room)
        document = self._spelling.for_media({**member_metadata(claims), **extra})
        metadata = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
        await self._media.update_participant_metadata(room.room_id, identity, metadata)
        return claims

    async def _participant(self, room_id: str, identity: str) -> MediaParticipant:
        participant = await self._media.get_participant(room_id, identity)
        if participant is None:
            raise ParticipantNotFound(room_id, identity)
        return participant

    def _room_metadata(self, room: Room) -> str:
        """Metadata of the media room (contract 7.2): who made it, and its options without secrets."""
        anonymous = room.access["anonymous"]
        options: dict[str, Any] = {
            "roomName": room.room_name,
            "autoDeletionDate": room.auto_deletion_date,
            "autoDeletionPolicy": room.auto_deletion_policy,
            "config": room.config,
            "roles": self._spelling.for_media(room.roles),
            "access": {
                "anonymous": {
                    "moderator": {"enabled": anonymous["moderator"]["enabled"]},
                    "speaker": {"enabled": anonymous["speaker"]["enabled"]},
                    "recording": {"enabled": anonymous["recording"]["enabled"]},
                },
                "user": {"enabled": room.access["user"]["enabled"]},
            },
        }
        present = {name: value for name, value in options.items() if value is not None}
        document = {"createdBy": self._settings.name_id, "roomOptions": present}
        return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def _own(claims: RoomMemberClaims) -> ParticipantGrant:
    return ParticipantGrant(permissions=claims.permissions, badge=claims.badge, user_id=claims.user_id)


def _promoted(claims: RoomMemberClaims, room: Room) -> RoomMemberClaims:
    """The claims of somebody whose own rights are `claims`, promoted to moderator."""
    return replace(
        claims,
        permissions=union(claims.permissions, room.roles["moderator"]["permissions"]),
        badge="moderator",
        is_promoted_moderator=True,
    )
