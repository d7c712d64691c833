"""A composer that is stuck inside a codec makes its process fall silent, so that it is replaced."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from meet.config import Settings
from meet.recorder import composing as composing_module
from meet.recorder import main, state
from meet.recorder.composer.output import Output
from meet.recorder.composing import Composing
from meet.recorder.journal import writer as writer_module
from meet.recorder.journal.reader import JournalReader
from meet.recorder.journal.records import Tick
from meet.recorder.journal.writer import JournalWriter
from tests.unit.recorder import synthetic
from tests.unit.recorder.composer.test_compose import SMALL
from tests.unit.recorder.synthetic import meeting


async def until(told: list[str], count: int) -> None:
    async with asyncio.timeout(40):
        while len(told) < count:
            await asyncio.sleep(0.01)


async def test_a_stuck_codec_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(composing_module, "STUCK_S", 0.5)
    monkeypatch.setattr(main, "_BEAT_S", 0.02)
    synthetic.write(tmp_path / "journal", meeting([], 2.0))
    (tmp_path / "request.json").write_text(json.dumps({"layout": "grid"}))
    inside, free = threading.Event(), threading.Event()
    real = Output.video

    def stuck(self: Output, *picture: Any) -> None:
        if picture[1] == 20:
            inside.set()
            free.wait()
        real(self, *picture)

    monkeypatch.setattr(Output, "video", stuck)
    composing = Composing(tmp_path, SMALL, on_ready=lambda: None, on_tiles=lambda sizes: None)
    told: list[str] = []
    over = asyncio.Event()

    class Recorder:
        def stuck(self) -> bool:
            return composing.stuck

        async def run(self) -> int:
            await over.wait()
            return 0

    recorder: Any = Recorder()
    beating = asyncio.create_task(main._beating(recorder, lambda: told.append("alive")))
    await until(told, 3)
    composed = composing.finished()
    await asyncio.to_thread(inside.wait)
    async with asyncio.timeout(40):
        while not composing.stuck:
            await asyncio.sleep(0.02)
    await asyncio.sleep(0.1)
    silent = len(told)
    await asyncio.sleep(0.3)
    assert len(told) == silent and not beating.done()
    composing.excuse()
    assert not composing.stuck, "it may start counting again"
    async with asyncio.timeout(40):
        while not composing.stuck:
            await asyncio.sleep(0.02)
    free.set()
    assert (await composed).frames == 60
    assert not composing.stuck, "work for the disk, or none, is not being stuck"
    over.set()
    assert await beating == 0


async def test_waiting_for_the_meeting_is_not_being_stuck(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(composing_module, "STUCK_S", 0.2)
    waits, wait = threading.Event(), JournalReader._wait

    def waiting(reader: JournalReader, seen: int) -> bool:
        waits.set()
        return wait(reader, seen)

    monkeypatch.setattr(JournalReader, "_wait", waiting)
    synthetic.write(tmp_path / "journal", meeting([], 1.0)[:-1])
    (tmp_path / "request.json").write_text("{}")
    composing = Composing(tmp_path, SMALL, on_ready=lambda: None, on_tiles=lambda sizes: None)
    reader = JournalReader(tmp_path / "journal")
    composed = composing.live(reader, lambda: synthetic.ZERO)
    assert await asyncio.to_thread(waits.wait, 60)
    await asyncio.sleep(0.5)
    assert not composing.stuck
    reader.finish()
    assert (await composed).frames > 0


async def test_a_journal_that_waits_for_the_disk_is_never_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is queued would be lost, and the composer that is stuck has most likely nothing worse than the same disk."""
    monkeypatch.setattr(composing_module, "STUCK_S", 0.2)
    monkeypatch.setattr(writer_module, "WAITING_S", 1.0)
    there = threading.Event()
    fdatasync = os.fdatasync
    monkeypatch.setattr(os, "fdatasync", lambda fd: (there.wait(), fdatasync(fd)))
    (tmp_path / "request.json").write_text(json.dumps({"egress_id": "EG_x", "room_name": "a", "key": "a.mp4"}))
    first = state.EgressState.from_request(json.loads((tmp_path / "request.json").read_text()))
    recorder = main.Recorder(Settings.load(data_dir=tmp_path), tmp_path, first, None, deferred=False)
    assert not recorder.stuck()
    recorder._composing = composing = Composing(tmp_path, SMALL, on_ready=lambda: None, on_tiles=lambda sizes: None)
    recorder._composing_stuck = lambda: composing.stuck
    recorder._writer = writer = JournalWriter(tmp_path / "journal", lambda: None, lambda error: None)
    writer.append(Tick(1))
    composing._step()
    async with asyncio.timeout(40):
        while not writer.waiting:
            await asyncio.sleep(0.02)
    assert composing.stuck and not recorder.stuck()
    there.set()  # the composer stays where it is
    async with asyncio.timeout(40):
        while not recorder.stuck():
            await asyncio.sleep(0.02)
    await asyncio.to_thread(writer.close)
    assert not writer.waiting
