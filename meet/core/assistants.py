"""AssistantService: live captions as far as a server without speech processing goes (contract 2.5.7)."""

from __future__ import annotations

from typing import NoReturn

from .callers import Caller
from .errors import InsufficientPermissions, Unauthorized
from .meeting_errors import CaptionsUnavailable
from .ports import RoomRepository


class AssistantService:
    """Refuses in the contract's words what the configuration rules out, and in our own what is not built in."""

    def __init__(self, *, rooms: RoomRepository, captions_enabled: bool) -> None:
        self._rooms = rooms
        self._captions_enabled = captions_enabled

    async def create(self, caller: Caller) -> NoReturn:
        """Raises InsufficientPermissions for a token that is not of a participant, CaptionsUnavailable otherwise."""
        room_id = _participants_room(caller)
        if not self._captions_enabled:
            raise CaptionsUnavailable.by_server()
        room = await self._rooms.get(room_id)
        if room is not None and not room.config["captions"]["enabled"]:
            raise CaptionsUnavailable.by_room()
        raise CaptionsUnavailable.not_built_in()

    async def cancel(self, caller: Caller) -> None:
        """Nothing ever runs, and stopping nothing succeeds. Raises InsufficientPermissions."""
        _participants_room(caller)


def _participants_room(caller: Caller) -> str:
    if caller.member is None:
        raise Unauthorized
    if not caller.member.identity:
        raise InsufficientPermissions
    return caller.member.room_id
