"""`python -m bench.recorder.run [--seconds 10] [--rounds 3] [--people 4]`: CPU ms/s and ratios, best of the rounds.

CPU is user plus system time, all threads. The parts take turns within a round, so that whatever else the machine does
meets all of them.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from bench.recorder import cli, codecs, live  # noqa: E402
from bench.recorder.clips import meeting  # noqa: E402
from meet.recorder.composer.compose import compose  # noqa: E402
from meet.recorder.composer.profile import PRESETS, Profile  # noqa: E402
from meet.recorder.journal.reader import JournalReader  # noqa: E402
from meet.recorder.journal.records import Record  # noqa: E402
from meet.recorder.journal.writer import JournalWriter  # noqa: E402
from meet.recorder.tracks.export import export  # noqa: E402
from meet.recorder.tracks.recompose import read  # noqa: E402


def cpu(work: Callable[[], object]) -> float:
    """CPU seconds of `work` in this process."""
    before = time.process_time()
    work()
    return time.process_time() - before


def _raise(error: OSError) -> None:
    raise error


def write(records: list[Record], directory: Path) -> None:
    """The journal, as the subscriber writes it."""
    writer = JournalWriter(directory, lambda: None, _raise)
    for record in records:
        writer.append(record)
    writer.close()


def record(records: list[Record], folder: Path, profile: Profile) -> None:
    """Everything from the first frame received to the finished file."""
    with tempfile.TemporaryDirectory(dir=folder) as inner:
        write(records, Path(inner) / "journal")
        reader = JournalReader(Path(inner) / "journal")
        reader.finish()
        compose(reader, folder / "out.mp4", profile, "grid")


def export_all(journal: Path, folder: Path) -> None:
    """Every track into a file."""
    with tempfile.TemporaryDirectory(dir=folder) as inner:
        export(read(journal), Path(inner))


def write_only(records: list[Record], folder: Path) -> None:
    """The journal alone, as with MEET_RECORDING_COMPOSE=after."""
    with tempfile.TemporaryDirectory(dir=folder) as inner:
        write(records, Path(inner) / "journal")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--people", type=int, default=4)
    parser.add_argument("--encoding", default="H264_720P_30", choices=sorted(PRESETS))
    arguments = parser.parse_args()
    profile, seconds = Profile.of(arguments.encoding), arguments.seconds
    records = meeting(seconds, arguments.people)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        measure(records, profile, folder, seconds, arguments.rounds, arguments.people)


def measure(records: list[Record], profile: Profile, folder: Path, seconds: int, rounds: int, people: int) -> None:
    """All parts in turns, then the table."""
    write(records, folder / "journal")
    pictures, sound = codecs.composed(records, profile)
    bare = codecs.encode(pictures, profile)
    parts, received = codecs.decode_and_aac(records, sound), live.receive(records)
    ffmpeg = cli.ffmpeg(records, profile, folder / "cli")
    works: dict[str, Callable[[], float]] = {
        "recording": lambda: cpu(lambda: record(records, folder, profile)),
        "bare x264": lambda: cpu(bare),
        "decoders + audio codecs": lambda: cpu(parts),
        "SRTP, order, frames": lambda: cpu(received),
        "journal": lambda: cpu(lambda: write_only(records, folder)),
        "tracks": lambda: cpu(lambda: export_all(folder / "journal", folder)),
    }
    if ffmpeg is not None:
        works["ffmpeg command line"] = ffmpeg
    costs: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            costs[name].append(work())
    best = {name: min(values) * 1000 / seconds for name, values in costs.items()}
    for name, value in best.items():
        print(f"{name:26} {value:7.1f} ms CPU per second")
    rate = cli.kbps(folder / "out.mp4")
    print(f"{'picture':26} {rate:7.0f} kbit/s of at most {profile.video_bitrate // 1000}")
    whole, encoding, in_front = best["recording"], best["bare x264"], best["SRTP, order, frames"]
    line("recording / bare x264", whole / encoding, 1.40)
    line("recording / (x264 + decoders + audio codecs)", whole / (encoding + best["decoders + audio codecs"]), 1.10)
    if ffmpeg is not None:
        line("recording / ffmpeg command line", whole / best["ffmpeg command line"], 1.05)
    line("(recording + SRTP, order, frames) / bare x264", (whole + in_front) / encoding)
    line("SRTP, order, frames and journal in one go, cores", (in_front + best["journal"]) / 1000, 0.03)
    line("one track as a file, ms CPU per second", best["tracks"] / people / 2, 5)


def line(name: str, value: float, target: float | None = None) -> None:
    """One result."""
    print(f"{name:48} {value:6.3f}" + (f"  (target <= {target:g})" if target is not None else ""))


if __name__ == "__main__":
    main()
