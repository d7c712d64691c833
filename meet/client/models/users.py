"""Users."""

from __future__ import annotations

from typing import Literal, TypeAlias

from meet.client.models.base import Milliseconds, Model

UserRole: TypeAlias = Literal["admin", "room_manager", "room_member"] | str


class User(Model):
    """A person with an account."""

    user_id: str
    name: str
    registration_date: Milliseconds
    role: UserRole
    role_updated_at: Milliseconds


class FailedUser(Model):
    """A user that is still there, and why."""

    user_id: str
    error: str


class UserBulkDeletion(Model):
    """What became of each user."""

    message: str
    deleted: tuple[str, ...]
    failed: tuple[FailedUser, ...]
