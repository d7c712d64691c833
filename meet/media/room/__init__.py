"""Rooms, participants, publications and who may do what. No sockets, no SDP, no protobuf.

`RoomRegistry` is the door: it creates, finds, deletes and expires rooms and tells listeners about every change as a
`RoomEvent`. A participant's connection (signalling and media) is seen only as a `ParticipantLink`, so everything here
runs in unit tests with a fake clock.
"""

from meet.media.room.errors import (
    NotAllowed,
    ParticipantNotFound,
    RoomError,
    RoomFull,
    RoomNotFound,
    TrackNotFound,
)
from meet.media.room.events import (
    ParticipantJoined,
    ParticipantLeft,
    RoomEvent,
    RoomFinished,
    RoomStarted,
    RoomUpdated,
    TrackPublished,
    TrackUnpublished,
)
from meet.media.room.keeper import RoomKeeper
from meet.media.room.link import LeaveAction, LeaveReason, ParticipantLink, SpeakerLevel
from meet.media.room.model import (
    Layer,
    ParticipantKind,
    ParticipantState,
    Permission,
    RoomOptions,
    TrackKind,
    TrackPermission,
    TrackSource,
)
from meet.media.room.participant import Participant
from meet.media.room.publication import Publication
from meet.media.room.registry import RoomRegistry
from meet.media.room.room import Room

__all__ = [
    "Layer",
    "LeaveAction",
    "LeaveReason",
    "NotAllowed",
    "Participant",
    "ParticipantJoined",
    "ParticipantKind",
    "ParticipantLeft",
    "ParticipantLink",
    "ParticipantNotFound",
    "ParticipantState",
    "Permission",
    "Publication",
    "Room",
    "RoomError",
    "RoomEvent",
    "RoomFinished",
    "RoomFull",
    "RoomKeeper",
    "RoomNotFound",
    "RoomOptions",
    "RoomRegistry",
    "RoomStarted",
    "RoomUpdated",
    "SpeakerLevel",
    "TrackKind",
    "TrackNotFound",
    "TrackPermission",
    "TrackPublished",
    "TrackSource",
    "TrackUnpublished",
]
