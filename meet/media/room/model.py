"""Value types of the room layer. Enum values are the numbers LiveKit's protocol gives the same notions."""

from __future__ import annotations

import enum
import secrets
from dataclasses import dataclass

DEFAULT_CODECS = ("video/VP8", "video/H264", "audio/opus")
"""MIME types that may be published where nothing else is said."""


def new_sid(prefix: str) -> str:
    """A server id such as `PA_9f3c0a1b2c3d`; SDKs require the prefixes `PA_`, `TR_` and `RM_`."""
    return prefix + secrets.token_hex(6)


class TrackKind(enum.IntEnum):
    AUDIO = 0
    VIDEO = 1

    @property
    def media(self) -> str:
        """The SDP media name."""
        return "video" if self is TrackKind.VIDEO else "audio"


class TrackSource(enum.IntEnum):
    UNKNOWN = 0
    CAMERA = 1
    MICROPHONE = 2
    SCREEN_SHARE = 3
    SCREEN_SHARE_AUDIO = 4


class ParticipantState(enum.IntEnum):
    JOINING = 0
    JOINED = 1
    ACTIVE = 2
    DISCONNECTED = 3


class ParticipantKind(enum.IntEnum):
    STANDARD = 0
    INGRESS = 1
    EGRESS = 2
    SIP = 3
    AGENT = 4


@dataclass(frozen=True)
class Permission:
    """What a participant may do in its room.

    `can_publish_sources`, when not empty, supersedes `can_publish`: only those sources may be published.
    """

    can_subscribe: bool = True
    can_publish: bool = True
    can_publish_data: bool = True
    can_publish_sources: frozenset[TrackSource] = frozenset()
    can_update_metadata: bool = False
    hidden: bool = False
    recorder: bool = False

    def may_publish(self, source: TrackSource) -> bool:
        if self.can_publish_sources:
            return source in self.can_publish_sources
        return self.can_publish


@dataclass(frozen=True)
class Layer:
    """One simulcast encoding as the publisher announced it. quality: 0 low, 1 medium, 2 high; bitrate in bit/s."""

    quality: int
    width: int = 0
    height: int = 0
    bitrate: int = 0
    rid: str = ""
    ssrc: int = 0


@dataclass(frozen=True)
class TrackPermission:
    """A publisher's rule: this participant (by sid or identity) may subscribe to these tracks."""

    participant_sid: str = ""
    participant_identity: str = ""
    all_tracks: bool = False
    track_sids: frozenset[str] = frozenset()


@dataclass(frozen=True)
class RoomOptions:
    """Options of CreateRoom; `None` leaves the default (or, for an existing room, the present value)."""

    metadata: str | None = None
    empty_timeout_s: int | None = None
    departure_timeout_s: int | None = None
    max_participants: int | None = None
