"""How recordings are encoded."""

from __future__ import annotations

from typing import Literal, TypeAlias

from meet.client.models.base import Model, Number

Layout: TypeAlias = Literal["grid", "speaker", "single-speaker"] | str

EncodingPreset: TypeAlias = (
    Literal[
        "H264_720P_30",
        "H264_720P_60",
        "H264_1080P_30",
        "H264_1080P_60",
        "PORTRAIT_H264_720P_30",
        "PORTRAIT_H264_720P_60",
        "PORTRAIT_H264_1080P_30",
        "PORTRAIT_H264_1080P_60",
    ]
    | str
)


class VideoEncoding(Model):
    """Size in pixels, bitrate in kilobits per second, key frame interval in seconds, depth in bits per pixel."""

    width: Number
    height: Number
    framerate: Number
    codec: Literal["DEFAULT_VC", "H264_BASELINE", "H264_MAIN", "H264_HIGH", "VP8"] | str
    bitrate: Number
    key_frame_interval: Number
    depth: Number


class AudioEncoding(Model):
    """Bitrate in kilobits per second, frequency in samples per second."""

    codec: Literal["DEFAULT_AC", "OPUS", "AAC", "AC_MP3"] | str
    bitrate: Number
    frequency: Number


class EncodingOptions(Model):
    """An encoding with every option spelled out."""

    video: VideoEncoding
    audio: AudioEncoding


Encoding: TypeAlias = EncodingPreset | EncodingOptions
