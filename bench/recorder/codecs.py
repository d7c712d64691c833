"""The yardsticks inside this process: the bare x264 encode of the same pictures, the bare decoders and AAC."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

from meet.recorder.composer import compose as composing
from meet.recorder.composer.encoder import configure
from meet.recorder.composer.opus import OpusDecoder
from meet.recorder.composer.output import Output
from meet.recorder.composer.profile import Profile
from meet.recorder.journal.records import Frame, Record

Picture = npt.NDArray[np.uint8]


class _Capture(Output):
    """Keeps a copy of every picture on its way to the encoder."""

    pictures: list[Picture]

    def video(self, picture: av.VideoFrame, number: int) -> None:
        self.pictures.append(picture.to_ndarray().astype(np.uint8, copy=False))
        super().video(picture, number)


def pictures_of(records: list[Record], profile: Profile) -> list[Picture]:
    """What the composer draws, uncompressed: 1.4 MB each at 720p."""
    _Capture.pictures = []
    with tempfile.TemporaryDirectory() as folder:
        composer = composing.Composer(Path(folder) / "discarded.mp4", profile, "grid", None, None)
        composer._output.abort()
        composer._output = _Capture(Path(folder) / "out.mp4", profile)
        composer.run(records, None)
    pictures, _Capture.pictures = _Capture.pictures, []
    return pictures


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


def decode_and_aac(records: list[Record], seconds: int) -> Callable[[], None]:
    """The bare decoders, and AAC of one stream."""
    tracks: dict[int, list[bytes]] = {}
    for record in records:
        if isinstance(record, Frame):
            tracks.setdefault(record.track, []).append(record.payload)

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
        encoder.sample_rate, encoder.layout, encoder.format = 48_000, "stereo", "fltp"
        encoder.bit_rate, encoder.options = 128_000, {"aac_coder": "fast"}
        encoder.time_base = Fraction(1, 48_000)
        noise = np.random.default_rng(1).normal(0, 0.1, (2, 1024)).astype(np.float32)
        for k in range(seconds * 48_000 // 1024):
            frame = av.AudioFrame.from_ndarray(noise, format="fltp", layout="stereo")
            frame.sample_rate, frame.pts = 48_000, k * 1024
            encoder.encode(frame)

    return work
