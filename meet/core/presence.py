"""Presence: who is in which meeting right now, and how to reach them there (contract 2.1.4, 2.3.2).

The media server is asked instead of keeping a map: its answer is right after every restart and lost event, and these
questions are rare. What it cannot do at the moment is logged, never raised: rights in the database are changed already,
and tokens made before the change are void.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import structlog

from .errors import MediaServerError
from .model.media import MediaParticipant
from .ports import MediaServer, RoomRepository
from .signals import Signals
from .token_codec import decode_metadata

log = structlog.get_logger(__name__)

_PARALLEL = 20

T = TypeVar("T")


class Presence:
    """Removes people from meetings and tells them that their rights changed."""

    def __init__(self, *, rooms: RoomRepository, media: MediaServer, signals: Signals) -> None:
        self._rooms = rooms
        self._media = media
        self._signals = signals

    async def kick(self, room_id: str, identity: str) -> None:
        """Remove a participant; absence is fine."""
        try:
            if await self._media.remove_participant(room_id, identity):
                log.info("participant_kicked", room=room_id, identity=identity)
        except MediaServerError as error:
            log.warning("participant_not_kicked", room=room_id, identity=identity, reason=error.detail or error.message)

    async def kick_all(self, room_id: str, identities: Sequence[str]) -> None:
        """Remove several participants."""
        await _each(identities, lambda identity: self.kick(room_id, identity))

    async def refresh(self, room_id: str, identity: str) -> None:
        """Tell a participant, if present, to fetch a token with the current rights."""
        try:
            present = await self._media.get_participant(room_id, identity) is not None
        except MediaServerError as error:
            log.warning("presence_unknown", room=room_id, identity=identity, reason=error.detail or error.message)
            return
        if present:
            self._signals.participant_permissions(room_id, identity)

    async def kick_user(self, user_id: str) -> None:
        """Remove a registered user from every meeting."""
        for room_id, identity in await self._meetings_of(user_id):
            await self.kick(room_id, identity)

    async def refresh_user(self, user_id: str) -> None:
        """Tell a registered user in every meeting."""
        for room_id, identity in await self._meetings_of(user_id):
            self._signals.participant_permissions(room_id, identity)

    async def _meetings_of(self, user_id: str) -> list[tuple[str, str]]:
        """Rooms of ours and identities under which the user is there."""
        try:
            running = await self._media.list_rooms()
        except MediaServerError as error:
            log.warning("presence_unknown", user=user_id, reason=error.detail or error.message)
            return []
        found = await _each(running, self._participants)
        return [
            (room_id, participant.identity)
            for room_id, participants in found
            for participant in participants
            if _is(participant, user_id)
        ]

    async def _participants(self, room_id: str) -> tuple[str, list[MediaParticipant]]:
        if await self._rooms.get(room_id) is None:
            return room_id, []
        try:
            return room_id, await self._media.list_participants(room_id)
        except MediaServerError as error:
            log.warning("presence_unknown", room=room_id, reason=error.detail or error.message)
            return room_id, []


async def _each(names: Sequence[str], work: Callable[[str], Awaitable[T]]) -> list[T]:
    """`work` for every name, some at a time."""
    slots = asyncio.Semaphore(_PARALLEL)

    async def one(name: str) -> T:
        async with slots:
            return await work(name)

    return await asyncio.gather(*(one(name) for name in names))


def _is(participant: MediaParticipant, user_id: str) -> bool:
    """By identity, which is the user id unless they came with a guest's link; then the metadata tells."""
    if participant.identity == user_id:
        return True
    return (decode_metadata(participant.metadata) or {}).get("userId") == user_id
