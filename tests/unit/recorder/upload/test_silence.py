"""Stores that neither answer nor refuse."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import pytest

from meet.recorder.upload import silence
from meet.recorder.upload.silence import telling


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(silence, "WORTH_TELLING_S", 0.3)
    monkeypatch.setattr(silence, "_LOOK_S", 0.01)


async def test_a_store_that_hangs_is_told_of_once(tmp_path: Path) -> None:
    told: list[str] = []
    async with telling(tmp_path / "none.upload", told.append):
        while not told:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.5)
    assert told == ["the store has confirmed nothing for 0.3 s"]


async def test_parts_that_arrive_are_an_answer(tmp_path: Path) -> None:
    told: list[str] = []
    progress = tmp_path / "composite.upload"
    progress.touch()
    os.utime(progress, (time.time() + 60,) * 2)  # as if one came in every moment of the test
    async with telling(progress, told.append):
        await asyncio.sleep(0.6)
    assert told == []


async def test_nothing_is_told_afterwards(tmp_path: Path) -> None:
    told: list[str] = []
    async with telling(tmp_path / "none.upload", told.append):
        pass
    await asyncio.sleep(0.5)
    assert told == []
