"""People come, publish and go, over and over: afterwards the media server holds no more than before.

Only with `make soak`, which sets MEET_SOAK_CYCLES. Nine of ten are light participants, leaving in all the ways there
are; the tenth is the SDK, publishing real pictures and sound.
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
from tests.e2e.media.cycles import gone, stay
from tests.e2e.media.sdk import Robot
from tests.support.light import LightParticipant

CYCLES = int(os.environ.get("MEET_SOAK_CYCLES", "0"))
WARM = 150
"""Enough for MAX_CUT_OFF to be reached."""
AT_ONCE = 5
REPORT_EVERY = 50
MAX_CUT_OFF = 20
"""How many may be waited for at a time. Each of them still subscribes to all others, so on a fast machine the memory at
the peak, and what the allocator keeps of it, would be that of a crowd and tell nothing of what is left behind."""
RESUME_S = 22
"""Those whose socket was cut are kept for 20 s."""


@dataclass
class Process:
    """A media server of its own, so that the clients' memory does not count."""

    port: int
    rtc_port: int
    handle: psutil.Process

    def held(self) -> tuple[int, int, int]:
        """(file descriptors, threads, resident bytes)."""
        return self.handle.num_fds(), self.handle.num_threads(), self.handle.memory_info().rss

    async def enter(self, identity: str, single_pc: bool) -> LightParticipant:
        robot = LightParticipant(identity, f"http://127.0.0.1:{self.port}", self.rtc_port, single_pc=single_pc)
        await robot.join(access_token(identity))
        return robot


@pytest.fixture
async def process() -> AsyncIterator[Process]:
    options = ["--port", "0", "--rtc-port", "0", "--api-key", KEY, "--api-secret", SECRET]
    started = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "meet.media.main", "--dev", *options),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert started.stdout is not None
    ready = (await asyncio.wait_for(started.stdout.readline(), 60)).split()
    yield Process(int(ready[1]), int(ready[2]), psutil.Process(started.pid))
    started.terminate()
    await asyncio.wait_for(started.wait(), 60)


async def sdk_stay(process: Process, number: int, watcher: LightParticipant) -> None:
    """The same with the SDK: join, publish picture and sound, be seen, leave."""
    robot = Robot(f"sdk-{number}")
    token = access_token(robot.identity, can_subscribe=False)
    await robot.join(f"ws://127.0.0.1:{process.port}", token, single_pc=number % 20 == 0)
    await robot.publish_video()
    await robot.publish_audio()
    info = None
    try:
        async with asyncio.timeout(120):
            while info is None or len(info.tracks) < 2 or not all(watcher.received[t.sid] > 2 for t in info.tracks):
                await asyncio.sleep(0.1)
                info = watcher.others.get(robot.identity)
    except TimeoutError:
        pytest.fail(f"{robot.identity} is not received: {info}, {watcher.received}, {robot.room.connection_state}")
    await robot.leave()
    await gone(watcher, robot.identity)


def report(process: Process, cycles: int) -> tuple[int, int, int]:
    files, threads, resident = process.held()
    print(f"{cycles} cycles: {files} descriptors, {threads} threads, {resident / 2**20:.1f} MiB", flush=True)
    return files, threads, resident


@pytest.mark.skipif(not CYCLES, reason="make soak")
@pytest.mark.timeout(300 + 2 * CYCLES)
async def test_nothing_is_left_behind(process: Process) -> None:
    watcher = await process.enter("watcher", True)

    async def rounds(numbers: range) -> None:
        for first in numbers[::AT_ONCE]:
            while len(watcher.others) > MAX_CUT_OFF:
                await asyncio.sleep(0.1)
            batch = range(first, min(first + AT_ONCE, numbers.stop))
            await asyncio.gather(
                *(sdk_stay(process, n, watcher) if n % 10 == 0 else stay(n, process.enter, watcher) for n in batch)
            )

    # The first rounds fill caches and allocator pools.
    held: list[tuple[int, int, int]] = []
    await rounds(range(CYCLES, CYCLES + WARM))
    for first in range(0, CYCLES, REPORT_EVERY):
        if not held:
            await asyncio.sleep(RESUME_S)
        held.append(report(process, first))
        await rounds(range(first, min(first + REPORT_EVERY, CYCLES)))
    await asyncio.sleep(RESUME_S)
    held.append(report(process, CYCLES))
    await watcher.leave()
    before, after = held[0], held[-1]
    assert after[0] - before[0] <= 2, held
    assert after[1] <= before[1], held
    assert after[2] - before[2] <= 10 << 20, held
