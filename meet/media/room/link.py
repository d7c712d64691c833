"""The room's view of a participant's connection: a set of intents the gateway carries out."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from meet.media.room.participant import Participant
    from meet.media.room.publication import Publication
    from meet.media.room.room import Room


class LeaveReason(enum.IntEnum):
    """Numbers of LiveKit's DisconnectReason."""

    UNKNOWN_REASON = 0
    CLIENT_INITIATED = 1
    DUPLICATE_IDENTITY = 2
    SERVER_SHUTDOWN = 3
    PARTICIPANT_REMOVED = 4
    ROOM_DELETED = 5
    STATE_MISMATCH = 6
    JOIN_FAILURE = 7
    MIGRATION = 8
    SIGNAL_CLOSE = 9
    ROOM_CLOSED = 10
    CONNECTION_TIMEOUT = 14
    MEDIA_FAILURE = 15


class LeaveAction(enum.IntEnum):
    """What the client shall do after a leave: stop, resume, or join afresh."""

    DISCONNECT = 0
    RESUME = 1
    RECONNECT = 2


@dataclass(frozen=True)
class SpeakerLevel:
    """level: 0 (silence) to 1."""

    sid: str
    level: float
    active: bool


class ParticipantLink(Protocol):
    """Intents towards one client. No method blocks or raises; a closed link ignores them."""

    def participants_changed(self, participants: Sequence[Participant]) -> None: ...

    def subscribe(self, publication: Publication) -> None:
        """Start forwarding this live publication (idempotent). The room has checked the permissions."""

    def unsubscribe(self, publication: Publication) -> None:
        """Stop forwarding it (idempotent)."""

    def subscription_allowed(self, publication: Publication, allowed: bool) -> None:
        """Tell the client that a publisher granted or withdrew a track."""

    def unpublished(self, publication: Publication) -> None:
        """The room ended this client's own publication; stop receiving it."""

    def mute_requested(self, publication: Publication) -> None: ...

    def rights_changed(self) -> None:
        """Name, metadata, attributes or permission of this client were changed from outside."""

    def room_changed(self, room: Room) -> None: ...

    def speakers_changed(self, speakers: Sequence[SpeakerLevel]) -> None: ...

    def deliver_packet(self, packet: bytes, *, reliable: bool) -> None:
        """Pass on an already encoded data packet of another participant."""

    def deliver_data(self, payload: bytes, *, topic: str, reliable: bool) -> None:
        """Send user data that comes from the server."""

    def closed(self, reason: LeaveReason, action: LeaveAction) -> None:
        """The participant is out of the room: say leave with this reason and tear the connection down."""
