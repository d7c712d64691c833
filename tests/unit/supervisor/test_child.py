"""Children are awaited, restarted and ended as the supervisor promises; with real processes."""

from __future__ import annotations

import asyncio
import errno
import gc
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import structlog

from meet.supervisor import child as child_module
from meet.supervisor.child import Child
from meet.supervisor.lifeline import ChildFailed
from meet.supervisor.run import _unless

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
if mode == "slow":
    time.sleep(60)
if mode == "polite":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
if mode == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.write(int(os.environ["MEET_READY_FD"]), b"ready\\n")
if mode == "hangs":
    os.write(int(os.environ["MEET_READY_FD"]), b".")
while mode == "beats":
    os.write(int(os.environ["MEET_READY_FD"]), b".")
    time.sleep(0.05)
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


def new(log: Path, mode: str, **options: Any) -> Child:
    return Child((str(log), mode), dict(os.environ), **options)


async def until(condition: object, timeout_s: float = 40.0) -> None:
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


async def test_a_machine_that_has_nothing_left_for_a_moment(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failures: list[str] = []
    child = new(log, "serve", on_failure=failures.append)
    await child.start()
    first, pipe, refusals = child.pid, os.pipe, iter([errno.EMFILE, errno.ENFILE])

    def full() -> tuple[int, int]:
        for number in refusals:
            raise OSError(number, os.strerror(number))
        return pipe()

    monkeypatch.setattr(os, "pipe", full)
    assert first is not None
    with structlog.testing.capture_logs() as told:
        os.kill(first, signal.SIGKILL)
        await until(lambda: child.pid not in (None, first))
    assert [line["reason"] for line in told if line["event"] == "process_not_started"] == [
        "Too many open files",
        "Too many open files in system",
    ]
    assert failures == ["died", "not_started", "not_started"]
    await child.stop(5)


async def test_a_program_that_is_not_there(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gc.collect()  # what earlier tests have left goes at any moment otherwise
    descriptors = len(list(Path("/proc/self/fd").iterdir()))
    monkeypatch.setattr(child_module, "COMMAND", ("/nonexistent/python",))
    with pytest.raises(ChildFailed, match="No such file or directory"):
        await new(log, "serve").start()
    assert len(list(Path("/proc/self/fd").iterdir())) == descriptors


async def test_ctrl_c_is_for_the_supervisor_alone(log: Path) -> None:
    """A terminal signals its whole process group; the supervisor ends its children one after the other."""
    child = new(log, "serve")
    await child.start()
    assert child.pid is not None and os.getpgid(child.pid) == child.pid != os.getpgid(0)
    await child.stop(5)


async def test_one_that_is_renewed_is_back_at_once(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child_module, "FIRST_BACKOFF_S", 60.0)  # not a death, so there is no pause
    child = new(log, "polite")
    await child.start()
    first = child.pid
    assert await asyncio.wait_for(child.renew(), 40) == first
    assert child.pid not in (None, first)
    await child.stop(5)
    with pytest.raises(ValueError, match="is not running"):
        await child.renew()


async def test_one_that_does_not_end_is_renewed_the_hard_way(log: Path) -> None:
    child = new(log, "stubborn")
    await child.start()
    first = child.pid
    assert await asyncio.wait_for(child.renew(0.1), 40) == first
    assert child.pid not in (None, first)
    await child.stop(0.1)


async def test_one_that_is_not_ready_yet_cannot_be_renewed(log: Path) -> None:
    """The signal would end it in the middle of its start, and with it the start of the whole server."""
    child = new(log, "slow")
    starting = asyncio.create_task(child.start())
    await until(lambda: child.pid is not None)
    with pytest.raises(ValueError, match="is not running"):
        await child.renew()
    await child.stop(0.1)
    with pytest.raises(ChildFailed):
        await starting


async def test_one_that_has_died_is_not_killed_again(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its number may belong to somebody else by now."""
    monkeypatch.setattr(child_module.Backoff, "pause_s", lambda *_: 60.0)
    child = new(log, "fails-twice")
    await child.start()
    await until(lambda: child.pid is None)
    signalled: list[object] = []
    monkeypatch.setattr(child_module, "_signal", lambda *what: signalled.append(what))
    await child.kill()
    assert not signalled and child.finished.is_set()


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
    await asyncio.wait_for(again.finished.wait(), 40)
    assert len(starts(log)) == 2


async def test_until_success_stops_restarting_at_exit_0(log: Path) -> None:
    failures: list[str] = []
    child = new(log, "fails-twice", until_success=True, on_failure=failures.append)
    child.launch()
    await asyncio.wait_for(child.finished.wait(), 40)
    assert len(starts(log)) == 3
    assert failures == ["died", "died"]


async def test_one_that_beats_no_more_is_killed_and_comes_back(log: Path) -> None:
    failures: list[str] = []
    child = new(log, "hangs", hung_after_s=0.3, on_failure=failures.append)
    await child.start()
    await until(lambda: len(starts(log)) >= 2)
    assert failures[0] == "hung"
    await child.stop(5)


async def test_one_that_never_beats_is_left_alone(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child_module, "_LOOK_S", 0.05)
    child = new(log, "serve", hung_after_s=0.1)
    await child.start()
    await asyncio.sleep(0.5)
    assert len(starts(log)) == 1
    await child.stop(5)


async def test_silence_does_not_count_while_the_supervisor_itself_was_held_up(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A container that is paused and goes on, for example: all of its processes were silent for as long."""
    monkeypatch.setattr(child_module, "_LOOK_S", 0.1)
    child = new(log, "beats", hung_after_s=1.5)
    await child.start()
    assert child.pid is not None
    await asyncio.sleep(0.2)  # until it is looked at
    os.kill(child.pid, signal.SIGSTOP)
    time.sleep(2)
    os.kill(child.pid, signal.SIGCONT)
    await asyncio.sleep(0.5)
    assert len(starts(log)) == 1
    await child.stop(5)


def test_pauses_between_restarts() -> None:
    ordinary = child_module.Backoff(patient=False)
    pauses = [ordinary.pause_s(1) for _ in range(9)]
    assert pauses[:3] == [0.2, 0.4, 0.8]
    assert pauses[-1] == 5.0
    assert ordinary.pause_s(60) == 0.2
    patient = child_module.Backoff(patient=True)
    assert [patient.pause_s(1) for _ in range(6)] == [0.0, 0.0, 0.0, 0.0, 0.25, 0.5]


async def test_one_that_ignores_sigterm_is_killed(log: Path) -> None:
    child = new(log, "stubborn")
    await child.start()
    await child.stop(0.2)
    assert child.pid is None


async def test_one_that_is_stopped_while_it_starts_leaves_no_complaint(log: Path) -> None:
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    child = new(log, "slow")
    child.launch()
    await until(log.exists)
    await child.stop(5)
    assert child.pid is None
    await asyncio.sleep(0.1)  # the loop reads the end of its pipe
    del child
    gc.collect()
    assert complaints == []


async def test_starting_ends_when_the_server_is_told_to_stop(log: Path) -> None:
    stop, child = asyncio.Event(), new(log, "slow")
    starting = asyncio.create_task(_unless(stop, child.start()))
    await until(log.exists)
    stop.set()
    assert not await asyncio.wait_for(starting, 40)
    await child.stop(5)
    assert child.pid is None
    with pytest.raises(ChildFailed):
        await _unless(asyncio.Event(), new(log, "never-ready").start())
