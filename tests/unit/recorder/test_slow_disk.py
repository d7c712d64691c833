"""A disk that takes nothing while a recorder starts keeps it neither from recording nor from being seen alive."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from meet.config import Settings
from meet.recorder import durable, finish, main, state
from meet.recorder.cutoff import Cutoff
from meet.recorder.journal.records import Speakers
from meet.recorder.quarantine.ledger import Ledger
from meet.recorder.subscriber import recording as subscriber
from meet.recorder.subscriber.recording import JournalSink, Result, SteadyClock
from tests.unit.recorder import synthetic
from tests.unit.recorder.quarantine.test_journal_only import die
from tests.unit.recorder.test_cutoff import SMALL


class Disk:
    """Its `fsync` waits for `there`. Whoever asked on an event loop's thread is remembered."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.there, self.asked = threading.Event(), threading.Event()
        self.on_a_loop: list[int] = []
        for name in ("fsync", "fdatasync"):
            monkeypatch.setattr(os, name, self._watched(getattr(os, name)))

    def _watched(self, real: Any) -> Any:
        def sync(fd: int) -> None:
            if asyncio._get_running_loop() is not None:
                self.on_a_loop.append(fd)
            self.asked.set()
            assert self.there.wait(30)
            real(fd)

        return sync


class Meeting:
    """Ends when the loop has turned for a while behind a disk that stalls, with something recorded meanwhile."""

    disk: Disk
    beats: list[float]

    def __init__(self, _connect: object, sink: JournalSink, clock: SteadyClock, **_: object) -> None:
        self._sink, self._clock = sink, clock
        self._stop: str | None = None

    def resume(self) -> None:
        """It was not paused."""

    def stop(self, reason: str) -> None:
        self._stop = reason

    async def run(self, *, ever_joined: bool, lost_at: int) -> Result:
        self._sink.begin()
        async with asyncio.timeout(40):
            while not self.disk.asked.is_set():
                await asyncio.sleep(0.01)
            before = len(self.beats)
            while len(self.beats) < before + 3:
                await asyncio.sleep(0.02)
        self._sink.speakers(["ada"])
        assert not self.disk.there.is_set()
        self.disk.there.set()
        return Result("meeting ended", self._clock.now(), True)


class Absent(Meeting):
    """Nobody lets the recorder in before it is told to stop."""

    async def run(self, *, ever_joined: bool, lost_at: int) -> Result:
        async with asyncio.timeout(40):
            while self._stop is None:
                await asyncio.sleep(0.01)
        return Result(self._stop, lost_at, ever_joined)


@pytest.fixture
def spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(main, "_LINGER_S", 0.0)  # there is nobody to be told
    monkeypatch.setattr(main, "_BEAT_S", 0.02)
    spool = tmp_path / "spool" / "EG_x"
    spool.mkdir(parents=True)
    request = {"egress_id": "EG_x", "room_name": "a", "key": "rec/a--x.mp4", "encoding": SMALL}
    (spool / "request.json").write_text(json.dumps(request))
    return spool


@pytest.mark.parametrize("died", [False, True])
def test_the_first_segment_and_a_death_are_written_elsewhere(
    spool: Path, monkeypatch: pytest.MonkeyPatch, died: bool
) -> None:
    if died:
        since = time.time_ns() // 1000 - synthetic.ZERO - 2_000_000
        earlier = (replace(record, at=record.at + since) for record in synthetic.meeting([], 1.0)[:-1])
        synthetic.write(spool / "journal", earlier)
        state.write(spool / "state.json", state.EgressState.from_request(_request(spool)).advance("active"))
        die(spool)
    read: list[Any] = []
    discard = finish.discard

    def discarding(folder: Path, *, keep_journal: bool = False) -> None:
        read.extend(synthetic.read(folder / "journal"))
        assert Ledger.read(folder / "journal").deaths != [] or not died
        discard(folder, keep_journal=keep_journal)

    monkeypatch.setattr("meet.recorder.finish.discard", discarding)
    monkeypatch.setattr(subscriber, "RoomRecording", Meeting)
    beats: list[float] = []
    disk = Disk(monkeypatch)
    Meeting.disk, Meeting.beats = disk, beats
    assert main.run(Settings.load(data_dir=spool.parents[1]), "EG_x", lambda: beats.append(0)) == 0
    assert disk.on_a_loop == []
    found = state.read(spool / "state.json")
    assert found is not None and (found.status, found.error) == ("complete", None), found
    assert any(isinstance(record, Speakers) for record in read), "what came meanwhile is in the journal"


def _request(spool: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((spool / "request.json").read_text())
    return content


@pytest.mark.parametrize("begun", [False, True])
def test_a_disk_that_is_full_from_the_beginning(spool: Path, monkeypatch: pytest.MonkeyPatch, begun: bool) -> None:
    """A recording that has not begun has failed, with the reason; one that goes on ends where it is."""
    monkeypatch.setattr(subscriber, "RoomRecording", Absent)
    if begun:
        synthetic.write(spool / "journal", synthetic.meeting([], 1.0)[:-1])
        state.write(spool / "state.json", state.EgressState.from_request(_request(spool)).advance("active"))
    sync_folder = durable.sync_folder

    def full(folder: Path) -> None:
        if folder.name == "journal":
            raise OSError(errno.ENOSPC, "No space left on device")
        sync_folder(folder)

    known: list[bool] = []
    monkeypatch.setattr("meet.recorder.journal.writer.durable.sync_folder", full)
    discard = finish.discard

    def discarding(folder: Path, *, keep_journal: bool = False) -> None:
        known.append(Cutoff(folder / "journal").known)
        discard(folder, keep_journal=keep_journal)

    monkeypatch.setattr("meet.recorder.finish.discard", discarding)
    assert main.run(Settings.load(data_dir=spool.parents[1]), "EG_x") == 0
    found = state.read(spool / "state.json")
    assert found is not None and known == [True]
    if begun:
        assert found.status == "limit_reached" and "the disk was full" in (found.error or "")
    else:
        assert (found.status, found.error) == (
            "failed",
            "the journal could not be written: No space left on device",
        )
    assert not (spool / "journal").exists()
