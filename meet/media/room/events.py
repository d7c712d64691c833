"""What a registry tells its listeners. Listeners are called synchronously and must read what they need at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from meet.media.room.link import LeaveReason

if TYPE_CHECKING:
    from meet.media.room.participant import Participant
    from meet.media.room.publication import Publication
    from meet.media.room.room import Room


@dataclass(frozen=True)
class RoomEvent:
    """Base of all events."""

    room: Room


@dataclass(frozen=True)
class RoomStarted(RoomEvent):
    """The room was created, by the API or by the first participant."""


@dataclass(frozen=True)
class RoomUpdated(RoomEvent):
    """Metadata, timeouts or limit were changed."""


@dataclass(frozen=True)
class RoomFinished(RoomEvent):
    """The room is gone; its participants left before this event."""


@dataclass(frozen=True)
class ParticipantJoined(RoomEvent):
    """The participant's media transport is up (state ACTIVE). Hidden participants are reported too."""

    participant: Participant


@dataclass(frozen=True)
class ParticipantLeft(RoomEvent):
    """A participant that had been reported as joined is gone."""

    participant: Participant
    reason: LeaveReason


@dataclass(frozen=True)
class TrackPublished(RoomEvent):
    """First media of a publication arrived."""

    participant: Participant
    track: Publication


@dataclass(frozen=True)
class TrackUnpublished(RoomEvent):
    """A live publication ended."""

    participant: Participant
    track: Publication
