"""The yardsticks in this process: bare x264 of the same pictures, the bare decoders, bare AAC of the same sound."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
import numpy as np
import numpy.typing as npt

from meet.recorder.composer import aac
from meet.recorder.composer import compose as composing
from meet.recorder.composer.encoder import configure
from meet.recorder.composer.opus import RATE, OpusDecoder, Samples
from meet.recorder.composer.output import Output
from meet.recorder.composer.profile import Profile
from meet.recorder.journal.records import Frame, Record

Picture = npt.NDArray[np.uint8]

_AAC_SAMPLES: Final = 1024


class _Capture(Output):
    """Keeps a copy of everything on its way to the encoders."""

    pictures: list[Picture]
    sound: list[Samples]

    def video(self, picture: av.VideoFrame, number: int) -> None:
        self.pictures.append(picture.to_ndarray().astype(np.uint8, copy=False))
        super().video(picture, number)

    def audio(self, sound: Samples) -> None:
        self.sound.append(sound.copy())
        super().audio(sound)


def composed(records: list[Record], profile: Profile) -> tuple[list[Picture], Samples]:
    """What the composer draws, uncompressed (1.4 MB each at 720p), and what it mixes."""
    _Capture.pictures, _Capture.sound = [], []
    with tempfile.TemporaryDirectory() as folder:
        composer = composing.Composer(Path(folder) / "discarded.mp4", profile, "grid", None, None)
        composer._output.abort()
        composer._output = _Capture(Path(folder) / "out.mp4", profile)
        composer.run(records, None)
    pictures, _Capture.pictures = _Capture.pictures, []
    return pictures, np.concatenate(_Capture.sound, axis=1)


def encode(pictures: list[Picture], profile: Profile) -> Callable[[], None]:
    """The bare encode with the same settings."""
    frames = [av.VideoFrame.from_ndarray(picture, format="yuv420p") for picture in pictures]
    for number, frame in enumerate(frames):
        frame.pts = number

    def work() -> None:
        encoder = av.CodecContext.create(profile.video_codec, "w")
        assert isinstance(encoder, av.VideoCodecContext)
        configure(encoder, profile)
        for frame in frames:
            encoder.encode(frame)
        encoder.encode(None)

    return work


def decode_and_aac(records: list[Record], sound: Samples) -> Callable[[], None]:
    """The bare decoders, each track in one go, and AAC of the mix."""
    tracks: dict[int, list[bytes]] = {}
    for record in records:
        if isinstance(record, Frame):
            tracks.setdefault(record.track, []).append(record.payload)
    blocks = [sound[:, at : at + _AAC_SAMPLES].copy() for at in range(0, sound.shape[1], _AAC_SAMPLES)]

    def work() -> None:
        for track, payloads in tracks.items():
            if track % 2:
                decoder = av.CodecContext.create("vp8", "r")
                assert isinstance(decoder, av.VideoCodecContext)
                decoder.thread_count, decoder.thread_type = 1, "SLICE"
                for payload in payloads:
                    decoder.decode(av.Packet(payload))
            else:
                opus = OpusDecoder()
                for payload in payloads:
                    opus.decode(payload)
        encoder = av.CodecContext.create("aac", "w")
        assert isinstance(encoder, av.AudioCodecContext)
        encoder.sample_rate, encoder.layout, encoder.format = RATE, "stereo", "fltp"
        encoder.bit_rate, encoder.options = 128_000, aac.OPTIONS
        encoder.time_base = Fraction(1, RATE)
        encoder.open()
        both = aac.AacEncoder(encoder)
        for k, block in enumerate(blocks):
            both.encode(block, k * _AAC_SAMPLES)
        both.flush()

    return work
