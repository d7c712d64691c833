"""`python -m bench.recorder.resume [--minutes 60]`: CPU seconds until a recorder that died late goes on with its file.

A synthetic journal of four people is resumed behind a file of all but its last seconds. Beside it stands what the same
machine needs to compose one minute of it, times the minutes: composing from the beginning.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from meet.recorder.composer.compose import Composer, compose  # noqa: E402
from meet.recorder.composer.made import Timeline, opened  # noqa: E402
from meet.recorder.composer.output import Output  # noqa: E402
from meet.recorder.composer.picture import Picture  # noqa: E402
from meet.recorder.composer.profile import Profile  # noqa: E402
from meet.recorder.journal.reader import JournalReader  # noqa: E402
from meet.recorder.journal.records import Begin, ClockReport, Frame, Record, Session, Speakers, Tick  # noqa: E402
from meet.recorder.journal.writer import JournalWriter  # noqa: E402
from meet.recorder.pieces import Pieces, boot_id  # noqa: E402
from tests.unit.recorder import synthetic  # noqa: E402
from tests.unit.recorder.synthetic import ZERO, Source  # noqa: E402

PEOPLE: Final = 4
PROFILE: Final = Profile.of("H264_720P_30")


def minute(number: int) -> Iterator[Record]:
    """The records of one minute, in order; the tracks begin in the first one."""
    pictures, sounds = synthetic.video("VP8", 60, 640, 360, keys_s=20.0), synthetic.sound(60)
    records: list[Record] = []
    for person in range(PEOPLE):
        both = {"identity": f"p{person}", "joins": 60.0 * number, "transit": 0.02 + person / 100, "report_every": 2.0}
        for kind, source in enumerate((Source(pictures, **both), Source(sounds, "audio", "opus", **both))):  # type: ignore[arg-type]
            track, *media = source.records(2 * person + kind + 1)
            shift = 60 * number * source.rate
            records += [track] if number == 0 else []
            records += [replace(r, rtp=r.rtp + shift) for r in media if isinstance(r, Frame | ClockReport)]
    start = ZERO + 60_000_000 * number
    records += [Tick(start + k * 100_000) for k in range(600)]
    records += [Speakers(start + k * 2_000_000, [f"p{k % PEOPLE}"]) for k in range(30)]
    return iter(sorted(records, key=lambda record: record.at))


def write(journal: Path, minutes: int) -> int:
    """Bytes written."""
    writer = JournalWriter(journal, lambda: None, lambda error: None)
    writer.append(Session(ZERO, "EG_bench"))
    writer.append(Begin(ZERO))
    for number in range(minutes):
        for record in minute(number):
            writer.append(record)
    writer.close()
    return sum(path.stat().st_size for path in journal.iterdir())


def read(journal: Path, minutes: int) -> Iterator[Record]:
    reader = JournalReader(journal)
    reader.finish()
    for record in reader:
        if record.at > ZERO + 60_000_000 * minutes:
            return
        yield record


def grow(path: Path, one: Path, minutes: int, killed: Path) -> None:
    """A file of so many minutes, as a process leaves it that is killed then."""
    output, timeline = Output(path, PROFILE), Timeline(PROFILE)
    for _ in range(minutes):
        with opened(one, PROFILE) as made:
            output.copy(made, timeline)
    shutil.copy(path, killed)
    output.close()


def cpu(work: Callable[[], object]) -> float:
    begun = time.process_time()
    work()
    return time.process_time() - begun


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=int, default=10)
    minutes: int = parser.parse_args().minutes
    with tempfile.TemporaryDirectory(prefix="meet-bench-") as folder:
        root = Path(folder)
        size = write(root / "journal", minutes)
        one = root / "minute.mp4"
        composing = cpu(lambda: compose(read(root / "journal", 1), one, PROFILE, "speaker"))
        spool = root / "spool"
        spool.mkdir()
        (spool / "composite.boot").write_text(boot_id())
        grow(root / "growing.mp4", one, minutes - 1, spool / "composite.mp4")
        pieces = Pieces(spool, PROFILE)
        begun = time.process_time()
        seam = pieces.seal()
        sealed = time.process_time() - begun
        assert seam.inside
        reached: list[float] = []

        class Watched(Composer):
            def _take_over(self, picture: Picture) -> None:
                reached.append(time.process_time())
                super()._take_over(picture)
                reached.append(time.process_time())

        begun = time.process_time()
        watched = Watched(pieces.writing(), PROFILE, "speaker", None, None, seam=seam)
        written = time.process_time() - begun
        result = watched.run(read(root / "journal", minutes), None)
        finishing = cpu(lambda: pieces.finish(result))
    print(f"journal of {minutes} min: {size / 1e6:.0f} MB; CPU seconds")
    print(f"  composing from the beginning {composing * minutes:8.1f}   ({composing:.1f} per minute)")
    print(f"  reading the file             {sealed:8.1f}")
    print(f"  writing it again, compared   {written:8.1f}")
    print(f"  until the first new picture  {reached[0] - begun:8.1f}")
    print(f"  decoding from key frames     {reached[1] - reached[0]:8.1f}")
    print(f"  at the end                   {finishing:8.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
