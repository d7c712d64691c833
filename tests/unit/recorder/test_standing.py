"""state.json is written by a thread: in order, the last state wins, and nobody waits for the disk."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from meet.recorder import durable, state
from meet.recorder import standing as module
from meet.recorder.standing import Standing
from meet.recorder.state import EgressState

FIRST = EgressState("EG_x", "a", "starting", "grid", "H264_720P_30", "rec/a--x.mp4")


class Disk:
    """Takes what it is given when it is `free`; `contents`: what it got, in order. full: so many writes are refused."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.free = threading.Event()
        self.busy = threading.Event()
        self.contents: list[bytes] = []
        self.full = 0
        self._real = durable.replace
        monkeypatch.setattr(durable, "replace", self._replace)

    def _replace(self, path: Path, content: bytes) -> None:
        self.busy.set()
        assert threading.current_thread() is not threading.main_thread()
        assert self.free.wait(30)
        if self.full:
            self.full -= 1
            raise OSError(28, "No space left on device")
        self.contents.append(content)
        self._real(path, content)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    monkeypatch.setattr(module, "_RETRY_S", 0.01)
    return Disk(monkeypatch)


async def test_a_disk_that_stalls_stops_nobody_and_the_last_state_wins(tmp_path: Path, disk: Disk) -> None:
    told: list[EgressState] = []
    standing = Standing(tmp_path / "state.json", FIRST, told.append, lambda: None)
    standing.advance("active")
    await asyncio.to_thread(disk.busy.wait)
    for paused in (True, False, True):
        standing.update(paused=paused)
    standing.advance("ending")
    assert (told, standing.written, standing.now.status) == ([], False, "ending"), "told when it is on the disk"
    disk.free.set()
    await standing.settled()
    assert standing.written and told == [standing.now]
    assert state.read(tmp_path / "state.json") == standing.now
    assert [b'"active"' in content for content in disk.contents] == [True, False], "only the latest is worth it"


async def test_a_disk_that_is_full_is_tried_until_it_is_not(tmp_path: Path, disk: Disk) -> None:
    disk.free.set()
    disk.full = 3
    told: list[str] = []
    standing = Standing(tmp_path / "state.json", FIRST, lambda new: told.append(new.status), lambda: None)
    standing.end("failed", error="for the test")
    await standing.flushed()
    assert not standing.written and told == ["failed"], "the control need not wait for the disk"
    await standing.settled()
    assert standing.written and (disk.full, len(disk.contents)) == (0, 1)
    known = state.read(tmp_path / "state.json")
    assert known is not None and known.final


async def test_details_say_all_that_is_so_now(tmp_path: Path, disk: Disk) -> None:
    disk.free.set()
    told: list[str | None] = []
    standing = Standing(tmp_path / "state.json", FIRST, lambda new: told.append(new.details), lambda: None)

    async def said(subject: str, text: str | None) -> str | None:
        standing.remark(subject, text)
        await standing.settled()
        return told[-1]

    standing.advance("active", details="what an earlier process said")
    assert await said("store", None) is None
    assert await said("machine", "it is busy") == "it is busy"
    assert await said("store", "it is away") == "it is busy; it is away"
    known = len(told)
    assert await said("store", "it is away") == "it is busy; it is away" and len(told) == known
    assert await said("machine", None) == "it is away"
    standing.advance("ending", details="End reason: x")
    assert await said("store", None) == "End reason: x"
    assert standing.final_details() == "End reason: x"
