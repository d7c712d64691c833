"""SIGKILL in the middle of journaling and composing: the journal alone makes the recording whole."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from meet.recorder.composer.compose import compose
from meet.recorder.composer.profile import Profile
from meet.recorder.journal.records import Stop
from tests.support import media
from tests.unit.recorder import synthetic

ROOT = Path(__file__).parents[4]
SPEED = 4.0
"""Times real time at which the victim's meeting goes by."""

VICTIM = """
import sys, threading, time
from pathlib import Path
from meet.recorder.composer.compose import compose
from meet.recorder.composer.profile import Profile
from meet.recorder.journal.reader import JournalReader
from meet.recorder.journal.writer import JournalWriter
from tests.unit.recorder import synthetic
from tests.unit.recorder.synthetic import Source, ZERO, meeting

directory, speed = Path(sys.argv[1]), float(sys.argv[2])
records = meeting([Source(synthetic.video("VP8", 12)), Source(synthetic.sound(12), media="audio", codec="opus")], 11.5)
reader = JournalReader(directory / "journal")
writer = JournalWriter(directory / "journal", reader.wake, lambda error: None)
profile = Profile.of("H264_720P_30")
args = (reader, directory / "composite.mp4", profile, "grid")
threading.Thread(target=compose, args=args, daemon=True).start()
started = time.monotonic()
for record in records:
    time.sleep(max(0.0, started + (record.at - ZERO) / 1e6 / speed - time.monotonic()))
    writer.append(record)
    print(record.at, flush=True)
"""


def test_a_killed_recorder_loses_next_to_nothing(tmp_path: Path) -> None:
    victim = subprocess.Popen(
        [sys.executable, "-c", VICTIM, str(tmp_path), str(SPEED)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert victim.stdout is not None
    appended = synthetic.ZERO
    try:
        for line in victim.stdout:
            appended = int(line)
            if appended >= synthetic.ZERO + 5_000_000:
                break
    finally:
        victim.kill()
        rest = victim.stdout.read().splitlines()
        victim.wait()
        victim.stdout.close()
    appended = max([appended, *(int(line) for line in rest if line.isdigit())])
    asked_s = (appended - synthetic.ZERO) / 1e6

    records = synthetic.read(tmp_path / "journal")
    assert not any(isinstance(record, Stop) for record in records), "it was killed in the middle"
    path = tmp_path / "again.mp4"
    result = compose(records, path, Profile.of("H264_720P_30"), "grid")
    decoded = media.decode(path)
    assert len(decoded.frame_times) == result.frames
    # One write batch of the writer, in the victim's time.
    assert asked_s - 2.0 * SPEED * 0.1 <= decoded.video_s <= asked_s + 0.1
    assert len(media.av_offsets(decoded)) >= 4
    assert max(map(abs, media.av_offsets(decoded))) <= 0.08
