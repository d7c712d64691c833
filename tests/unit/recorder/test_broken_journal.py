"""Whatever ends the thread that writes the journal ends the process: what follows it records on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from meet.recorder import state
from meet.recorder.journal.records import Speakers
from meet.recorder.journal.summary import summarize
from tests.unit.recorder import synthetic
from tests.unit.recorder.test_cutoff import SMALL

_BREAKING: Final = """
import asyncio, sys
from pathlib import Path
from meet.config import Settings
from meet.recorder import main
from meet.recorder.journal import writer
from meet.recorder.journal.summary import summarize
from meet.recorder.subscriber import recording as subscriber

class Meeting:
    def __init__(self, connect, sink, clock, **_):
        self.sink = sink

    def resume(self): pass

    async def run(self, *, ever_joined, lost_at):
        self.sink.begin()
        while not summarize(Path(sys.argv[1]) / "spool/EG_x/journal").begun:
            await asyncio.sleep(0.05)
        write = writer._write_all
        def broken(fd, data):
            raise MemoryError
        writer._write_all = broken
        self.sink.speakers(["ada"])
        await asyncio.sleep(30)
        raise AssertionError("still there")

subscriber.RoomRecording = Meeting
sys.exit(main.run(Settings.load(data_dir=Path(sys.argv[1])), "EG_x"))
"""


def test_a_journal_without_memory_ends_the_process(tmp_path: Path) -> None:
    spool = tmp_path / "spool" / "EG_x"
    spool.mkdir(parents=True)
    request = {"egress_id": "EG_x", "room_name": "a", "key": "rec/a--x.mp4", "encoding": SMALL, "compose": "after"}
    (spool / "request.json").write_text(json.dumps(request))
    ended = subprocess.run(
        [sys.executable, "-c", _BREAKING, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1, ended
    assert b"journal_thread_broken" in ended.stdout + ended.stderr and b"MemoryError" in ended.stdout + ended.stderr
    found = state.read(spool / "state.json")
    assert found is not None and found.status == "active", "to be gone on with"
    assert summarize(spool / "journal").begun
    assert not any(isinstance(record, Speakers) for record in synthetic.read(spool / "journal"))
