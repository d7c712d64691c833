"""What a caller may do in a room (contract 3.3, `computePermissions`)."""

from __future__ import annotations

from .callers import Caller
from .errors import InsufficientPermissions
from .model.permissions import ALL, Permission, Permissions, holds, overlay
from .model.room import Room
from .ports import MemberRepository


class Rights:
    """Answers every permission question of the services."""

    def __init__(self, members: MemberRepository) -> None:
        self._members = members

    async def of(self, caller: Caller, room: Room) -> Permissions | None:
        """The caller's fourteen permissions in the room, or None when the room is out of reach.

        A room member token counts for its own room only and hides an accompanying user (contract 1.4.4)."""
        if caller.member is not None:
            return caller.member.permissions if caller.member.room_id == room.room_id else None
        user = caller.user
        if user is None or caller.kind == "anonymous":
            return None
        if user.role == "admin" or user.user_id == room.owner:
            return overlay(ALL, None)
        member = await self._members.get(room.room_id, user.user_id)
        if member is not None:
            return member.effective_permissions
        return room.roles["speaker"]["permissions"] if room.access["user"]["enabled"] else None

    async def require(self, caller: Caller, room: Room, permission: Permission) -> None:
        """Raises InsufficientPermissions unless the caller holds `permission` in the room."""
        held = await self.of(caller, room)
        if held is None or not holds(held, permission):
            raise InsufficientPermissions


def require_admin(caller: Caller) -> None:
    """Raises InsufficientPermissions for everybody but admins and holders of the API key."""
    if caller.kind == "anonymous" or not caller.is_admin:
        raise InsufficientPermissions


def manages(caller: Caller, room: Room) -> bool:
    """True for admins and the room's owner: the only ones who may change or delete it."""
    if caller.member is not None or caller.user is None or caller.kind == "anonymous":
        return False
    return caller.user.role == "admin" or caller.user.user_id == room.owner
