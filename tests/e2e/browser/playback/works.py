"""Short recordings in every encoding that the recorder makes, and tracks in every codec that it takes out."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import numpy as np

from meet.recorder.composer.compose import compose
from meet.recorder.composer.profile import Profile
from meet.recorder.tracks.export import export
from meet.recorder.tracks.extract import extract
from tests.unit.recorder import synthetic
from tests.unit.recorder.synthetic import Coded, Source, meeting

SECONDS: Final = 5.0
_LOOK_FROM_S: Final = 2.5


@dataclass(frozen=True)
class Work:
    """One file. name: as the documentation has it. width, height: of its last picture, 0 if it has none.

    white_s: when its picture flashes for 0.1 s; brighter: by how much of 255."""

    name: str
    path: Path
    width: int
    height: int
    sounds: bool
    duration_s: float
    white_s: float
    brighter: float


def _options(
    codec: str, sound: str, *, width: int = 640, height: int = 360, fps: float = 30, rate: int = 48_000
) -> dict[str, Any]:
    video = {"width": width, "height": height, "framerate": fps, "bitrate": 1500, "keyFrameInterval": 2, "depth": 24}
    return {
        "video": {**video, "codec": codec},
        "audio": {"bitrate": 96, "frequency": rate, "codec": sound},
    }


ENCODINGS: Final[dict[str, str | dict[str, Any]]] = {
    "H264 main, AAC (`H264_720P_30`)": "H264_720P_30",
    "the same, portrait (`PORTRAIT_H264_720P_30`)": "PORTRAIT_H264_720P_30",
    "the same, 60 fps (`H264_1080P_60`)": "H264_1080P_60",
    "H264 baseline, AAC of 16 kHz": _options("H264_BASELINE", "AAC", rate=16_000),
    "H264 high, AAC of 96 kHz": _options("H264_HIGH", "AAC", rate=96_000),
    "H264 high, Opus": _options("H264_HIGH", "OPUS"),
    "H264 main, MP3": _options("H264_MAIN", "AC_MP3", rate=44_100),
    "H264 main, MP3 of 16 kHz": _options("H264_MAIN", "AC_MP3", rate=16_000),
    "VP8, Opus": _options("VP8", "OPUS"),
    "VP8, Opus, 29.97 fps, upright": _options("VP8", "OPUS", width=360, height=640, fps=29.97),
}


SOUNDS: Final[dict[str, tuple[str | dict[str, Any], str | None]]] = {
    "sound alone, AAC": ("H264_720P_30", None),
    "sound alone, MP3": (_options("H264_MAIN", "AC_MP3", rate=44_100), None),
    "sound alone, Opus in MP4": (_options("H264_MAIN", "OPUS"), None),
    "sound alone, Opus in WebM": (_options("VP8", "OPUS"), None),
    "sound alone, Opus in Ogg": ("H264_720P_30", "ogg"),
}
"""Encoding and container of recordings without picture."""


def people() -> list[Source]:
    """Two who flash and beep."""
    return [
        Source(synthetic.video("VP8", SECONDS), identity="ada"),
        Source(synthetic.sound(SECONDS), media="audio", codec="opus", identity="ada"),
        Source(synthetic.video("H264", SECONDS, hue=160), codec="H264", identity="bob"),
    ]


def composite(name: str, path: Path) -> Work:
    """The meeting of two in one of ENCODINGS."""
    profile = Profile.of(ENCODINGS[name])
    compose(meeting(people(), SECONDS), path, profile, "grid")
    return _judged(name, path)


def sound(name: str, folder: Path) -> Work:
    """The sound of that meeting, as one of SOUNDS."""
    encoding, container = SOUNDS[name]
    profile = Profile.of(encoding, only="audio", container=container)
    path = folder / f"{name}{profile.ending}"
    compose(meeting(people(), SECONDS), path, profile, "grid")
    return _judged(name, path)


def tracks(folder: Path) -> list[Work]:
    """Of every codec one track. Opus twice: WebM is what `meet tracks` writes, Ogg what LiveKit's track egress does."""
    sources = {
        "track, H264": Source(synthetic.video("H264", SECONDS), codec="H264"),
        "track, H264, its size changes": Source(_growing("H264"), codec="H264"),
        "track, VP8": Source(synthetic.video("VP8", SECONDS)),
        "track, VP8, its size changes": Source(_growing("VP8")),
        "track, VP9": Source(_coded("libvpx-vp9", {"deadline": "realtime", "cpu-used": "8"}), codec="VP9"),
        "track, AV1": Source(
            _coded("libsvtav1", {"preset": "10", "svtav1-params": "rtc=1:pred-struct=1:rc=2:lp=1"}), codec="AV1"
        ),
        "track, Opus in WebM": Source(synthetic.sound(SECONDS), media="audio", codec="opus"),
    }
    works = []
    for number, (name, source) in enumerate(sources.items()):
        into = folder / f"track-{number}"
        into.mkdir()
        (entry,) = export(meeting([source], SECONDS), into)["tracks"]
        works.append(_judged(name, into / entry["file"]))
    extract(meeting([sources["track, Opus in WebM"]], SECONDS), folder / "opus", frozenset({"TR_1"}))
    works.append(_judged("track, Opus in Ogg", folder / "opus.ogg"))
    return works


def _growing(codec: str) -> tuple[Coded, ...]:
    """A camera whose picture becomes larger at a key frame, as of a publisher with simulcast."""
    small = [each for each in synthetic.video(codec, SECONDS) if each.at_us < 2_000_000]
    large = [each for each in synthetic.video(codec, SECONDS, 640, 360) if each.at_us >= 2_000_000]
    assert small and large[0].key
    return (*small, *large)


def _coded(encoder_name: str, options: dict[str, str], fps: int = 30) -> tuple[Coded, ...]:
    encoder = av.CodecContext.create(encoder_name, "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = 320, 180, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, fps), Fraction(fps)
    encoder.bit_rate, encoder.gop_size, encoder.thread_count, encoder.max_b_frames = 600_000, fps, 1, 0
    encoder.options = options
    pictures = [synthetic.picture(k / fps, 320, 180, 90) for k in range(round(SECONDS * fps))]
    for k, picture in enumerate(pictures):
        picture.pts = k
    ours = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        packets = [packet for picture in [*pictures, None] for packet in encoder.encode(picture)]
    finally:
        # SVT-AV1 makes a process of root a real-time one, for good and with its children: browsers, here.
        os.sched_setscheduler(0, *ours)
    return tuple(Coded(round((p.pts or 0) * 1_000_000 / fps), p.is_keyframe, bytes(p)) for p in packets)


def _judged(name: str, path: Path) -> Work:
    """What libav sees of it."""
    ends, size, times, means = 0.0, (0, 0), list[float](), list[float]()
    with av.open(str(path)) as container:
        sounds = bool(container.streams.audio)
        for packet in container.demux():
            if packet.pts is not None and packet.time_base is not None:
                ends = max(ends, float((packet.pts + (packet.duration or 0)) * packet.time_base))
            for frame in packet.decode():
                if isinstance(frame, av.VideoFrame):
                    size = frame.width, frame.height
                    times.append(float(frame.time or 0))
                    means.append(float(np.frombuffer(bytes(frame.planes[0]), np.uint8).mean()))
    if not times:
        return Work(name, path, *size, sounds, ends, 0.0, 0.0)
    flash = np.array(means) > (max(means) + float(np.median(means))) / 2
    white_s = next(time for time, white in zip(times, flash, strict=True) if white and time > _LOOK_FROM_S)
    return Work(name, path, *size, sounds, ends, white_s, max(means) - float(np.median(means)))


def everything(folder: Path) -> Iterable[Work]:
    """All of them, made one after the other."""
    for number, name in enumerate(ENCODINGS):
        yield composite(name, folder / f"{number}.mp4")
    for name in SOUNDS:
        yield sound(name, folder)
    yield from tracks(folder)
