"""Recording layouts and encodings (contract 3.4)."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias, TypedDict, get_args

Layout: TypeAlias = Literal["grid", "speaker", "single-speaker"]
EncodingPreset: TypeAlias = Literal[
    "H264_720P_30",
    "H264_720P_60",
    "H264_1080P_30",
    "H264_1080P_60",
    "PORTRAIT_H264_720P_30",
    "PORTRAIT_H264_720P_60",
    "PORTRAIT_H264_1080P_30",
    "PORTRAIT_H264_1080P_60",
]
VideoCodec: TypeAlias = Literal["DEFAULT_VC", "H264_BASELINE", "H264_MAIN", "H264_HIGH", "VP8"]
AudioCodec: TypeAlias = Literal["DEFAULT_AC", "OPUS", "AAC", "AC_MP3"]


class VideoEncoding(TypedDict):
    """Video half of an options object: pixels, frames per second, kbit/s, seconds between key frames, bits."""

    width: float
    height: float
    framerate: float
    codec: VideoCodec
    bitrate: float
    keyFrameInterval: float
    depth: float


class AudioEncoding(TypedDict):
    """Audio half of an options object: kbit/s and Hz."""

    codec: AudioCodec
    bitrate: float
    frequency: float


class EncodingOptions(TypedDict):
    """A complete encoding; both halves are required."""

    video: VideoEncoding
    audio: AudioEncoding


Encoding: TypeAlias = EncodingPreset | EncodingOptions

LAYOUTS: Final[tuple[Layout, ...]] = get_args(Layout)
PRESETS: Final[tuple[EncodingPreset, ...]] = get_args(EncodingPreset)
DEFAULT_LAYOUT: Final[Layout] = "grid"
DEFAULT_ENCODING: Final[EncodingPreset] = "H264_720P_30"
