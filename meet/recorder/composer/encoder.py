"""Video encoders: H264 by x264, VP8 by libvpx, in three speeds that may follow each other in one stream."""

from __future__ import annotations

from typing import Final

import av
from av.codec.context import Flags
from av.video.codeccontext import VideoCodecContext

from meet.recorder.composer.profile import Profile

SPEEDS: Final = 3
"""0 is the one for every day, the others are cheaper and look worse."""

_CRF: Final = 23
_VP8_CRF: Final = 20
_BT709: Final = 1
_SMPTE170M: Final = 6
_LIMITED: Final = 1
_X264_PRESETS: Final = ("veryfast", "superfast", "ultrafast")
_VP8_CPU_USED: Final = ("8", "12", "16")


def video_options(profile: Profile, speed: int = 0) -> dict[str, str]:
    """The encoder's options: constant quality capped at the bit rate."""
    if profile.video_codec == "libvpx":
        return {
            "deadline": "realtime",
            "cpu-used": _VP8_CPU_USED[speed],
            "lag-in-frames": "0",
            "crf": str(_VP8_CRF),
            "g": str(_key_interval(profile)),
        }
    options = {
        "preset": _X264_PRESETS[speed],
        "profile": profile.h264_profile,
        "crf": str(_CRF),
        "maxrate": str(profile.video_bitrate),
        "bufsize": str(profile.video_bitrate * 2),
        "bf": "0",  # no B-frames: a fifth less CPU for the same picture
        "threads": "1",
        "g": str(_key_interval(profile)),
    }
    if speed == SPEEDS - 1 and profile.h264_profile != "baseline":
        # What ultrafast leaves out but the stream's parameter sets announce.
        eight = int(profile.h264_profile == "high")
        options["x264-params"] = f"cabac=1:weightp=1:ref=1:no-deblock=0:8x8dct={eight}"
    return options


def _key_interval(profile: Profile) -> int:
    return max(1, round(profile.keyframe_s * profile.fps))


def configure(context: VideoCodecContext, profile: Profile, speed: int = 0) -> None:
    """Set everything that is not an option."""
    context.width, context.height, context.pix_fmt = profile.width, profile.height, "yuv420p"
    context.time_base, context.framerate = 1 / profile.fps, profile.fps
    context.thread_count = 1
    options = video_options(profile, speed)
    if profile.video_codec == "libx264":
        # As MP4 has it, with lengths in front of the units: packets of an encoder can follow those of a file.
        options["x264-params"] = ":".join(part for part in (options.get("x264-params"), "annexb=0") if part)
    context.options = options
    if profile.video_codec == "libvpx":
        context.bit_rate = profile.video_bitrate
    # WebRTC cameras deliver BT.601; players assume BT.709 at this size unless told.
    context.color_range, context.colorspace = _LIMITED, _SMPTE170M
    context.color_primaries, context.color_trc = _BT709, _BT709


def successor(profile: Profile, speed: int, before: bytes | None) -> VideoCodecContext | None:
    """An encoder that goes on in a stream with the parameter sets `before`; None when its pictures would not fit."""
    context = av.CodecContext.create(profile.video_codec, "w")
    assert isinstance(context, VideoCodecContext)
    configure(context, profile, speed)
    context.flags |= Flags.global_header
    context.open()
    return context if context.extradata == before else None
