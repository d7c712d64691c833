"""Room, its documents and its members (contract 3.1, 3.4, 3.5, 3.6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NotRequired, TypeAlias, TypedDict

from .encoding import Encoding, Layout
from .permissions import Permissions, RoleName, Roles, holds

RoomStatus: TypeAlias = Literal["open", "active_meeting", "closed"]
MeetingEndAction: TypeAlias = Literal["none", "close", "delete"]
WithMeeting: TypeAlias = Literal["force", "when_meeting_ends", "fail"]
WithRecordings: TypeAlias = Literal["force", "close", "fail"]


class Switch(TypedDict):
    """A feature that is on or off."""

    enabled: bool


class RecordingConfig(TypedDict):
    """How a room is recorded."""

    enabled: bool
    layout: Layout
    encoding: Encoding


class RoomConfig(TypedDict):
    """A room's configuration, always complete once stored."""

    recording: RecordingConfig
    chat: Switch
    virtualBackground: Switch
    e2ee: Switch
    captions: Switch


class PartialRecordingConfig(TypedDict):
    """`enabled` is required whenever the object is given (contract 2.2.1)."""

    enabled: bool
    layout: NotRequired[Layout]
    encoding: NotRequired[Encoding]


class PartialRoomConfig(TypedDict, total=False):
    """Body of create and of PUT config."""

    recording: PartialRecordingConfig
    chat: Switch
    virtualBackground: Switch
    e2ee: Switch
    captions: Switch


class PartialRole(TypedDict):
    permissions: dict[str, bool]


class PartialRoles(TypedDict, total=False):
    moderator: PartialRole
    speaker: PartialRole


class PartialAnonymousAccess(TypedDict, total=False):
    moderator: Switch
    speaker: Switch
    recording: Switch


class PartialAccess(TypedDict, total=False):
    anonymous: PartialAnonymousAccess
    user: Switch


class AutoDeletionPolicy(TypedDict):
    """What the expiry job asks for; `fail` is not allowed here."""

    withMeeting: WithMeeting
    withRecordings: WithRecordings


class AnonymousEntry(TypedDict):
    """One shareable link. The secret never changes; the link can be switched off."""

    enabled: bool
    secret: str


class AnonymousAccess(TypedDict):
    moderator: AnonymousEntry
    speaker: AnonymousEntry
    recording: AnonymousEntry


class Access(TypedDict):
    """Who gets in without being a member. Stored with secrets; links are built by `links.access_document`."""

    anonymous: AnonymousAccess
    user: Switch


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """A meeting room as stored. Times in ms. The nested documents are shared: replace them, never change them."""

    room_id: str
    room_name: str
    owner: str
    creation_date: int
    config: RoomConfig
    roles: Roles
    access: Access
    status: RoomStatus
    roles_updated_at: int
    meeting_end_action: MeetingEndAction
    auto_deletion_date: int | None = None
    auto_deletion_policy: AutoDeletionPolicy | None = None

    @property
    def speaker_may_retrieve(self) -> bool:
        """What a recording's `room_user_access` is made of (contract 4.2)."""
        return self.access["user"]["enabled"] and holds(self.roles["speaker"]["permissions"], "recordingList")


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomMember:
    """A registered user or a named guest of one room. `effective_permissions` is role overlaid with custom ones."""

    room_id: str
    member_id: str
    user_id: str | None
    name: str
    membership_date: int
    base_role: RoleName
    custom_permissions: dict[str, bool] | None
    effective_permissions: Permissions
    permissions_updated_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRoom:
    """What create was asked for. `auto_deletion_date` in ms."""

    room_name: str = "Room"
    auto_deletion_date: int | None = None
    auto_deletion_policy: AutoDeletionPolicy | None = None
    config: PartialRoomConfig | None = None
    roles: PartialRoles | None = None
    access: PartialAccess | None = None


@dataclass(frozen=True, slots=True)
class RoomView:
    """A room together with what the caller may do in it (decides whether anonymous links are shown)."""

    room: Room
    permissions: Permissions


@dataclass(frozen=True, slots=True)
class StatusUpdate:
    """Result of asking for a status; `deferred` means that it takes effect when the meeting ends (202)."""

    room: Room
    deferred: bool


@dataclass(frozen=True, slots=True)
class RoomDeletion:
    """What a deletion did (contract 2.2.3). `room` is set when the answer shows the room; `deferred` means 202.

    ending: the room goes when its meeting has ended, which was told to end."""

    room_id: str
    success_code: str
    message: str
    room: Room | None = None
    deferred: bool = False
    ending: bool = False


@dataclass(frozen=True, slots=True)
class FailedRoom:
    """One refused item of a bulk deletion; `error` is the error name or a deletion code."""

    room_id: str
    error: str
    message: str


@dataclass(frozen=True, slots=True)
class BulkRoomDeletion:
    """Result of deleting several rooms."""

    deleted: tuple[RoomDeletion, ...]
    failed: tuple[FailedRoom, ...]
