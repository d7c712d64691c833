"""Data tracks: named streams of small packets, lossy and unordered, that members subscribe to one by one."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from meet.media.room.errors import RoomError
from meet.media.room.model import ParticipantState, new_sid

if TYPE_CHECKING:
    from meet.media.room.participant import Participant
    from meet.media.room.room import Room

MAX_HANDLE = 0xFFFF
_MAX_TRACKS = 64
_MAX_NAME = 256


class DataTrackRefusal(enum.IntEnum):
    """Numbers of LiveKit's RequestResponse.Reason."""

    NOT_ALLOWED = 2
    LIMIT_EXCEEDED = 3
    INVALID_HANDLE = 7
    INVALID_NAME = 8
    DUPLICATE_HANDLE = 9
    DUPLICATE_NAME = 10


class DataTrackRefused(RoomError):
    def __init__(self, reason: DataTrackRefusal, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(eq=False)
class DataTrack:
    """handle: the publisher's number for it, in every packet. info: what the gateway tells clients, opaque here."""

    owner: Participant
    handle: int
    name: str
    info: object | None = field(default=None, repr=False)
    sid: str = field(default_factory=lambda: new_sid("DTR_"))

    @property
    def current(self) -> bool:
        """Still published."""
        return self.owner.state is not ParticipantState.DISCONNECTED and self.owner.data_tracks.get(self.handle) is self


def publish(room: Room, track: DataTrack) -> None:
    """Show the track to everybody. Raises DataTrackRefused."""
    owner, others = track.owner, track.owner.data_tracks.values()
    if owner.hidden or not owner.permission.can_publish_data:
        raise DataTrackRefused(DataTrackRefusal.NOT_ALLOWED, "participant is not allowed to publish data")
    if not 1 <= track.handle <= MAX_HANDLE:
        raise DataTrackRefused(DataTrackRefusal.INVALID_HANDLE, "handles are 1 to 65535")
    if not 1 <= len(track.name) <= _MAX_NAME:
        raise DataTrackRefused(DataTrackRefusal.INVALID_NAME, f"names have 1 to {_MAX_NAME} characters")
    if track.handle in owner.data_tracks:
        raise DataTrackRefused(DataTrackRefusal.DUPLICATE_HANDLE, "the handle is in use")
    if any(other.name == track.name for other in others):
        raise DataTrackRefused(DataTrackRefusal.DUPLICATE_NAME, "a data track with this name is published")
    if len(others) >= _MAX_TRACKS:
        raise DataTrackRefused(DataTrackRefusal.LIMIT_EXCEEDED, "too many data tracks")
    owner.data_tracks[track.handle] = track
    room.announce(owner)


def unpublish(room: Room, owner: Participant, handle: int) -> DataTrack:
    """Take the track back. Raises DataTrackRefused when there is none with this handle."""
    track = owner.data_tracks.pop(handle, None)
    if track is None:
        raise DataTrackRefused(DataTrackRefusal.INVALID_HANDLE, "no data track with this handle")
    room.announce(owner)
    return track


def permitted(subscriber: Participant, track: DataTrack) -> bool:
    """May this member receive it now?"""
    return (
        track.current
        and track.owner is not subscriber
        and subscriber.permission.can_subscribe
        and track.owner.allows_subscription(subscriber, track.sid)
    )


def by_sid(room: Room) -> dict[str, DataTrack]:
    """All published tracks."""
    return {t.sid: t for p in room.participants.values() for t in p.data_tracks.values()}
