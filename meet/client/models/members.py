"""Members of a room."""

from __future__ import annotations

from typing import Literal, TypeAlias

from meet.client.models.base import Milliseconds, Model, Selection, sent
from meet.client.models.permissions import Permissions

BaseRole: TypeAlias = Literal["moderator", "speaker"] | str
MemberType: TypeAlias = Literal["user", "identified_guest"] | str


class Member(Selection):
    """A user or guest with rights of their own. `effective_permissions` comes only when `extra_fields` names it."""

    member_id: str = sent(repr=False)  # a guest's is the secret in their link
    room_id: str = sent()
    name: str = sent()
    type: MemberType = sent()
    membership_date: Milliseconds = sent()
    access_url: str = sent(repr=False)
    base_role: BaseRole = sent()
    custom_permissions: Permissions | None = None
    effective_permissions: Permissions | None = None
    permissions_updated_at: Milliseconds = sent()


class FailedMember(Model):
    """A member that is still there, and why."""

    member_id: str
    error: str


class MemberBulkDeletion(Model):
    """What became of each member."""

    message: str
    deleted: tuple[str, ...]
    failed: tuple[FailedMember, ...]
