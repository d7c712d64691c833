"""EgressState <-> LiveKit's EgressInfo, RoomCompositeEgressRequest and ParticipantEgressRequest."""

from __future__ import annotations

import datetime
import re
from typing import Any, Final

from livekit.protocol import egress as api
from livekit.protocol import models as pb

from meet.media.twirp.egress_model import LAYOUTS, EgressRequest, EgressState, EgressStatus, ParticipantChoice
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
_MAX_KEY: Final = 900
_UNSAFE: Final = re.compile(r"[\x00-\x1f\x7f\\]")


def egress_info(state: EgressState) -> api.EgressInfo:
    """The state as the API and the webhooks show it; times and durations are nanoseconds there."""
    file = api.FileInfo(
        filename=state.request.key,
        started_at=_ns(state.started_at_ms),
        ended_at=_ns(state.ended_at_ms),
        duration=round((state.duration_s or 0) * 1e9),
        size=state.size or 0,
        location=state.request.key if state.status in ("complete", "limit_reached") else "",
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
    if state.request.participant is not None:
        info.participant.ParseFromString(state.request.original)
    else:
        info.room_composite.ParseFromString(state.request.original)
        info.room_composite.room_name = state.request.room_name
        info.room_composite.layout = state.layout
    # Older clients read the oneof instead of the list, as LiveKit still fills both.
    info.file.CopyFrom(file)
    return info


def egress_request(message: api.RoomCompositeEgressRequest, room_sid: str, now: datetime.datetime) -> EgressRequest:
    """What is to be recorded. Raises invalid_argument, or unimplemented for what this server cannot do."""
    if message.custom_base_url or message.audio_only or message.video_only:
        raise TwirpError("unimplemented", "custom templates, audio_only and video_only are not available")
    if (
        message.WhichOneof("output") in ("stream", "segments")
        or message.stream_outputs
        or message.segment_outputs
        or message.image_outputs
        or message.webhooks
    ):
        raise TwirpError("unimplemented", "only file outputs are available, without webhooks of their own")
    files = [*message.file_outputs, *([message.file] if message.WhichOneof("output") == "file" else [])]
    layout = check_layout(message.layout or "grid")
    return EgressRequest(
        room_name=message.room_name,
        room_sid=room_sid,
        layout=layout,
        encoding=_encoding(message),
        key=_key(_only(files), message.room_name, room_sid, now),
        original=message.SerializeToString(),
    )


def participant_request(message: api.ParticipantEgressRequest, room_sid: str, now: datetime.datetime) -> EgressRequest:
    """The same for one participant; its tracks fill the picture. Raises as `egress_request` does."""
    if not message.identity:
        raise TwirpError("invalid_argument", "identity is required")
    if message.stream_outputs or message.segment_outputs or message.image_outputs or message.webhooks:
        raise TwirpError("unimplemented", "only file outputs are available, without webhooks of their own")
    return EgressRequest(
        room_name=message.room_name,
        room_sid=room_sid,
        layout="grid",
        encoding=_encoding(message),
        key=_key(_only(list(message.file_outputs)), message.room_name, room_sid, now, message.identity),
        original=message.SerializeToString(),
        participant=ParticipantChoice(message.identity, message.screen_share),
    )


def _only(outputs: list[api.EncodedFileOutput]) -> api.EncodedFileOutput:
    if len(outputs) != 1:
        raise TwirpError("invalid_argument", "exactly one file output is required")
    return outputs[0]


def check_layout(layout: str) -> str:
    """The layout without LiveKit's theme suffix. Raises invalid_argument for an unknown one."""
    name = layout.removesuffix("-light").removesuffix("-dark")
    if name not in LAYOUTS:
        raise TwirpError("invalid_argument", f"layout must be one of {', '.join(LAYOUTS)}")
    return name


def _encoding(message: api.RoomCompositeEgressRequest | api.ParticipantEgressRequest) -> str | dict[str, Any]:
    """Preset name, or the options object of the recorder (bitrates in kbit/s, key frames in seconds)."""
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


def _key(output: api.EncodedFileOutput, room: str, room_sid: str, now: datetime.datetime, identity: str = "") -> str:
    """Storage key of the file: the path with LiveKit's placeholders filled in and `.mp4` added."""
    if output.WhichOneof("output") is not None:
        raise TwirpError("invalid_argument", "files go to this server's own storage; leave s3, gcp and azure out")
    if int(output.file_type) not in (api.EncodedFileType.DEFAULT_FILETYPE, api.EncodedFileType.MP4):
        raise TwirpError("unimplemented", "only MP4 files are available")
    path = output.filepath or ("{room_name}-{publisher_identity}-{time}" if identity else "{room_name}-{time}")
    fields = {
        "{room_name}": room.replace("/", "_"),
        "{room_id}": room_sid,
        "{publisher_identity}": identity.replace("/", "_"),
        "{time}": now.strftime("%Y-%m-%dT%H%M%S"),
    }
    for placeholder, value in fields.items():
        path = path.replace(placeholder, value)
    key = path if path.endswith(".mp4") else f"{path}.mp4"
    parts = key.split("/")
    if len(key.encode()) > _MAX_KEY or _UNSAFE.search(key) or any(part in ("", ".", "..") for part in parts):
        raise TwirpError("invalid_argument", "filepath must be a relative path without '..'")
    return key


def _ns(milliseconds: int | None) -> int:
    return (milliseconds or 0) * 1_000_000


def _enum(value: int) -> Any:
    """Protobuf enums are plain ints at run time, but the stubs say otherwise."""
    return int(value)
