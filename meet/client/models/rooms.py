"""Rooms."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import Field

from meet.client.models.base import Milliseconds, Model, Number, Selection, sent
from meet.client.models.encoding import Encoding, Layout
from meet.client.models.permissions import Roles

RoomStatus: TypeAlias = Literal["open", "active_meeting", "closed"] | str
RoomDeletionCode: TypeAlias = (
    Literal[
        "room_deleted",
        "room_with_active_meeting_deleted",
        "room_with_active_meeting_scheduled_to_be_deleted",
        "room_and_recordings_deleted",
        "room_closed",
        "room_with_active_meeting_and_recordings_deleted",
        "room_with_active_meeting_closed",
        "room_with_active_meeting_and_recordings_scheduled_to_be_deleted",
        "room_with_active_meeting_scheduled_to_be_closed",
    ]
    | str
)


class Switch(Model):
    """On or off."""

    enabled: bool


class RecordingConfig(Model):
    """How the meetings of a room are recorded."""

    enabled: bool
    layout: Layout
    encoding: Encoding


class RoomConfig(Model):
    """What a meeting in the room offers."""

    recording: RecordingConfig
    chat: Switch
    virtual_background: Switch
    e2ee: Switch
    captions: Switch


class RoomAccessEntry(Model):
    """One way into a room. `url` is missing when the caller may not share links."""

    enabled: bool
    url: str | None = Field(None, repr=False)  # holds a secret


class AnonymousAccess(Model):
    """Links that need no account."""

    moderator: RoomAccessEntry
    speaker: RoomAccessEntry
    recording: RoomAccessEntry


class RoomAccess(Model):
    """All ways into a room."""

    anonymous: AnonymousAccess
    user: RoomAccessEntry


class AutoDeletionPolicy(Model):
    """How the automatic deletion treats a meeting in progress and existing recordings."""

    with_meeting: Literal["force", "when_meeting_ends"] | str
    with_recordings: Literal["force", "close"] | str


class Room(Selection):
    """A room. `config` and `roles` come only when `extra_fields` names them."""

    room_id: str = sent()
    room_name: str = sent()
    owner: str = sent()
    creation_date: Milliseconds = sent()
    config: RoomConfig | None = None
    roles: Roles | None = None
    access: RoomAccess = sent()
    status: RoomStatus = sent()
    roles_updated_at: Milliseconds = sent()
    meeting_end_action: Literal["none", "close", "delete"] | str = sent()
    auto_deletion_date: Number | None = None
    auto_deletion_policy: AutoDeletionPolicy | None = None


class RoomDeletion(Model):
    """What was done; `room` is there when the room still exists."""

    success_code: RoomDeletionCode
    message: str
    room: Room | None = None


class DeletedRoom(RoomDeletion):
    """What was done to one of several rooms."""

    room_id: str


class FailedRoom(Model):
    """A room that was left as it is, and why."""

    room_id: str
    error: str
    message: str


class RoomBulkDeletion(Model):
    """What became of each room."""

    message: str
    deleted: tuple[DeletedRoom, ...]
    failed: tuple[FailedRoom, ...]
