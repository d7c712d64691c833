"""Egress requests and infos of LiveKit, and the domain's Egress (contract 3.4, 4.1, 4.2)."""

from __future__ import annotations

from typing import Any, Final, cast

from livekit.protocol import egress as api
from livekit.protocol import models as pb

from meet.core.model.encoding import (
    DEFAULT_ENCODING,
    DEFAULT_LAYOUT,
    LAYOUTS,
    PRESETS,
    Encoding,
    EncodingOptions,
    Layout,
)
from meet.core.model.recording import Egress, RecordingStatus

_STATUS: Final[dict[int, RecordingStatus]] = {
    api.EgressStatus.EGRESS_STARTING: "starting",
    api.EgressStatus.EGRESS_ACTIVE: "active",
    api.EgressStatus.EGRESS_ENDING: "ending",
    api.EgressStatus.EGRESS_COMPLETE: "complete",
    api.EgressStatus.EGRESS_FAILED: "failed",
    api.EgressStatus.EGRESS_ABORTED: "aborted",
    api.EgressStatus.EGRESS_LIMIT_REACHED: "limit_reached",
}
_EXTENSION: Final = ".mp4"
_INT32_MAX: Final = 2**31 - 1


def composite_request(
    room: str, layout: Layout, encoding: Encoding, key: str, audio_only: bool = False
) -> api.RoomCompositeEgressRequest:
    """The request that records `room` to `key`; the path goes without extension, egress adds it."""
    output = api.EncodedFileOutput(filepath=key.removesuffix(_EXTENSION), disable_manifest=True)
    if audio_only:  # LiveKit would make an OGG of it, with another extension
        output.file_type = _enum(api.EncodedFileType.MP4)
    request = api.RoomCompositeEgressRequest(
        room_name=room, layout=layout, file_outputs=[output], audio_only=audio_only
    )
    if isinstance(encoding, str):
        request.preset = _enum(api.EncodingOptionsPreset.Value(encoding))
    else:
        request.advanced.CopyFrom(_advanced(encoding))
    return request


def _advanced(encoding: EncodingOptions) -> api.EncodingOptions:
    """Bitrates are kbit/s on both sides; a codec the protocol does not know becomes H264_MAIN or OPUS."""
    video, audio = encoding["video"], encoding["audio"]
    video_codecs, audio_codecs = dict(pb.VideoCodec.items()), dict(pb.AudioCodec.items())
    return api.EncodingOptions(
        width=_int32(video["width"]),
        height=_int32(video["height"]),
        depth=_int32(video["depth"]),
        framerate=_int32(video["framerate"]),
        video_codec=_enum(video_codecs.get(video["codec"], pb.VideoCodec.H264_MAIN)),
        video_bitrate=_int32(video["bitrate"]),
        key_frame_interval=video["keyFrameInterval"],
        audio_codec=_enum(audio_codecs.get(audio["codec"], pb.AudioCodec.OPUS)),
        audio_bitrate=_int32(audio["bitrate"]),
        audio_frequency=_int32(audio["frequency"]),
    )


def _int32(number: float) -> int:
    """What the protocol's field can hold; the recorder says what it makes of that.

    Never 0, which is no number there, but LiveKit's default; the contract's are all positive."""
    return min(max(round(number), 1), _INT32_MAX)


def is_recording(info: api.EgressInfo) -> bool:
    """A room composite into a file and nowhere else; other egress is not ours to show (contract 4.2)."""
    if info.WhichOneof("request") != "room_composite":
        return False
    composite = info.room_composite
    streams = info.stream_results or composite.stream_outputs or composite.WhichOneof("output") == "stream"
    return bool(_key(info)) and not streams


def to_egress(info: api.EgressInfo) -> Egress:
    """Nanoseconds become milliseconds and seconds; zeros and empty texts become None; an unknown status is `failed`."""
    composite = info.room_composite
    file = info.file_results[0] if info.file_results else info.file
    return Egress(
        egress_id=info.egress_id,
        room_name=info.room_name or composite.room_name,
        status=_STATUS.get(info.status, "failed"),
        layout=_layout(composite.layout),
        encoding=_encoding(composite),
        key=_key(info),
        started_at_ms=info.started_at // 1_000_000 or None,
        updated_at_ms=info.updated_at // 1_000_000 or None,
        ended_at_ms=info.ended_at // 1_000_000 or None,
        error=info.error or None,
        error_code=info.error_code or None,
        details=info.details or None,
        size=file.size or None,
        duration_s=file.duration / 1e9 or None,
        audio_only=composite.audio_only,
        store=_store(file),
    )


def _store(file: api.FileInfo) -> str | None:
    """What our own recorder says of where the file is (`storage.names`); LiveKit's says it in other ways."""
    if not file.location:
        return None
    if file.location == file.filename:
        return "fs"
    store = file.location.removesuffix(f"/{file.filename}")
    return store if store != file.location and store.startswith("s3://") else None


def _key(info: api.EgressInfo) -> str:
    file = info.file_results[0] if info.file_results else info.file
    if file.filename:
        return file.filename
    composite = info.room_composite
    path = composite.file_outputs[0].filepath if composite.file_outputs else composite.file.filepath
    return path if not path or path.endswith(_EXTENSION) else path + _EXTENSION


def _layout(name: str) -> Layout:
    plain = name.removesuffix("-light").removesuffix("-dark")
    return next((layout for layout in LAYOUTS if layout == plain), DEFAULT_LAYOUT)


def _encoding(composite: api.RoomCompositeEgressRequest) -> Encoding:
    if composite.WhichOneof("options") != "advanced":
        names: dict[int, str] = {number: name for name, number in api.EncodingOptionsPreset.items()}
        name = names.get(composite.preset, DEFAULT_ENCODING)
        return next((preset for preset in PRESETS if preset == name), DEFAULT_ENCODING)
    options = composite.advanced
    encoding: dict[str, Any] = {
        "video": {
            "width": options.width,
            "height": options.height,
            "framerate": options.framerate,
            "codec": _name(pb.VideoCodec.items(), options.video_codec, "H264_MAIN"),
            "bitrate": options.video_bitrate,
            "keyFrameInterval": options.key_frame_interval,
            "depth": options.depth,
        },
        "audio": {
            "codec": _name(pb.AudioCodec.items(), options.audio_codec, "OPUS"),
            "bitrate": options.audio_bitrate,
            "frequency": options.audio_frequency,
        },
    }
    return cast(EncodingOptions, encoding)


def _name(items: Any, number: int, default: str) -> str:
    return next((name for name, value in items if value == number), default)


def _enum(value: int) -> Any:
    """Protobuf enums are plain ints at run time, but the stubs say otherwise."""
    return int(value)
