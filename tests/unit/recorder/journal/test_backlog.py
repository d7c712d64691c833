"""A disk that stalls: what is queued stays bounded, pictures go before sound, and everything comes back by itself."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from meet.recorder.journal import backlog, writer
from meet.recorder.journal.records import Begin, Frame, Record, Stop, Tick, Track
from meet.recorder.journal.summary import summarize
from meet.recorder.journal.writer import JournalWriter
from tests.unit.recorder import synthetic

CAMERA = Track(1, 1, "TR_v", "video", "VP8", 90_000, "ada", "Ada", "camera", False)
VOICE = Track(1, 2, "TR_a", "audio", "opus", 48_000, "ada", "Ada", "microphone", False)
KIB = 1024


def picture(n: int, *, key: bool = False) -> Frame:
    return Frame(n, 1, n, key, False, bytes(10 * KIB))


def sound(n: int) -> Frame:
    return Frame(n, 2, n, True, False, bytes(KIB))


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backlog, "VIDEO_BYTES", 100 * KIB)
    monkeypatch.setattr(backlog, "MOST_BYTES", 150 * KIB)
    monkeypatch.setattr(backlog, "_RELIEVED", 50 * KIB)
    monkeypatch.setattr(writer, "SYNC_INTERVAL_S", 0.02)


@pytest.mark.usefixtures("small")
def test_a_disk_that_stalls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    free, stalled = threading.Event(), threading.Event()
    write = os.write

    def stalling(fd: int, data: bytes) -> int:
        if not free.is_set():
            stalled.set()
            free.wait()
        return write(fd, data)

    relieved: list[bool] = []
    journal = JournalWriter(tmp_path, lambda: None, lambda error: None, None, lambda: relieved.append(True))
    monkeypatch.setattr(os, "write", stalling)
    waiting = journal._backlog
    first: list[Record] = [CAMERA, VOICE, Begin(2), picture(3, key=True)]
    last: list[Record] = [picture(701), sound(702), picture(703, key=True), picture(704), sound(705), Stop(706, "")]
    for record in first:
        journal.append(record)
    assert stalled.wait(30)

    for n in range(10, 40):
        journal.append(picture(n))
    assert waiting.bytes < 115 * KIB
    for n in range(40, 100):
        journal.append(sound(n))
    assert waiting.bytes < 155 * KIB
    for n in range(100, 600):
        for lost in (picture(n, key=n % 30 == 0), sound(n), Tick(n)):
            journal.append(lost)
    assert waiting.bytes < 155 * KIB and relieved == []
    for told in (Track(600, 3, "TR_b", "audio", "opus", 48_000, "bob", "Bob", "microphone", False), Begin(601)):
        journal.append(told)

    free.set()
    until(lambda: waiting.bytes == 0)
    journal.append(Tick(700))
    assert relieved == [True]
    for record in last:
        journal.append(record)
    journal.close()

    read = synthetic.read(tmp_path)
    pictures = [record for record in read if isinstance(record, Frame) and record.track == 1]
    sounds = [record for record in read if isinstance(record, Frame) and record.track == 2]
    kept = [record.at for record in pictures]
    assert kept == [3, *range(10, 10 + len(kept) - 3), 703, 704] and 8 <= len(kept) <= 13
    assert [record.at for record in pictures if record.gap] == [703]
    assert {*range(40, 70), 702, 705} <= {record.at for record in sounds}
    assert len([record for record in sounds if record.gap]) == 1 and sounds[-2].gap
    others: list[Record] = [record for record in read if not isinstance(record, Frame | Tick)]
    assert [record.at for record in others] == [1, 1, 2, 600, 601, 706]
    summary = summarize(tmp_path)
    assert summary.media_bytes == sum(len(frame.payload) for frame in (*pictures, *sounds))
    assert (summary.last_at, summary.stopped) == (706, True)


@pytest.mark.usefixtures("small")
def test_as_long_as_the_disk_keeps_up_nothing_is_touched(tmp_path: Path) -> None:
    relieved: list[bool] = []
    journal = JournalWriter(tmp_path, lambda: None, lambda error: None, None, lambda: relieved.append(True))
    appended: list[Record] = [CAMERA, VOICE, *(picture(n, key=n == 0) for n in range(50))]
    for record in appended:
        until(lambda: journal._backlog.bytes < 90 * KIB)
        journal.append(record)
    journal.close()
    assert synthetic.read(tmp_path) == appended and relieved == []
