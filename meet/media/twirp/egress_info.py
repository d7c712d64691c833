"""EgressState <-> LiveKit's EgressInfo, and the requests for rooms and participants. Tracks: `egress_tracks`."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any, Final

from livekit.protocol import egress as api
from livekit.protocol import models as pb

from meet.media.twirp.egress_model import LAYOUTS, EgressRequest, EgressState, EgressStatus, Only, ParticipantChoice
from meet.media.twirp.egress_paths import composed_file
from meet.media.twirp.errors import TwirpError

_STATUS: Final[dict[EgressStatus, int]] = {
    "starting": api.EgressStatus.EGRESS_STARTING,
    "active": api.EgressStatus.EGRESS_ACTIVE,
    "ending": api.EgressStatus.EGRESS_ENDING,
    "complete": api.EgressStatus.EGRESS_COMPLETE,
    "failed": api.EgressStatus.EGRESS_FAILED,
    "aborted": api.EgressStatus.EGRESS_ABORTED,
    "limit_reached": api.EgressStatus.EGRESS_LIMIT_REACHED,
}


def egress_info(state: EgressState) -> api.EgressInfo:
    """The state as the API and the webhooks show it; times and durations are nanoseconds there."""
    file = api.FileInfo(
        filename=state.request.key,
        started_at=_ns(state.started_at_ms),
        ended_at=_ns(state.ended_at_ms),
        duration=round((state.duration_s or 0) * 1e9),
        size=state.size or 0,
        location=_location(state) if state.status in ("complete", "limit_reached") else "",
    )
    info = api.EgressInfo(
        egress_id=state.egress_id,
        room_id=state.request.room_sid,
        room_name=state.request.room_name,
        source_type=_enum(api.EgressSourceType.EGRESS_SOURCE_TYPE_SDK),
        status=_enum(_STATUS[state.status]),
        started_at=_ns(state.started_at_ms),
        updated_at=_ns(state.updated_at_ms),
        ended_at=_ns(state.ended_at_ms),
        file_results=[file],
        error=state.error or "",
        error_code=state.error_code or 0,
        details=state.details or "",
    )
    if state.request.manifest is not None and file.location:
        info.manifest_location = state.request.manifest_key(state.egress_id)
    tracks = state.request.tracks
    if state.request.participant is not None:
        info.participant.ParseFromString(state.request.original)
    elif tracks is not None and tracks.direct:
        info.track.ParseFromString(state.request.original)
    elif tracks is not None:
        info.track_composite.ParseFromString(state.request.original)
    else:
        info.room_composite.ParseFromString(state.request.original)
        info.room_composite.room_name = state.request.room_name
        info.room_composite.layout = state.layout
    # Older clients read the oneof instead of the list, as LiveKit still fills both.
    info.file.CopyFrom(file)
    return info


def _location(state: EgressState) -> str:
    """Where the file is: its key in the storage folder, its address in a bucket."""
    in_bucket = state.store is not None and "://" in state.store
    return f"{state.store}/{state.request.key}" if in_bucket else state.request.key


def egress_request(message: api.RoomCompositeEgressRequest, room_sid: str, now: datetime.datetime) -> EgressRequest:
    """What is to be recorded. Raises invalid_argument, or unimplemented for what this server cannot do."""
    if message.custom_base_url or message.audio_mixing != api.AudioMixing.DEFAULT_MIXING:
        raise TwirpError("unimplemented", "custom templates and other mixing than the sum of all are not available")
    if message.audio_only and message.video_only:
        raise TwirpError("invalid_argument", "audio_only and video_only leave nothing to record")
    files = file_outputs(message)
    layout = check_layout(message.layout or "grid")
    part: Only | None = "audio" if message.audio_only else "video" if message.video_only else None
    options = encoding(message)
    fields = {"room_name": message.room_name, "room_id": room_sid}
    key, container = composed_file(only(files), "{room_name}-{time}", now, part=part, encoding=options, **fields)
    return EgressRequest(
        room_name=message.room_name,
        room_sid=room_sid,
        layout=layout,
        encoding=options,
        key=key,
        original=message.SerializeToString(),
        only=part,
        container=container,
        manifest=manifest(only(files), room_name=message.room_name, room_id=room_sid),
    )


def participant_request(message: api.ParticipantEgressRequest, room_sid: str, now: datetime.datetime) -> EgressRequest:
    """The same for one participant; its tracks fill the picture. Raises as `egress_request` does."""
    if not message.identity:
        raise TwirpError("invalid_argument", "identity is required")
    files = file_outputs(message)
    options = encoding(message)
    key, _ = composed_file(
        only(files),
        "{room_name}-{publisher_identity}-{time}",
        now,
        part=None,
        encoding=options,
        room_name=message.room_name,
        room_id=room_sid,
        publisher_identity=message.identity,
    )
    return EgressRequest(
        room_name=message.room_name,
        room_sid=room_sid,
        layout="grid",
        encoding=options,
        key=key,
        original=message.SerializeToString(),
        participant=ParticipantChoice(message.identity, message.screen_share),
        manifest=manifest(
            only(files), room_name=message.room_name, room_id=room_sid, publisher_identity=message.identity
        ),
    )


def file_outputs(
    message: api.RoomCompositeEgressRequest | api.ParticipantEgressRequest | api.TrackCompositeEgressRequest,
) -> list[api.EncodedFileOutput]:
    """The files that are wanted. Raises unimplemented when anything else is."""
    files = list(message.file_outputs)
    other = bool(message.stream_outputs or message.segment_outputs or message.image_outputs)
    # Requests for a participant are newer than the oneof of a single output, and have none.
    if not isinstance(message, api.ParticipantEgressRequest):
        single = message.WhichOneof("output")
        other = other or single in ("stream", "segments")
        if single == "file":
            files.append(message.file)
    if other or message.webhooks:
        raise TwirpError("unimplemented", "only file outputs are available, without webhooks of their own")
    return files


def manifest(output: api.EncodedFileOutput | api.DirectFileOutput, **content: str) -> dict[str, str] | None:
    """What LiveKit's manifest says of an egress before it begins; None where none is wanted."""
    return None if output.disable_manifest else {name: text for name, text in content.items() if text}


def only(outputs: Sequence[api.EncodedFileOutput]) -> api.EncodedFileOutput:
    """The one output. Raises invalid_argument for none and for several."""
    if len(outputs) != 1:
        raise TwirpError("invalid_argument", "exactly one file output is required")
    return outputs[0]


def check_layout(layout: str) -> str:
    """The layout without LiveKit's theme suffix. Raises invalid_argument for an unknown one."""
    name = layout.removesuffix("-light").removesuffix("-dark")
    if name not in LAYOUTS:
        raise TwirpError("invalid_argument", f"layout must be one of {', '.join(LAYOUTS)}")
    return name


def encoding(
    message: api.RoomCompositeEgressRequest | api.ParticipantEgressRequest | api.TrackCompositeEgressRequest,
) -> str | dict[str, Any]:
    """Preset name, or the options object of the recorder (bitrates in kbit/s, key frames in seconds).

    Raises invalid_argument for what is out of range or unknown."""
    if message.WhichOneof("options") != "advanced":
        if int(message.preset) > int(api.EncodingOptionsPreset.PORTRAIT_H264_1080P_60):
            raise TwirpError("invalid_argument", "unknown encoding preset")
        return api.EncodingOptionsPreset.Name(message.preset)
    options = message.advanced
    if min(options.width, options.height, options.framerate) < 0 or max(options.width, options.height) > 7680:
        raise TwirpError("invalid_argument", "width, height and framerate are out of range")
    try:
        video_codec, audio_codec = pb.VideoCodec.Name(options.video_codec), pb.AudioCodec.Name(options.audio_codec)
    except ValueError:
        raise TwirpError("invalid_argument", "unknown codec") from None
    # Zero means "the server's default" in LiveKit; these are LiveKit's defaults.
    return {
        "video": {
            "width": options.width or 1920,
            "height": options.height or 1080,
            "framerate": options.framerate or 30,
            "codec": video_codec,
            "bitrate": options.video_bitrate or 4500,
            "keyFrameInterval": options.key_frame_interval or 4,
            "depth": options.depth or 24,
        },
        "audio": {
            "codec": audio_codec,
            "bitrate": options.audio_bitrate or 128,
            "frequency": options.audio_frequency or 44100,
        },
    }


def _ns(milliseconds: int | None) -> int:
    return (milliseconds or 0) * 1_000_000


def _enum(value: int) -> Any:
    """Protobuf enums are plain ints at run time, but the stubs say otherwise."""
    return int(value)
