"""Journals: what was appended is read; what a crash tore is not."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

import pytest

from meet.recorder import durable
from meet.recorder.journal import writer as writer_module
from meet.recorder.journal.reader import JournalReader
from meet.recorder.journal.records import (
    MAGIC,
    Begin,
    ClockReport,
    Frame,
    LayoutChange,
    Mute,
    Person,
    Record,
    Session,
    Speakers,
    Stop,
    Tick,
    Track,
    TrackEnd,
)
from meet.recorder.journal.writer import JournalWriter
from tests.unit.recorder import synthetic

EVERY_KIND: list[Record] = [
    Session(1_790_000_000_000_000, "EG_x"),
    Track(2, 1, "TR_a", "video", "VP8", 90_000, "ada", "Ada \N{SNOWMAN}", "camera", False),
    Begin(3),
    Frame(4, 1, -90_000, True, False, b"\x00key"),
    Frame(5, 1, (1 << 40) + 7, False, True, os.urandom(3000)),
    ClockReport(6, 1, (1 << 64) - 1, -5),
    Mute(7, 1, True),
    Speakers(8, ["ada", "bob"]),
    LayoutChange(9, "speaker"),
    Tick(10),
    TrackEnd(11, 1),
    Person(11, "ada", "Ada \N{SNOWMAN}"),
    Person(12, "ada", "", present=False),
    Stop(12, "stop_requested", False),
]


def test_every_kind_comes_back_as_it_was(tmp_path: Path) -> None:
    synthetic.write(tmp_path, EVERY_KIND)
    read = synthetic.read(tmp_path)
    expected = [*EVERY_KIND]
    assert [type(r) for r in read] == [type(r) for r in expected]
    assert read == expected


@pytest.mark.parametrize("cut", [1, 4, 8, 9, 20])
def test_a_torn_tail_loses_only_the_last_record(tmp_path: Path, cut: int) -> None:
    frames = [Frame(k, 1, k, True, False, bytes([k]) * 50) for k in range(10)]
    synthetic.write(tmp_path, frames)
    (segment,) = tmp_path.iterdir()
    os.truncate(segment, segment.stat().st_size - cut)
    assert synthetic.read(tmp_path) == frames[:9]


@pytest.mark.parametrize("damage", [b"", b"MEET", b"NOTAJRNL" + bytes(40), MAGIC + b"\xff" * 64])
def test_an_unusable_segment_is_passed_over(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "000001.seg").write_bytes(damage)
    synthetic.write(tmp_path, [Tick(1)])
    assert synthetic.read(tmp_path) == [Tick(1)]


def test_segments_follow_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "SEGMENT_BYTES", 200)
    written = threading.Semaphore(0)
    writer = JournalWriter(tmp_path, written.release, lambda error: None)
    assert written.acquire(timeout=40), "a segment is there"
    frames = [Frame(k, 1, k, True, False, bytes(300)) for k in range(5)]
    for frame in frames:
        writer.append(frame)
        assert written.acquire(timeout=40)
    writer.close()
    assert len(list(tmp_path.iterdir())) >= 5
    assert synthetic.read(tmp_path) == frames


def test_a_reader_follows_a_growing_journal(tmp_path: Path) -> None:
    reader = JournalReader(tmp_path)
    got: list[Record] = []
    arrived = threading.Semaphore(0)

    def follow() -> None:
        for record in reader:
            got.append(record)
            arrived.release()

    thread = threading.Thread(target=follow)
    thread.start()
    writer = JournalWriter(tmp_path, reader.wake, lambda error: None)
    for k in range(20):
        writer.append(Tick(k))
        assert arrived.acquire(timeout=40), "a record is seen without closing the journal"
    writer.close()
    reader.finish()
    thread.join(5)
    assert not thread.is_alive() and got == [Tick(k) for k in range(20)]


def test_a_full_disk_is_told_once_and_what_was_written_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    errors: list[OSError] = []
    told = threading.Event()
    written = threading.Semaphore(0)

    def on_error(error: OSError) -> None:
        errors.append(error)
        told.set()

    writer = JournalWriter(tmp_path, written.release, on_error)
    assert written.acquire(timeout=40), "a segment is there"
    writer.append(Tick(1))
    assert written.acquire(timeout=40)

    def full(fd: int, data: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(writer_module, "_write_all", full)
    writer.append(Tick(2))
    assert told.wait(5)
    writer.append(Tick(3))
    writer.close()
    assert [error.errno for error in errors] == [errno.ENOSPC]
    assert synthetic.read(tmp_path) == [Tick(1)]


def test_a_disk_that_is_full_between_two_segments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No descriptor is closed twice: its number may be somebody else's by then."""
    segments: list[int] = []
    closed: list[int] = []
    told = threading.Event()
    opened, close = os.open, os.close

    def full(path: Path, content: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    def opening(path: Path, *how: int) -> int:
        fd = opened(path, *how)
        if Path(path).suffix == ".seg" and threading.current_thread().name == "journal":
            segments.append(fd)
        return fd

    def closing(fd: int) -> None:
        if fd in segments and threading.current_thread().name == "journal":
            closed.append(fd)
        close(fd)

    monkeypatch.setattr(writer_module, "SEGMENT_BYTES", 10)
    monkeypatch.setattr(durable, "replace", full)
    monkeypatch.setattr(os, "open", opening)
    monkeypatch.setattr(os, "close", closing)
    writer = JournalWriter(tmp_path, lambda: None, lambda error: told.set())
    writer.append(Tick(1))
    assert told.wait(5)
    writer.close()
    assert closed == segments and len(segments) == 1
    assert synthetic.read(tmp_path) == [Tick(1)]


def test_a_full_disk_at_the_beginning_is_told_like_any_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    errors: list[OSError] = []
    told = threading.Event()

    def on_error(error: OSError) -> None:
        errors.append(error)
        told.set()

    def full(folder: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(durable, "make_folder", full)
    writer = JournalWriter(tmp_path / "journal", lambda: None, on_error)
    assert told.wait(5)
    writer.append(Tick(1))
    writer.close()
    assert [error.errno for error in errors] == [errno.ENOSPC]
    assert not (tmp_path / "journal").exists() and not writer.waiting


def test_beginning_waits_for_no_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is appended meanwhile is all there, in its order, behind what earlier processes wrote."""
    synthetic.write(tmp_path / "journal", [Tick(1)])
    there, asked = threading.Event(), threading.Event()
    fsync = os.fsync

    def slow(fd: int) -> None:
        asked.set()
        assert there.wait(20)
        fsync(fd)

    monkeypatch.setattr(os, "fsync", slow)
    prepared: list[list[str]] = []
    writer = JournalWriter(
        tmp_path / "journal",
        lambda: None,
        lambda error: None,
        prepare=lambda: prepared.append(sorted(path.name for path in (tmp_path / "journal").iterdir())),
    )
    for k in range(2, 50):
        writer.append(Tick(k))
    assert asked.wait(5)
    there.set()
    writer.close()
    assert prepared == [["000001.seg"]]
    assert synthetic.read(tmp_path / "journal") == [Tick(k) for k in range(1, 50)]
