"""AssistantService: live captions by an agent of the media server, one for all who want them (contract 2.5.7, 7.5)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from weakref import WeakValueDictionary

import structlog

from .assistant_ports import AgentDispatcher, CaptionUserRepository
from .callers import Caller
from .clock import Clock
from .errors import Conflict, InsufficientPermissions, MediaServerError, RoomNotFound, Unauthorized
from .meeting_errors import AssistantStarting, AssistantStopping, CaptionsUnavailable
from .ports import RoomRepository

log = structlog.get_logger(__name__)

AGENT: Final = "speech-processing"
_WANTED_MS: Final = 24 * 3_600_000
_PATIENCE_S: Final = 0.6


class AssistantService:
    """Calls the agent for the first who wants captions in a room, and sends it away with the last."""

    def __init__(
        self,
        *,
        rooms: RoomRepository,
        users: CaptionUserRepository,
        agents: AgentDispatcher,
        clock: Clock,
        captions_enabled: bool,
    ) -> None:
        self._rooms = rooms
        self._users = users
        self._agents = agents
        self._clock = clock
        self._captions_enabled = captions_enabled
        self._changing: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def create(self, caller: Caller) -> str:
        """Captions for this participant; the id of the assistant, which is the agent's dispatch.

        Raises InsufficientPermissions for a token that is not of a participant, RoomNotFound, CaptionsUnavailable,
        AssistantStarting while others keep changing captions in the room, MediaServerError."""
        room_id, identity = _participant(caller)
        if not self._captions_enabled:
            raise CaptionsUnavailable.by_server()
        room = await self._rooms.get(room_id)
        if room is None:
            raise RoomNotFound(room_id)
        if not room.config["captions"]["enabled"]:
            raise CaptionsUnavailable.by_room()
        async with self._alone(room_id, AssistantStarting(room_id)):
            running = await self._agents.list_dispatches(room_id, AGENT)
            dispatch = running[0] if running else await self._agents.create_dispatch(room_id, AGENT)
            now = self._clock.now_ms()
            await self._users.add(room_id, identity, now, now + _WANTED_MS)
        log.info("captions_on", room=room_id, identity=identity)
        return dispatch

    async def cancel(self, caller: Caller) -> None:
        """No captions for this participant any more; having had none is fine.

        Raises InsufficientPermissions, AssistantStopping, MediaServerError."""
        room_id, identity = _participant(caller)
        async with self._alone(room_id, AssistantStopping(room_id)):
            await self._give_up(room_id, identity)

    async def left(self, room_id: str, identity: str) -> None:
        """A participant left the meeting."""
        async with self._changing.setdefault(room_id, asyncio.Lock()):
            try:
                await self._give_up(room_id, identity)
            except (MediaServerError, CaptionsUnavailable) as error:
                log.warning("captions_agent_not_stopped", room=room_id, reason=error.message)

    async def _give_up(self, room_id: str, identity: str) -> None:
        if not await self._users.remove(room_id, identity, self._clock.now_ms()):
            return
        for dispatch in await self._agents.list_dispatches(room_id, AGENT):
            await self._agents.delete_dispatch(room_id, dispatch)
        log.info("captions_off", room=room_id)

    @asynccontextmanager
    async def _alone(self, room_id: str, busy: Conflict) -> AsyncIterator[None]:
        """One change at a time per room; `busy` is raised when the others take too long."""
        lock = self._changing.setdefault(room_id, asyncio.Lock())
        try:
            async with asyncio.timeout(_PATIENCE_S):
                await lock.acquire()
        except TimeoutError:
            raise busy from None
        try:
            yield
        finally:
            lock.release()


def _participant(caller: Caller) -> tuple[str, str]:
    """Room and identity."""
    if caller.member is None:
        raise Unauthorized
    if not caller.member.identity:
        raise InsufficientPermissions
    return caller.member.room_id, caller.member.identity
