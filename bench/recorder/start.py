"""`python -m bench.recorder.start [--starts 30]`: milliseconds from POST /recordings to its answer, with media running.

The answer comes when the recording is active, that is, when the first frame is being written. `--burst N` adds N
meetings whose recordings are started one second after the other, however long each takes, so that spares are used up.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import math
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

from livekit import rtc

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from meet.demo.api import Api, ApiError  # noqa: E402
from meet.demo.robot import Robot  # noqa: E402
from meet.demo.server import Server  # noqa: E402

TARGET_MS = 500.0
_WARM_S = 4.0
_EVERY_S = 1.0


@contextlib.asynccontextmanager
async def serving() -> AsyncIterator[Api]:
    with tempfile.TemporaryDirectory(prefix="meet-bench-") as folder:
        async with Server(Path(folder) / "data") as server, Api(server.url, server.api_key) as api:
            yield api


async def measure(starts: int, pause_s: float) -> list[float]:
    """One start after the other in a room with one publisher."""
    found = []
    async with serving() as api:
        room = await api.create_room("Bench")
        url, token = await api.join_token(room, "Ada")
        async with Robot(url, token):
            await asyncio.sleep(_WARM_S)  # until the spares are warm
            for _ in range(starts):
                begun = time.perf_counter()
                recording = await api.start_recording(room["roomId"])
                found.append((time.perf_counter() - begun) * 1000)
                await api.stop_recording(recording["recordingId"])
                await api.wait_for(recording["recordingId"], "complete", "failed", "aborted")
                await asyncio.sleep(pause_s)
    return found


async def burst(meetings: int) -> tuple[list[float], int]:
    """Starts in as many meetings as wanted, each of one silent person, a second apart. (Milliseconds, refusals)."""
    async with serving() as api, contextlib.AsyncExitStack() as stack:
        rooms = [await api.create_room(f"Bench {number}") for number in range(meetings)]
        for room in rooms:
            person = rtc.Room()
            await person.connect(*await api.join_token(room, "Ada"))
            stack.push_async_callback(person.disconnect)
        await asyncio.sleep(_WARM_S)

        async def start(number: int) -> float | None:
            await asyncio.sleep(number * _EVERY_S)
            begun = time.perf_counter()
            try:
                recording = await api.start_recording(rooms[number]["roomId"])
            except ApiError as error:
                if error.status != 503:
                    raise
                return None
            took = (time.perf_counter() - begun) * 1000
            await api.stop_recording(recording["recordingId"])  # and nobody asks how far it is
            return took

        found = await asyncio.gather(*(start(number) for number in range(meetings)))
    return [took for took in found if took is not None], found.count(None)


def row(what: str, times: list[float], refused: int = 0) -> str:
    found = sorted(times)
    told = f", {refused} refused" if refused else ""
    if not found:
        return f"{what}, 0 starts{told}"
    p95 = found[math.ceil(0.95 * len(found)) - 1]
    return (
        f"{what}, {len(found)} starts{told}: median {statistics.median(found):.0f} ms, p95 {p95:.0f} ms, "
        f"worst {found[-1]:.0f} ms (p95 is {p95 / TARGET_MS:.2f} of the {TARGET_MS:.0f} ms wanted; "
        f"load average {os.getloadavg()[0]:.0f})"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--starts", type=int, default=30)
    parser.add_argument("--pause", type=float, default=2.0, help="seconds between two, in which the spare is refilled")
    parser.add_argument("--burst", type=int, default=12, help="meetings whose recordings are started a second apart")
    options = parser.parse_args()
    os.environ["MEET_RATE_LIMITS"] = "false"
    os.environ["MEET_RECORDING_MAX_CPU"] = "0"
    if options.starts:
        print(row("POST recording to active", asyncio.run(measure(options.starts, options.pause))))
    if options.burst:
        print(row("the same a second apart", *asyncio.run(burst(options.burst))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
