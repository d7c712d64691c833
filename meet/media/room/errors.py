"""Failures of room operations."""

from __future__ import annotations


class RoomError(Exception):
    """Base; `str()` is fit for a client."""


class RoomNotFound(RoomError):
    def __init__(self, room: str) -> None:
        super().__init__("requested room does not exist")
        self.room = room


class ParticipantNotFound(RoomError):
    def __init__(self, identity: str) -> None:
        super().__init__("participant does not exist")
        self.identity = identity


class TrackNotFound(RoomError):
    def __init__(self, track_sid: str) -> None:
        super().__init__("track is not found")
        self.track_sid = track_sid


class NotAllowed(RoomError):
    """The participant's permission does not cover the request."""


class RoomFull(RoomError):
    def __init__(self) -> None:
        super().__init__("room is full")
