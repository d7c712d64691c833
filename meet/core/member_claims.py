"""Whether the rights in a room member token still count (contract 1.4.4)."""

from __future__ import annotations

from .callers import RoomMemberClaims
from .ports import AccountRepository, MemberRepository, RoomRepository


class MemberClaims:
    """Rights given before the last change of the room's roles, the member or the user do not count any more."""

    def __init__(self, *, rooms: RoomRepository, members: MemberRepository, accounts: AccountRepository) -> None:
        self._rooms = rooms
        self._members = members
        self._accounts = accounts

    async def hold(self, claims: RoomMemberClaims) -> bool:
        """False also when the room, the member or the user is gone."""
        room = await self._rooms.get(claims.room_id)
        if room is None or claims.iat < room.roles_updated_at:
            return False
        if claims.member_id is not None:
            member = await self._members.get(claims.room_id, claims.member_id)
            if member is None or claims.iat < member.permissions_updated_at:
                return False
        if claims.user_id is not None:
            user = await self._accounts.get_user(claims.user_id)
            if user is None or claims.iat < max(user.role_updated_at, user.sessions_since):
                return False
        return True
