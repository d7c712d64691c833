"""Children are awaited, restarted and ended as the supervisor promises; with real processes."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from meet.supervisor import child as child_module
from meet.supervisor.child import Child, ChildFailed

SCRIPT = """
import os, signal, sys, time
log, mode = sys.argv[1], sys.argv[2]
with open(log, "a") as file:
    file.write(f"{os.getpid()}\\n")
starts = len(open(log).read().split())
if mode == "config":
    sys.exit(78)
if mode == "never-ready":
    sys.exit(3)
if mode == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.write(int(os.environ["MEET_READY_FD"]), b"ready\\n")
if mode == "fails-twice":
    sys.exit(0 if starts == 3 else 1)
time.sleep(60)
"""


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    monkeypatch.setattr(child_module, "COMMAND", (sys.executable, str(script)))
    monkeypatch.setattr(child_module, "FIRST_BACKOFF_S", 0.01)
    return tmp_path / "log"


def starts(log: Path) -> list[int]:
    return [int(pid) for pid in log.read_text().split()]


def new(log: Path, mode: str, **kwargs: bool) -> Child:
    return Child((str(log), mode), dict(os.environ), **kwargs)


async def until(condition: object, timeout_s: float = 10.0) -> None:
    assert callable(condition)
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(0.01)


async def test_a_killed_child_comes_back(log: Path) -> None:
    child = new(log, "serve")
    await child.start()
    first = child.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    await until(lambda: len(starts(log)) == 2 and child.pid not in (None, first))
    await child.stop(5)
    assert child.pid is None
    assert len(starts(log)) == 2


async def test_a_child_that_never_gets_ready_is_an_error(log: Path) -> None:
    with pytest.raises(ChildFailed, match="exit code 3"):
        await new(log, "never-ready").start()


async def test_a_configuration_error_is_not_tried_again(log: Path) -> None:
    child = new(log, "config")
    with pytest.raises(ChildFailed):
        await child.start()
    assert child.unrecoverable.is_set()
    again = new(log, "config")
    again.launch()
    await asyncio.wait_for(again.finished.wait(), 10)
    assert len(starts(log)) == 2


async def test_until_success_stops_restarting_at_exit_0(log: Path) -> None:
    child = new(log, "fails-twice", until_success=True)
    child.launch()
    await asyncio.wait_for(child.finished.wait(), 10)
    assert len(starts(log)) == 3


async def test_one_that_ignores_sigterm_is_killed(log: Path) -> None:
    child = new(log, "stubborn")
    await child.start()
    await child.stop(0.2)
    assert child.pid is None
