"""Parts of requests as plain dictionaries, with the names of the API. What is left out keeps its value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NotRequired, TypeAlias, TypedDict

from meet.client.models.base import Model
from meet.client.models.encoding import EncodingOptions

Permissions: TypeAlias = Mapping[str, bool]
"""Some permissions by name, `{"canRecord": True}`."""

MatchMode: TypeAlias = Literal["exact", "prefix", "partial", "regex"]
SortOrder: TypeAlias = Literal["asc", "desc"]
MeetingPolicy: TypeAlias = Literal["force", "when_meeting_ends", "fail"]
RecordingsPolicy: TypeAlias = Literal["force", "close", "fail"]


class Switch(TypedDict):
    """On or off."""

    enabled: bool


class RecordingConfigInput(TypedDict):
    """How meetings are recorded; `encoding` is a preset or all options."""

    enabled: bool
    layout: NotRequired[str]
    encoding: NotRequired[str | EncodingOptions | Mapping[str, Any]]


class RoomConfigInput(TypedDict, total=False):
    """What meetings offer. End-to-end encryption switches recording off."""

    recording: RecordingConfigInput
    chat: Switch
    virtualBackground: Switch
    e2ee: Switch
    captions: Switch


class RoleInput(TypedDict):
    """What a role grants."""

    permissions: Permissions


class RolesInput(TypedDict, total=False):
    """What the roles of a room grant."""

    moderator: RoleInput
    speaker: RoleInput


class AnonymousAccessInput(TypedDict, total=False):
    """Which links are open."""

    moderator: Switch
    speaker: Switch
    recording: Switch


class RoomAccessInput(TypedDict, total=False):
    """Which ways into a room are open."""

    anonymous: AnonymousAccessInput
    user: Switch


class AutoDeletionPolicyInput(TypedDict):
    """What the automatic deletion does with a meeting and with recordings."""

    withMeeting: Literal["force", "when_meeting_ends"]
    withRecordings: Literal["force", "close"]


class ThemeInput(TypedDict):
    """The colours of rooms; those that are left out keep their value."""

    name: str
    enabled: bool
    baseTheme: Literal["light", "dark"]
    backgroundColor: NotRequired[str]
    primaryColor: NotRequired[str]
    secondaryColor: NotRequired[str]
    accentColor: NotRequired[str]
    surfaceColor: NotRequired[str]


class OAuthProviderInput(TypedDict):
    """A way to log in through somebody else."""

    provider: Literal["google", "github"]
    clientId: str
    clientSecret: str
    redirectUri: str


def to_json(value: Any) -> Any:
    """Models, also inside dictionaries and lists, as JSON; everything else as it is."""
    if isinstance(value, Model):
        return value.to_json()
    if isinstance(value, Mapping):
        return {key: to_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(item) for item in value]
    return value
