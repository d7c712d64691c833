"""What a recording is encoded to: contract 3.4's presets and options object as one value."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Final


class EncodingUnsupported(Exception):
    """This encoding is not built in. `str()` says what and is fit for the user."""


@dataclass(frozen=True)
class Profile:
    """Sizes in pixels (even), bit rates in bit/s (video: the cap of a constant-quality encode), rates in Hz.

    Codecs are encoder names. H264 goes into MP4 with any sound, VP8 with Opus into WebM, also where only one of both is
    made. Without `picture` there is no video at all, and the frame rate is only that at which time goes on.
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
    picture: bool = True
    sound: bool = True
    ogg: bool = False

    @property
    def container(self) -> str:
        """Format of the file: the one that Chromium, Firefox and WebKit all play with these codecs, or Ogg."""
        if self.ogg:
            return "ogg"
        return "webm" if self.video_codec == "libvpx" else "mp4"

    @property
    def content_type(self) -> str:
        """Media type of the file."""
        return f"{'video' if self.picture else 'audio'}/{self.container}"

    @property
    def ending(self) -> str:
        """What the name of such a file ends in, with the dot."""
        return ".m4a" if self.content_type == "audio/mp4" else f".{self.container}"

    @staticmethod
    def of(encoding: str | dict[str, Any], only: str | None = None, container: str | None = None) -> Profile:
        """The profile of a preset name or an options object (bit rates in kbps).

        only: "audio" or "video" leaves the other out. container: "ogg" puts sound alone into Ogg, as Opus. Raises
        EncodingUnsupported."""
        profile = _preset(encoding) if isinstance(encoding, str) else _options(encoding)
        profile = replace(profile, picture=only != "audio", sound=only != "video")
        if container != "ogg":
            return profile
        if profile.picture:
            raise EncodingUnsupported("an Ogg file holds sound alone")
        return replace(profile, ogg=True, audio_codec="libopus", audio_rate=_nearest(profile.audio_rate, _OPUS))


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
_OPUS: Final = (8000, 12000, 16000, 24000, 48000)
_RATES: Final[dict[str, tuple[int, ...]]] = {
    "aac": (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000),
    "libopus": _OPUS,
    "libmp3lame": (16000, 22050, 24000, 32000, 44100, 48000),
}
_MAX_SIDE: Final = 4096
_MAX_FPS: Final = 120
_MAX_VIDEO: Final = 800_000_000
"""What the highest H264 level allows (H.264 table A-1, 6.2), and twice of it fits into the encoder's buffer."""
_MAX_AUDIO: Final = 512_000
"""libopus refuses more; AAC and MP3 take as much as they can use."""
_MAX_KEY_S: Final = Fraction(3600)


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
    except (KeyError, TypeError, ValueError, OverflowError) as error:
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
        video_bitrate=min(max(video_bitrate, 50_000), _MAX_VIDEO),
        video_codec="libvpx" if codec == "VP8" else "libx264",
        h264_profile=_H264.get(codec, "main"),
        keyframe_s=min(max(keyframe_s, 1 / fps), _MAX_KEY_S),
        audio_codec=encoder,
        audio_bitrate=min(max(audio_bitrate, 8_000), _MAX_AUDIO),
        audio_rate=_nearest(rate, _RATES[encoder]),
    )
