"""TrackEgressRequest and TrackCompositeEgressRequest: tracks of a room, chosen by sid."""

from __future__ import annotations

import datetime
from typing import Final

from livekit.protocol import egress as api

from meet.media.room import Publication, Room, TrackKind
from meet.media.twirp.egress_info import encoding, file_outputs, manifest, only
from meet.media.twirp.egress_model import EgressRequest, Only, TrackChoice
from meet.media.twirp.egress_paths import check_own_storage, composed_file, named, storage_key
from meet.media.twirp.errors import TwirpError

_ENDINGS: Final = {
    "video/h264": ".mp4",
    "video/vp8": ".webm",
    "video/vp9": ".webm",
    "video/av1": ".webm",
    "audio/opus": ".ogg",
    "audio/red": ".ogg",
}
"""RED is taken off on the way in, so what is left of it is Opus."""
_FULL_SIZE: Final = "H264_1080P_30"
"""Nothing is encoded; it tells the recorder which simulcast layer is wanted."""


def track_request(message: api.TrackEgressRequest, room: Room, now: datetime.datetime) -> EgressRequest:
    """One track, as it comes. Raises invalid_argument, not_found, or unimplemented for what this server cannot do."""
    if message.WhichOneof("output") == "websocket_url":
        raise TwirpError("unimplemented", "only file outputs are available, no websockets")
    if message.WhichOneof("output") is None:
        raise TwirpError("invalid_argument", "a file output is required")
    if message.webhooks:
        raise TwirpError("unimplemented", "webhooks of its own are not available for an egress")
    track = _published(room, message.track_id)
    ending = _ENDINGS.get(track.mime_type.lower())
    if ending is None:
        raise TwirpError("unimplemented", f"{track.mime_type or 'an unknown codec'} cannot be written as it is")
    check_own_storage(message.file)
    is_video = track.kind is TrackKind.VIDEO
    return EgressRequest(
        room_name=room.name,
        room_sid=room.sid,
        layout="single-speaker",
        encoding=_FULL_SIZE,
        key=storage_key(named(message.file.filepath, "{track_id}-{time}"), ending, now, **_fields(room, track)),
        original=message.SerializeToString(),
        compose="after",  # the journal has all that is needed: the file is copied from it in the end
        tracks=TrackChoice(video=track.sid if is_video else "", audio="" if is_video else track.sid, direct=True),
        manifest=manifest(
            message.file,
            room_name=room.name,
            room_id=room.sid,
            publisher_identity=track.owner.identity,
            track_id=track.sid,
            track_kind=track.kind.media,
            track_source=track.source.name.lower(),
        ),
    )


def track_composite_request(
    message: api.TrackCompositeEgressRequest, room: Room, now: datetime.datetime
) -> EgressRequest:
    """Picture and sound as one file, or one of them alone. Raises as `track_request` does."""
    files = file_outputs(message)
    audio = _published(room, message.audio_track_id, TrackKind.AUDIO) if message.audio_track_id else None
    video = None
    if audio is None or message.video_track_id:
        video = _published(room, message.video_track_id, TrackKind.VIDEO)
    first = video or audio
    assert first is not None
    part: Only | None = "audio" if video is None else "video" if audio is None else None
    options = encoding(message)
    fields = _fields(room, first)
    key, container = composed_file(only(files), "{room_name}-{time}", now, part=part, encoding=options, **fields)
    return EgressRequest(
        room_name=room.name,
        room_sid=room.sid,
        layout="single-speaker",
        encoding=options,
        key=key,
        original=message.SerializeToString(),
        tracks=TrackChoice(video.sid if video is not None else "", audio.sid if audio is not None else ""),
        only=part,
        container=container,
        manifest=manifest(
            only(files),
            room_name=room.name,
            room_id=room.sid,
            audio_track_id=message.audio_track_id,
            video_track_id=message.video_track_id,
        ),
    )


def _published(room: Room, sid: str, kind: TrackKind | None = None) -> Publication:
    """LiveKit waits for a track to come; here it must be there, or the file's kind could not be told."""
    if not sid:
        raise TwirpError("invalid_argument", "a track id is required")
    for participant in room.participants.values():
        track = participant.tracks.get(sid)
        if track is not None:
            if kind is not None and track.kind is not kind:
                raise TwirpError("invalid_argument", f"track {sid} is no {kind.media} track")
            return track
    raise TwirpError("not_found", f"track {sid} does not exist in this room")


def _fields(room: Room, track: Publication) -> dict[str, str]:
    return {
        "room_name": room.name,
        "room_id": room.sid,
        "publisher_identity": track.owner.identity,
        "track_id": track.sid,
        "track_type": track.kind.media,
        "track_source": track.source.name.lower(),
    }
