"""`python -m bench.recorder.run [--seconds 8] [--rounds 3] [--people 4]`: CPU ms/s and ratios, best of the rounds.

CPU is user plus system time of this process, all threads. The parts take turns within a round, so that whatever else
the machine does meets all of them.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

import av  # noqa: E402
import numpy as np  # noqa: E402
import numpy.typing as npt  # noqa: E402

from bench.recorder.clips import meeting  # noqa: E402
from meet.recorder.composer import compose as composing  # noqa: E402
from meet.recorder.composer.output import Output, x264_options  # noqa: E402
from meet.recorder.composer.profile import PRESETS, Profile  # noqa: E402
from meet.recorder.journal.reader import JournalReader  # noqa: E402
from meet.recorder.journal.records import Frame, Record  # noqa: E402
from meet.recorder.journal.writer import JournalWriter  # noqa: E402

TARGET_BARE, TARGET_PARTS = 1.40, 1.10
Picture = npt.NDArray[np.uint8]


def cpu(work: Callable[[], None]) -> float:
    """CPU seconds of `work`."""
    before = time.process_time()
    work()
    return time.process_time() - before


def journaled(records: list[Record], profile: Profile) -> None:
    """Everything from the first frame received to the finished file."""
    with tempfile.TemporaryDirectory() as folder:
        writer = JournalWriter(Path(folder) / "journal", lambda: None, _raise)
        for record in records:
            writer.append(record)
        writer.close()
        reader = JournalReader(Path(folder) / "journal")
        reader.finish()
        composing.compose(reader, Path(folder) / "out.mp4", profile, "grid")


def _raise(error: OSError) -> None:
    raise error


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
    return _Capture.pictures


def encode(pictures: list[Picture], profile: Profile) -> Callable[[], None]:
    """The bare encode, same settings."""
    frames = [av.VideoFrame.from_ndarray(picture, format="yuv420p") for picture in pictures]
    for number, frame in enumerate(frames):
        frame.pts = number

    def work() -> None:
        encoder = av.CodecContext.create("libx264", "w")
        assert isinstance(encoder, av.VideoCodecContext)
        encoder.width, encoder.height, encoder.pix_fmt = profile.width, profile.height, "yuv420p"
        encoder.time_base, encoder.framerate = 1 / profile.fps, profile.fps
        encoder.thread_count = 1
        encoder.options = x264_options(profile)
        for frame in frames:
            encoder.encode(frame)
        encoder.encode(None)

    return work


def codecs(records: list[Record], seconds: int) -> Callable[[], None]:
    """The bare decoders, and AAC of one stream."""
    tracks: dict[int, list[bytes]] = {}
    for record in records:
        if isinstance(record, Frame):
            tracks.setdefault(record.track, []).append(record.payload)

    def work() -> None:
        for track, payloads in tracks.items():
            decoder = av.CodecContext.create("vp8" if track % 2 else "opus", "r")
            if isinstance(decoder, av.VideoCodecContext):
                decoder.thread_count, decoder.thread_type = 1, "SLICE"
            elif isinstance(decoder, av.AudioCodecContext):
                decoder.sample_rate, decoder.layout = 48_000, "stereo"
            assert isinstance(decoder, av.VideoCodecContext | av.AudioCodecContext)
            for payload in payloads:
                decoder.decode(av.Packet(payload))
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--people", type=int, default=4)
    parser.add_argument("--encoding", default="H264_720P_30", choices=sorted(PRESETS))
    arguments = parser.parse_args()
    profile = Profile.of(arguments.encoding)
    records = meeting(arguments.seconds, arguments.people)
    bare = encode(pictures_of(records, profile), profile)
    parts = codecs(records, arguments.seconds)
    costs: dict[str, list[float]] = {"recording": [], "bare x264": [], "bare decoders + AAC": []}
    for _ in range(arguments.rounds):
        costs["recording"].append(cpu(lambda: journaled(records, profile)))
        costs["bare x264"].append(cpu(bare))
        costs["bare decoders + AAC"].append(cpu(parts))
    best = {name: min(values) * 1000 / arguments.seconds for name, values in costs.items()}
    for name, value in best.items():
        print(f"{name:22} {value:7.1f} ms CPU per second")
    whole, floor = best["recording"] / best["bare x264"], best["bare x264"] + best["bare decoders + AAC"]
    print(f"recording / bare x264              {whole:5.2f}  (target <= {TARGET_BARE})")
    print(f"recording / (x264+decoders+AAC)    {best['recording'] / floor:5.2f}  (target <= {TARGET_PARTS})")


if __name__ == "__main__":
    main()
