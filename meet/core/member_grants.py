"""Where a room member token's rights come from: a secret, a user, or both (contract 3.8.3, steps 3 to 5)."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, replace

from .callers import Badge, Caller
from .errors import (
    AnonymousAccessDisabled,
    InsufficientPermissions,
    RoomMemberNotFound,
    Unauthorized,
    UnknownRoomSecret,
)
from .model.permissions import ALL, RECORDING_LINK, Permissions, RoleName, covers, overlay, union
from .model.room import Room
from .model.user import User
from .ports import MemberRepository


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """The merged outcome: permissions, badge, and who it is, as far as that is known."""

    permissions: Permissions
    badge: Badge
    member_id: str | None = None
    user_id: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    permissions: Permissions
    member_id: str | None = None
    user_id: str | None = None
    name: str | None = None
    badge: Badge | None = None


class MemberGrants:
    """Collects and merges the sources."""

    def __init__(self, members: MemberRepository) -> None:
        self._members = members

    async def collect(self, caller: Caller, room: Room, secret: str | None) -> Grant:
        """The grant of a caller with or without a secret of the room.

        Raises RoomMemberNotFound, UnknownRoomSecret, AnonymousAccessDisabled, InsufficientPermissions (a user without
        access), Unauthorized (nothing to go by)."""
        by_secret = await self._by_secret(room, secret) if secret else None
        by_user = await self._by_user(caller.user, room) if caller.user is not None else None
        if by_user is not None and caller.kind == "api_key":
            # Integrations act with the root admin's rights, but as participants they are many: one identity each.
            by_user = replace(by_user, user_id=None)
        if by_secret is None and by_user is None:
            raise InsufficientPermissions if caller.user is not None and not secret else Unauthorized
        return _merge(room, by_secret, by_user)

    async def _by_secret(self, room: Room, secret: str) -> _Source:
        if secret.startswith("guest-"):
            member = await self._members.get(room.room_id, secret)
            if member is None or member.user_id is not None:
                raise RoomMemberNotFound(room.room_id, secret)
            return _Source(permissions=member.effective_permissions, member_id=member.member_id, name=member.name)
        anonymous = room.access["anonymous"]
        role: RoleName
        for role in ("moderator", "speaker"):
            if _same(secret, anonymous[role]["secret"]):
                if not anonymous[role]["enabled"]:
                    raise AnonymousAccessDisabled(room.room_id, role)
                return _Source(permissions=room.roles[role]["permissions"])
        if _same(secret, anonymous["recording"]["secret"]):
            if not anonymous["recording"]["enabled"]:
                raise AnonymousAccessDisabled(room.room_id, "recordings")
            return _Source(permissions=overlay(RECORDING_LINK, None))
        raise UnknownRoomSecret(room.room_id, secret)

    async def _by_user(self, user: User, room: Room) -> _Source | None:
        if user.user_id == room.owner or user.role == "admin":
            badge: Badge = "owner" if user.user_id == room.owner else "admin"
            return _Source(permissions=overlay(ALL, None), user_id=user.user_id, name=user.name, badge=badge)
        member = await self._members.get(room.room_id, user.user_id)
        if member is not None:
            return _Source(
                permissions=member.effective_permissions,
                member_id=member.member_id,
                user_id=user.user_id,
                name=member.name,
            )
        if room.access["user"]["enabled"]:
            return _Source(permissions=room.roles["speaker"]["permissions"], user_id=user.user_id, name=user.name)
        return None


def _merge(room: Room, by_secret: _Source | None, by_user: _Source | None) -> Grant:
    """Permissions add up; the member id of the secret wins, and so does its name."""
    present = [source for source in (by_secret, by_user) if source is not None]
    permissions = present[0].permissions
    if len(present) == 2:
        permissions = union(permissions, present[1].permissions)
    badge = by_user.badge if by_user is not None else None
    if badge is None:
        moderator = room.roles["moderator"]["permissions"]
        badge = "moderator" if covers(permissions, moderator) else "other"
    return Grant(
        permissions=permissions,
        badge=badge,
        member_id=next((source.member_id for source in present if source.member_id is not None), None),
        user_id=by_user.user_id if by_user is not None else None,
        name=next((source.name for source in present if source.name is not None), None),
    )


def _same(given: str, stored: str) -> bool:
    return hmac.compare_digest(given.encode(), stored.encode())
