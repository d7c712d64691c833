"""Which room a call of the server API is about. What cannot be read goes to any worker: it has the right refusal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from google.protobuf import json_format
from google.protobuf.message import DecodeError, Message
from google.protobuf.struct_pb2 import Struct
from livekit.protocol import egress, room

from meet.media.twirp.codec import JSON, PROTOBUF

LIST_ROOMS: Final = "/twirp/livekit.RoomService/ListRooms"
CREATE_ROOM: Final = "/twirp/livekit.RoomService/CreateRoom"

Body = type[Message]

_ROOM: Final = "/twirp/livekit.RoomService/"
_EGRESS: Final = "/twirp/livekit.Egress/"


def _field(name: str) -> Callable[[Any], str]:
    return lambda message: str(getattr(message, name))


def _nested(message: Any) -> str:
    """Our own start has LiveKit's request inside, in either spelling."""
    request = json_format.MessageToDict(message).get("request")
    found = (request.get("roomName") or request.get("room_name")) if isinstance(request, dict) else None
    return found if isinstance(found, str) else ""


_ABOUT: Final[dict[str, tuple[Body, Callable[[Any], str]]]] = {
    CREATE_ROOM: (room.CreateRoomRequest, _field("name")),
    f"{_ROOM}DeleteRoom": (room.DeleteRoomRequest, _field("room")),
    f"{_ROOM}UpdateRoomMetadata": (room.UpdateRoomMetadataRequest, _field("room")),
    f"{_ROOM}ListParticipants": (room.ListParticipantsRequest, _field("room")),
    f"{_ROOM}GetParticipant": (room.RoomParticipantIdentity, _field("room")),
    f"{_ROOM}RemoveParticipant": (room.RoomParticipantIdentity, _field("room")),
    f"{_ROOM}UpdateParticipant": (room.UpdateParticipantRequest, _field("room")),
    f"{_ROOM}MutePublishedTrack": (room.MuteRoomTrackRequest, _field("room")),
    f"{_ROOM}UpdateSubscriptions": (room.UpdateSubscriptionsRequest, _field("room")),
    f"{_ROOM}SendData": (room.SendDataRequest, _field("room")),
    f"{_EGRESS}StartRoomCompositeEgress": (egress.RoomCompositeEgressRequest, _field("room_name")),
    f"{_EGRESS}StartParticipantEgress": (egress.ParticipantEgressRequest, _field("room_name")),
    f"{_EGRESS}StartTrackCompositeEgress": (egress.TrackCompositeEgressRequest, _field("room_name")),
    f"{_EGRESS}StartTrackEgress": (egress.TrackEgressRequest, _field("room_name")),
    "/twirp/meet.Egress/StartRoomCompositeEgress": (Struct, _nested),
}
"""Calls by egress id are in no table: every worker asks the one egress control, which is in the front."""


def room_of(path: str, content_type: str, body: bytes) -> str | None:
    """The name of the room, None when there is none to be read."""
    about = _ABOUT.get(path)
    if about is None:
        return None
    message = about[0]()
    try:
        if content_type == PROTOBUF:
            message.ParseFromString(body)
        elif content_type == JSON:
            json_format.Parse(
                body.decode().strip() or "{}", message, ignore_unknown_fields=True, max_recursion_depth=16
            )
        else:
            return None
    except (DecodeError, json_format.Error, UnicodeDecodeError, RecursionError):
        return None
    return about[1](message) or None
