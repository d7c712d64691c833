"""What a recording is encoded to: contract 3.4's presets and options object as one value."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final


class EncodingUnsupported(Exception):
    """This encoding is not built in. `str()` says what and is fit for the user."""


@dataclass(frozen=True)
class Profile:
    """Sizes in pixels (even), bit rates in bit/s (video: the cap of a constant-quality encode), rates in Hz.

    Codecs are encoder names. H264 goes into MP4 with any sound, VP8 with Opus into WebM.
    """

    width: int
    height: int
    fps: Fraction
    video_bitrate: int
    video_codec: str = "libx264"
    h264_profile: str = "main"
    keyframe_s: Fraction = Fraction(2)
    audio_codec: str = "aac"
    audio_bitrate: int = 128_000
    audio_rate: int = 48_000

    @property
    def container(self) -> str:
        """Format of the file: the one that Chromium, Firefox and WebKit all play with these codecs."""
        return "webm" if self.video_codec == "libvpx" else "mp4"

    @property
    def content_type(self) -> str:
        """Media type of the file."""
        return f"video/{self.container}"

    @staticmethod
    def of(encoding: str | dict[str, Any]) -> Profile:
        """The profile of a preset name or an options object (bit rates in kbps). Raises EncodingUnsupported."""
        return _preset(encoding) if isinstance(encoding, str) else _options(encoding)


_SIZES: Final = {"720P": (1280, 720), "1080P": (1920, 1080)}
_KBPS: Final = {("720P", 30): 3000, ("720P", 60): 4500, ("1080P", 30): 4500, ("1080P", 60): 6000}


def _presets() -> dict[str, Profile]:
    presets = {}
    for (size, fps), kbps in _KBPS.items():
        width, height = _SIZES[size]
        presets[f"H264_{size}_{fps}"] = Profile(width, height, Fraction(fps), kbps * 1000)
        presets[f"PORTRAIT_H264_{size}_{fps}"] = Profile(height, width, Fraction(fps), kbps * 1000)
    return presets


PRESETS: Final = _presets()
_H264: Final = {"DEFAULT_VC": "main", "H264_BASELINE": "baseline", "H264_MAIN": "main", "H264_HIGH": "high"}
_AUDIO: Final = {"DEFAULT_AC": "aac", "AAC": "aac", "OPUS": "libopus", "AC_MP3": "libmp3lame"}
_RATES: Final[dict[str, tuple[int, ...]]] = {
    "aac": (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000),
    "libopus": (8000, 12000, 16000, 24000, 48000),
    "libmp3lame": (16000, 22050, 24000, 32000, 44100, 48000),
}
_MAX_SIDE: Final = 4096
_MAX_FPS: Final = 120


def _nearest(rate: int, rates: tuple[int, ...]) -> int:
    """The codec's next higher rate (Opus has no 44.1 kHz, so it becomes 48), or its highest."""
    return next((possible for possible in rates if possible >= rate), rates[-1])


def _preset(name: str) -> Profile:
    try:
        return PRESETS[name]
    except KeyError:
        raise EncodingUnsupported(f"unknown encoding preset {name!r}") from None


def _options(encoding: dict[str, Any]) -> Profile:
    try:
        video, audio = encoding["video"], encoding["audio"]
        codec, sound = str(video["codec"]), str(audio["codec"])
        width, height = int(video["width"]), int(video["height"])
        fps = Fraction(str(video["framerate"])).limit_denominator(1001)
        video_bitrate, audio_bitrate = int(video["bitrate"] * 1000), int(audio["bitrate"] * 1000)
        keyframe_s = Fraction(str(video["keyFrameInterval"])).limit_denominator(1000)
        rate = int(audio["frequency"])
    except (KeyError, TypeError, ValueError) as error:
        raise EncodingUnsupported(f"incomplete encoding options ({error})") from None
    if codec != "VP8" and codec not in _H264:
        raise EncodingUnsupported(f"video codec {codec} is not supported: choose H264 or VP8")
    if sound not in _AUDIO:
        raise EncodingUnsupported(f"audio codec {sound} is not supported: choose AAC, OPUS or AC_MP3")
    if not (16 <= width <= _MAX_SIDE and 16 <= height <= _MAX_SIDE):
        raise EncodingUnsupported(f"a picture of {width}x{height} is not supported")
    if not 1 <= fps <= _MAX_FPS:
        raise EncodingUnsupported(f"{float(fps):g} frames per second are not supported")
    # No container with VP8 and AAC or MP3 plays everywhere.
    encoder = "libopus" if codec == "VP8" else _AUDIO[sound]
    return Profile(
        width=width & ~1,
        height=height & ~1,
        fps=fps,
        video_bitrate=max(video_bitrate, 50_000),
        video_codec="libvpx" if codec == "VP8" else "libx264",
        h264_profile=_H264.get(codec, "main"),
        keyframe_s=max(keyframe_s, 1 / fps),
        audio_codec=encoder,
        audio_bitrate=max(audio_bitrate, 8_000),
        audio_rate=_nearest(rate, _RATES[encoder]),
    )
