"""What a process was doing is there after it died, and nobody else's."""

from __future__ import annotations

import mmap
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from meet.recorder.quarantine import note as notes
from meet.recorder.quarantine.note import Note
from meet.recorder.quarantine.watch import Quarantine

_DIES = """
import os, signal, sys
from pathlib import Path
from meet.recorder.quarantine.note import Note
note = Note.open(Path(sys.argv[1]))
note.begin(live=True)
note.working(7_000_000)
note.enter(3, -5)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_it_outlives_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "note"
    died = subprocess.run([sys.executable, "-c", _DIES, str(path)], check=False, timeout=60)
    assert died.returncode == -signal.SIGKILL
    left = notes.read(path)
    assert left is not None and left.life > 0
    assert left[1:] == (True, 7_000_000, 3, -5, True)
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_is_behind_a_process_is_not_its_fault(tmp_path: Path) -> None:
    path = tmp_path / "note"
    assert notes.read(path) is None
    note = Note.open(path)
    assert notes.read(path) is None
    note.begin(live=False)
    note.working(10)
    note.enter(1, 2)
    note.leave()
    left = notes.read(path)
    assert left is not None and left[1:] == (False, 10, 1, 2, False)
    note.working(20)
    left = notes.read(path)
    assert left is not None and (left.at, left.track) == (20, 0), "another turn, nothing decoded in it yet"
    note.idle()
    assert notes.read(path) is None
    note.enter(1, 3)
    Note.open(path)
    assert notes.read(path) is None, "a new process begins with an empty page"


def test_nobody_is_led_astray(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody may write into /dev/shm: no links are followed, and what belongs to others is not touched."""
    theirs = tmp_path / "theirs"
    theirs.write_bytes(b"x" * 100)
    (tmp_path / "note").symlink_to(theirs)
    note = Note.open(tmp_path / "note")
    note.enter(1, 1)
    assert theirs.read_bytes() == b"x" * 100 and notes.read(tmp_path / "note") is None
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    Note.open(theirs).enter(1, 1)
    assert theirs.read_bytes() == b"x" * 100 and notes.read(theirs) is None


def test_without_memory_a_recorder_records_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    note = Note.open(tmp_path / "note")
    assert not isinstance(note._page, mmap.mmap)
    note.enter(1, 2)
    assert notes.read(tmp_path / "note") is None


def test_notes_of_recordings_that_are_gone_are_swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory, spools = tmp_path / "shm", [tmp_path / "a" / "EG_x", tmp_path / "b" / "EG_x", tmp_path / "a" / "EG_y"]
    for folder in (memory, *spools):
        folder.mkdir(parents=True)
    monkeypatch.setattr(notes, "SHARED_MEMORY", memory)
    mine, theirs, other = (notes.place(spool) for spool in spools)
    assert len({mine, theirs, other}) == 3
    for path in (mine, theirs, other):
        Note.open(path)
    spools[2].rmdir()
    spools[1].rmdir()
    assert notes.place(spools[0]) == mine
    assert (mine.exists(), theirs.exists(), other.exists()) == (True, True, False), "another spool is not ours to sweep"
    monkeypatch.setattr(notes, "SHARED_MEMORY", tmp_path / "none")
    assert notes.place(spools[0]).parent == spools[0]


def test_what_cannot_be_swept_stops_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory, spool = tmp_path / "shm", tmp_path / "a" / "EG_x"
    for folder in (memory, spool):
        folder.mkdir(parents=True)
    monkeypatch.setattr(notes, "SHARED_MEMORY", memory)
    strange = memory / notes.place(spool).name.replace("EG_x", "EG_y")
    strange.mkdir()  # somebody else's file in /dev/shm cannot be removed either
    quarantine = Quarantine(spool)
    quarantine.take_over()
    quarantine.close()
    assert strange.exists() and not notes.place(spool).exists()
