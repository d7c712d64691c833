"""Processes that are ready before they are needed: forked, adopted, and imported where there is no fork server."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest
import structlog

from meet.supervisor import child as child_module
from meet.supervisor import spares as spares_module
from meet.supervisor.child import Child, Running
from meet.supervisor.lifeline import NoProcess
from meet.supervisor.spares import SPARES, Spares

ROOT = Path(__file__).parents[3]
SCRIPT = f"""
import os, sys, threading, time
sys.path.insert(0, {str(ROOT)!r})
from meet.supervisor import forking, ready
ready.die_with_parent()
folder, mode = sys.argv[0].rpartition("/")[0], os.environ.get("MODE", "")
orders, forked = 0, sys.argv[2] == "--fork-server"
if forked:
    if os.path.exists(folder + "/hanging"):
        os.unlink(folder + "/hanging")
        time.sleep(600)
    if mode == "threads":
        threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
    orders = forking.serve(int(sys.argv[3]))
ready.notify(will_beat=True)
told = forking.told(orders)
if told.isdigit():
    os._exit(int(told))
if told:
    with open(folder + "/told", "a") as file:
        file.write(f"{{told}} {{os.getpid()}} {{os.getppid()}} {{'forked' if forked else 'imported'}}\\n")
    time.sleep(600)
"""


@pytest.fixture
async def spares(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Spares]:
    (tmp_path / "script.py").write_text(SCRIPT)
    monkeypatch.setattr(child_module, "COMMAND", (sys.executable, str(tmp_path / "script.py")))
    monkeypatch.setattr(spares_module, "_REFILL_AFTER_S", 0.0)
    before = {one.pid for one in psutil.Process().children()}
    made = Spares(dict(os.environ))
    yield made
    await made.close()
    assert [one.pid for one in psutil.Process().children() if one.pid not in before] == []  # not even zombies


async def full(spares: Spares) -> None:
    async with asyncio.timeout(60):
        while spares.ready < SPARES:
            await asyncio.sleep(0.01)


async def end(running: Running) -> int:
    os.kill(running[0].pid, signal.SIGKILL)
    return await running[0].wait()


async def lines(folder: Path, count: int) -> list[list[str]]:
    async with asyncio.timeout(60):
        while not (folder / "told").exists() or len((folder / "told").read_text().splitlines()) < count:
            await asyncio.sleep(0.01)
    return [line.split() for line in (folder / "told").read_text().splitlines()]


async def test_forked_ones_are_ours_and_as_many_as_wanted(spares: Spares, tmp_path: Path) -> None:
    """The supervisor learns how they end, whatever becomes of the fork server, and they are told different things."""
    async with asyncio.timeout(60):
        running = await asyncio.gather(*(spares.take(f"EG_{number}") for number in range(5)))
    found = await lines(tmp_path, 5)
    assert {line[0] for line in found} == {f"EG_{number}" for number in range(5)}
    assert {line[1] for line in found} == {str(process.pid) for process, _ in running}
    assert {(line[2], line[3]) for line in found} == {(str(os.getpid()), "forked")}
    groups = {os.getpgid(process.pid) for process, _ in running}
    assert groups == {process.pid for process, _ in running}
    code = await spares.take("7")
    assert await code[0].wait() == 7
    await full(spares)
    server = spares._server
    assert server is not None
    os.kill(server._process.pid, signal.SIGKILL)
    await server.ended()
    assert [process.returncode for process, _ in running] == [None] * 5
    running.append(await spares.take("EG_after"))
    assert [await end(one) for one in running] == [-signal.SIGKILL] * 6


async def test_a_fork_server_that_died_is_replaced(
    spares: Spares, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spares_module, "_DISTRUST_S", 0.0)
    spares.warm()
    await full(spares)
    first = spares._server
    assert first is not None
    with structlog.testing.capture_logs() as told:
        os.kill(first._process.pid, signal.SIGKILL)
        async with asyncio.timeout(60):
            while spares._server in (first, None):
                await asyncio.sleep(0.01)
    assert [line["event"] for line in told] == ["fork_server_died"]
    running = [await spares.take(f"EG_{number}") for number in range(SPARES + 1)]
    assert {line[3] for line in await lines(tmp_path, SPARES + 1)} == {"forked"}
    for one in running:
        await end(one)


async def test_a_fork_server_that_hangs_is_done_without(
    spares: Spares, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped while it serves: what waits is imported instead."""
    monkeypatch.setattr("meet.supervisor.forks._FORK_TIMEOUT_S", 0.3)
    spares.warm()
    await full(spares)
    server = spares._server
    assert server is not None
    os.kill(server._process.pid, signal.SIGSTOP)
    running = [await spares.take(f"EG_{number}") for number in range(SPARES + 1)]
    kinds = [line[3] for line in await lines(tmp_path, SPARES + 1)]
    assert sorted(kinds) == ["forked"] * SPARES + ["imported"]
    assert not psutil.pid_exists(server._process.pid)
    for one in running:
        await end(one)


async def test_whoever_waits_gets_what_is_ready_first(
    spares: Spares, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fork server that hangs in its imports keeps nobody for long."""
    (tmp_path / "hanging").touch()
    monkeypatch.setattr(spares_module, "_COMING_S", 0.2)
    monkeypatch.setattr("meet.supervisor.forks.IMPORTING_S", 1.0)
    async with asyncio.timeout(60):
        running = await spares.take("EG_first")
        assert (await lines(tmp_path, 1))[0][3] == "imported"
        await full(spares)
    await end(running)


async def test_where_threads_run_nothing_is_forked(tmp_path: Path, spares: Spares) -> None:
    """They would be missing in the new process, and what they had locked would stay so."""
    spares._env = {**os.environ, "MODE": "threads"}
    running = await spares.take("EG_x")
    assert (await lines(tmp_path, 1))[0][3] == "imported"
    assert spares._server is None
    await end(running)


async def test_without_a_program_whoever_waits_is_told(spares: Spares, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child_module, "COMMAND", ("/nonexistent/python",))
    with pytest.raises(NoProcess, match="No such file"):
        await spares.take("EG_x")


async def test_a_spare_that_was_killed_is_given_to_nobody(spares: Spares, tmp_path: Path) -> None:
    spares.warm()
    await full(spares)
    for spare in spares._ready:
        os.kill(spare.process.pid, signal.SIGKILL)
        await spare.process.wait()
    running = await spares.take("EG_x")
    assert (await lines(tmp_path, 1))[0][1] == str(running[0].pid)
    await end(running)


async def test_a_forked_process_is_watched_like_any_other(spares: Spares, tmp_path: Path) -> None:
    """Killed when it hangs, restarted when it dies, ended when it is to end."""
    why: list[str] = []
    child = Child(
        ("recorder", "EG_x"),
        dict(os.environ),
        until_success=True,
        hung_after_s=1.0,
        warm=lambda: spares.take("EG_x"),
        on_failure=why.append,
    )
    child.launch()
    first = int((await lines(tmp_path, 1))[0][1])
    os.kill(first, signal.SIGKILL)
    second = int((await lines(tmp_path, 2))[1][1])
    assert child.pid == second
    assert why == ["died"]
    await child.stop(60)
    assert not psutil.pid_exists(second)


async def test_a_start_that_is_given_up_loses_no_spare(spares: Spares) -> None:
    waiting = asyncio.create_task(spares._next())
    await asyncio.sleep(0)
    async with asyncio.timeout(60):
        await spares._waiting[0]
    assert waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert waiting.cancelled()
    await full(spares)


async def test_spares_are_made_as_soon_as_the_machine_can(spares: Spares, monkeypatch: pytest.MonkeyPatch) -> None:
    command = child_module.COMMAND
    monkeypatch.setattr(child_module, "COMMAND", ("/nonexistent/python",))
    monkeypatch.setattr(spares_module, "_REFILL_RETRY_S", 0.02)
    with structlog.testing.capture_logs() as told:
        spares.warm()
        async with asyncio.timeout(40):
            while not any(line["event"] == "warm_recorder_failed" for line in told):
                await asyncio.sleep(0.01)
    monkeypatch.setattr(child_module, "COMMAND", command)
    await full(spares)


async def test_where_nothing_can_be_adopted_spares_are_imported(
    spares: Spares, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spares_module, "adopt_orphans", lambda adopting: False)
    spares.warm()
    await full(spares)
    running = await spares.take("EG_x")
    assert (await lines(tmp_path, 1))[0][3] == "imported"
    await end(running)
