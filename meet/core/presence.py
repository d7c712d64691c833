"""Presence: who is in which meeting right now, and how to reach them there (contract 2.1.4, 2.3.2).

Who may be where is known from the tokens that were issued; who is there, the media server is asked: its answer is
right after every restart and lost event, and these questions are rare. What participants say about themselves in their
metadata counts for nothing. What the media server cannot do at the moment is logged, never raised: rights in the
database are changed already, and tokens made before the change are void.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from .errors import MediaServerError
from .ports import MediaServer, ParticipantGrantRepository
from .signals import Signals

log = structlog.get_logger(__name__)

_PARALLEL = 20


class Presence:
    """Removes people from meetings and tells them that their rights changed."""

    def __init__(self, *, participants: ParticipantGrantRepository, media: MediaServer, signals: Signals) -> None:
        self._participants = participants
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
        await _each([(room_id, identity) for identity in identities], self.kick)

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
        await _each(await self._participants.of_user(user_id), self.kick)

    async def refresh_user(self, user_id: str) -> None:
        """Tell a registered user in every meeting."""
        await _each(await self._participants.of_user(user_id), self.refresh)


async def _each(places: Sequence[tuple[str, str]], work: Callable[[str, str], Awaitable[None]]) -> None:
    """`work` for every room and identity, some at a time."""
    slots = asyncio.Semaphore(_PARALLEL)

    async def one(room_id: str, identity: str) -> None:
        async with slots:
            await work(room_id, identity)

    await asyncio.gather(*(one(*place) for place in places))
