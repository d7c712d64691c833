"""What is asked about room members (contract 2.3), and how their permissions come about (3.6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias, cast

from .paging import TextMatch
from .permissions import Permission, Permissions, RoleName, Roles, overlay
from .room import Room, RoomMember
from .user import User

MemberType: TypeAlias = Literal["user", "identified_guest"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMember:
    """What create was asked for: a registered user by `user_id`, or a guest by `name`, never both."""

    base_role: RoleName
    user_id: str | None = None
    name: str | None = None
    custom_permissions: dict[str, bool] | None = None


@dataclass(frozen=True, slots=True)
class MemberFilter:
    """Everything narrows."""

    name: TextMatch | None = None
    base_role: RoleName | None = None
    type: MemberType | None = None


@dataclass(frozen=True, slots=True)
class Candidacy:
    """What the transaction that adds a member finds: the room, the user (None for a guest or when there is no such
    user), and whether that user is a member already."""

    room: Room
    user: User | None
    is_member: bool


@dataclass(frozen=True, slots=True)
class FailedMember:
    """One item of a bulk deletion that was not there."""

    member_id: str
    error: str


@dataclass(frozen=True, slots=True)
class BulkMemberDeletion:
    """Result of deleting several members."""

    deleted: tuple[str, ...]
    failed: tuple[FailedMember, ...]


def effective_permissions(roles: Roles, base_role: RoleName, custom: Mapping[str, bool] | None) -> Permissions:
    """The room's role with the member's own permissions on top."""
    return overlay(roles[base_role]["permissions"], cast("Mapping[Permission, bool] | None", custom))


def member_type(member: RoomMember) -> MemberType:
    """Registered users keep their account, guests are known by the secret that is their id."""
    return "identified_guest" if member.user_id is None else "user"
