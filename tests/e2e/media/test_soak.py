"""People come, publish and go, over and over: afterwards the media server holds no more than before.

Only with `make soak`, which sets MEET_SOAK_CYCLES: it needs a machine with nothing else to do.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass

import psutil
import pytest

from tests.e2e.media.conftest import KEY, SECRET, access_token
from tests.e2e.media.sdk import Robot, until

CYCLES = int(os.environ.get("MEET_SOAK_CYCLES", "0"))
AT_ONCE = 3


@dataclass
class Process:
    """A media server of its own, so that the clients' memory does not count."""

    port: int
    handle: psutil.Process

    def held(self) -> tuple[int, int, int]:
        """(file descriptors, threads, resident bytes)."""
        return self.handle.num_fds(), self.handle.num_threads(), self.handle.memory_info().rss


@pytest.fixture
async def process() -> AsyncIterator[Process]:
    options = ["--port", "0", "--rtc-port", "0", "--api-key", KEY, "--api-secret", SECRET]
    started = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "meet.media.main", "--dev", *options),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert started.stdout is not None
    ready = (await asyncio.wait_for(started.stdout.readline(), 20)).split()
    yield Process(int(ready[1]), psutil.Process(started.pid))
    started.terminate()
    await asyncio.wait_for(started.wait(), 20)


async def stay(process: Process, number: int, watcher: Robot) -> None:
    """One cycle: join, publish picture and sound, be seen, leave."""
    robot = Robot(f"r{number}")
    token = access_token(robot.identity, can_subscribe=False)
    await robot.join(f"ws://127.0.0.1:{process.port}", token, single_pc=number % 2 == 0)
    await robot.publish_video()
    await robot.publish_audio()
    await until(lambda: watcher.frames.get(robot.identity, 0) > 2 and watcher.loud.get(robot.identity, 0) > 2, 60)
    await robot.leave()


@pytest.mark.skipif(not CYCLES, reason="make soak")
@pytest.mark.timeout(120 + 6 * CYCLES)
async def test_nothing_is_left_behind(process: Process) -> None:
    watcher = Robot("watcher")
    await watcher.join(f"ws://127.0.0.1:{process.port}", access_token("watcher"))
    held: list[tuple[int, int, int]] = []
    for first in range(0, CYCLES, AT_ONCE):
        await asyncio.gather(*(stay(process, n, watcher) for n in range(first, min(first + AT_ONCE, CYCLES))))
        await until(lambda: not watcher.room.remote_participants, 60)
        await asyncio.sleep(0.3)
        held.append(process.held())
    await watcher.leave()
    # The first rounds fill caches and allocator pools.
    warm, end = held[min(3, len(held) - 1)], held[-1]
    assert end[0] - warm[0] <= 2, held
    assert end[1] <= warm[1], held
    assert end[2] - warm[2] <= 10 << 20, held
