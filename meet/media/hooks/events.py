"""Room and egress events as LiveKit WebhookEvent messages, taken at the moment they happen."""

from __future__ import annotations

import secrets
import time

from google.protobuf import json_format
from livekit.protocol import models as pb
from livekit.protocol import webhook

from meet.media.gateway import wire
from meet.media.room import (
    ParticipantJoined,
    ParticipantLeft,
    Room,
    RoomEvent,
    RoomFinished,
    RoomStarted,
    TrackPublished,
    TrackUnpublished,
)
from meet.media.twirp.egress_info import egress_info
from meet.media.twirp.egress_model import EgressEvent


def room_webhook(event: RoomEvent) -> webhook.WebhookEvent | None:
    """The message for a room event, or None for one that LiveKit has no webhook for."""
    if isinstance(event, RoomStarted):
        return webhook.WebhookEvent(event="room_started", room=wire.room_info(event.room))
    if isinstance(event, RoomFinished):
        return webhook.WebhookEvent(event="room_finished", room=wire.room_info(event.room))
    if isinstance(event, ParticipantJoined | ParticipantLeft):
        name = "participant_joined" if isinstance(event, ParticipantJoined) else "participant_left"
        member = wire.participant_info(event.participant)
        return webhook.WebhookEvent(event=name, room=_short(event.room), participant=member)
    if isinstance(event, TrackPublished | TrackUnpublished):
        name = "track_published" if isinstance(event, TrackPublished) else "track_unpublished"
        owner = pb.ParticipantInfo(
            sid=event.participant.sid, identity=event.participant.identity, name=event.participant.name
        )
        return webhook.WebhookEvent(
            event=name, room=_short(event.room), participant=owner, track=wire.track_info(event.track)
        )
    return None


def egress_webhook(event: EgressEvent) -> webhook.WebhookEvent:
    """The message for a transition of an egress; it keeps the transition's own id, so a repetition is known as one."""
    return webhook.WebhookEvent(event=event.name, id=event.event_id, egress_info=egress_info(event.state))


def encode(message: webhook.WebhookEvent) -> bytes:
    """Stamp id and time (unix seconds) where missing, and encode as protobuf-JSON, LiveKit's webhook body."""
    message.id = message.id or f"EV_{secrets.token_hex(6)}"
    message.created_at = message.created_at or int(time.time())
    return json_format.MessageToJson(message, indent=None).encode()


def _short(room: Room) -> pb.Room:
    """The room as participant and track events carry it; the metadata says whose it is (contract 5.6)."""
    return pb.Room(sid=room.sid, name=room.name, metadata=room.metadata, creation_time=room.created_at_ms // 1000)
