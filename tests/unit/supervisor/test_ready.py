"""What a child tells its supervisor, and how it ends with it, whatever the supervisor's process id is."""

from __future__ import annotations

import asyncio
import os

import pytest

from meet.supervisor import ready


def test_a_pipe_tells_whether_the_supervisor_is_still_there() -> None:
    reading, writing = os.pipe()
    try:
        assert not ready._is_broken(writing)
        os.close(reading)
        assert ready._is_broken(writing)
    finally:
        os.close(writing)
    assert ready._is_broken(writing)


async def test_a_process_that_serves_says_so_once_and_then_beats(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ready, "_kept", None)
    monkeypatch.setattr(ready, "_BEAT_S", 0.01)
    reading, writing = os.pipe()
    monkeypatch.setenv(ready.READY_FD_VARIABLE, str(writing))
    try:
        ready.serving()
        told = b""
        async with asyncio.timeout(40):
            while len(told) < len(b"ready\n...."):
                told += await asyncio.to_thread(os.read, reading, 100)
        assert told.startswith(b"ready\n....")
        assert not told.removeprefix(b"ready\n").strip(b".")
    finally:
        monkeypatch.undo()
        os.close(reading)
        os.close(writing)
