"""What is asked about users, and what becomes of it (contract 2.1), and the counts of the overview (2.5.8)."""

from __future__ import annotations

from dataclasses import dataclass, field

from .paging import TextMatch
from .user import User, UserRole


@dataclass(frozen=True, slots=True, kw_only=True)
class NewUser:
    """What create was asked for."""

    user_id: str
    name: str
    role: UserRole
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class UserFilter:
    """`user_id` (exact) and `name` widen each other, `role` narrows."""

    user_id: str | None = None
    name: TextMatch | None = None
    role: UserRole | None = None


@dataclass(frozen=True, slots=True)
class RoleChange:
    """The user as stored now; `changed` is False for the role they had already."""

    user: User
    changed: bool


@dataclass(frozen=True, slots=True)
class FailedUser:
    """One refused item of a bulk deletion."""

    user_id: str
    error: str


@dataclass(frozen=True, slots=True)
class BulkUserDeletion:
    """Result of deleting several users."""

    deleted: tuple[str, ...]
    failed: tuple[FailedUser, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """How much there is. Recordings being deleted do not count."""

    rooms: int
    active_rooms: int
    recordings: int
    complete_recordings: int
