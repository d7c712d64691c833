"""Input that kills or hangs a codec does so twice, and then the recording is completed without it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from meet.recorder import state
from meet.recorder.journal.records import Frame, Record
from meet.recorder.quarantine.ledger import Ledger
from tests.unit.recorder import synthetic
from tests.unit.recorder.quarantine.poisoned import CRASH, DEADLY_CODER, HANG
from tests.unit.recorder.synthetic import ZERO, Source, meeting
from tests.unit.recorder.test_cutoff import SMALL

SECONDS: Final = 3.0
CAMERA, VOICE = 1, 2
ABORTED, KILLED = -signal.SIGABRT, -signal.SIGKILL


def poison(records: Iterable[Record], wounds: dict[tuple[int, float], bytes]) -> list[Record]:
    """The records; wounds: track and time (s) of the frames that are marked, and how."""
    left, made = dict(wounds), []
    for record in records:
        found = None
        if isinstance(record, Frame):
            due = (key for key in left if key[0] == record.track and record.at >= ZERO + key[1] * 1e6)
            found = next(due, None)
        if found is not None and isinstance(record, Frame):
            record = replace(record, payload=record.payload + left.pop(found))
        made.append(record)
    assert not left
    return made


class Lab:
    """A data folder with recordings that are over, and what became of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ids: list[str] = []

    def record(self, egress_id: str, wounds: dict[tuple[int, float], bytes]) -> None:
        sources = [
            Source(synthetic.video("VP8", SECONDS, 160, 96, 10)),
            Source(synthetic.sound(SECONDS), "audio", "opus"),
        ]
        spool = self.folder / "spool" / egress_id
        spool.mkdir(parents=True)
        request = {"egress_id": egress_id, "room_name": "a", "key": f"rec/{egress_id}.mp4", "encoding": SMALL}
        (spool / "request.json").write_text(json.dumps(request))
        synthetic.write(spool / "journal", poison(meeting(sources, SECONDS), wounds))
        self._ids.append(egress_id)

    def run(self) -> dict[str, list[int]]:
        """How the processes of every recording ended."""
        command = [sys.executable, "-m", "tests.unit.recorder.quarantine.poisoned", str(self.folder), *self._ids]
        done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
        assert done.returncode == 0, done.stderr
        return {line["egress_id"]: line["ends"] for line in map(json.loads, done.stdout.splitlines())}

    def state(self, egress_id: str) -> state.EgressState:
        found = state.read(self.folder / "spool" / egress_id / "state.json")
        assert found is not None
        return found

    def integrity(self, egress_id: str) -> dict[str, Any]:
        found = self.state(egress_id)
        assert found.status == "complete" and found.integrity is not None, found
        assert abs(found.integrity["duration_s"] - SECONDS) < 0.15
        assert not (self.folder / "spool" / egress_id / "journal").exists()
        assert (self.folder / "storage" / "rec" / f"{egress_id}.mp4").stat().st_size == found.size
        return found.integrity


@pytest.mark.timeout(300)
def test_poison(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    lab.record("EG_one", {(CAMERA, 1.3): CRASH})
    lab.record("EG_both", {(VOICE, 1.0): CRASH, (CAMERA, 1.6): HANG})
    lab.record("EG_many", {(CAMERA, 0.5): CRASH, (CAMERA, 1.2): CRASH, (CAMERA, 1.25): CRASH, (CAMERA, 2.2): CRASH})
    lab.record(f"EG_{DEADLY_CODER}", {})
    lab.record("EG_fine", {})
    ends = lab.run()

    assert ends["EG_fine"] == [0]
    fine = lab.integrity("EG_fine")
    assert (fine["frames_quarantined"], fine["tracks_given_up"]) == (0, 0)

    assert ends["EG_one"] == [ABORTED, ABORTED, 0]
    one = lab.integrity("EG_one")
    assert (one["frames_quarantined"], one["tracks_given_up"], one["video_gaps"]) == (1, 0, 1)
    still = one["frames_repeated"] - fine["frames_repeated"]
    assert 5 <= still <= 8, "the picture stands still from 1.3 s to the key frame of 2 s"
    assert "decoder: 1" in (lab.state("EG_one").details or "")

    assert ends["EG_both"] == [ABORTED, ABORTED, KILLED, KILLED, 0]
    both = lab.integrity("EG_both")
    assert (both["frames_quarantined"], both["tracks_given_up"], both["audio_gaps"]) == (2, 0, 1)

    assert ends["EG_many"] == [ABORTED] * 6 + [0]
    many = lab.integrity("EG_many")
    assert (many["frames_quarantined"], many["tracks_given_up"]) == (3, 1)
    assert "ada (camera)" in (lab.state("EG_many").details or "")

    coder = f"EG_{DEADLY_CODER}"
    assert ends[coder] == [ABORTED] * 6 + [0]
    given_up = lab.state(coder)
    assert (given_up.status, given_up.error_code) == ("failed", 500)
    journal = tmp_path / "spool" / coder / "journal"
    assert any(isinstance(record, Frame) for record in synthetic.read(journal)), "it may be all there is of a meeting"
    assert Ledger.read(journal).barren == 6
    spools = (tmp_path / "spool").stat()
    left = f"meet-{spools.st_dev:x}-{spools.st_ino:x}-*"
    assert not list(Path("/dev/shm").glob(left)), "nothing is left behind"
