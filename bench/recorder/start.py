"""`python -m bench.recorder.start [--starts 30]`: milliseconds from POST /recordings to its answer, with media running.

The answer comes when the recording is active, that is, when the first frame is being written.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from meet.demo.api import Api  # noqa: E402
from meet.demo.robot import Robot  # noqa: E402
from meet.demo.server import Server  # noqa: E402

TARGET_MS = 500.0


async def measure(starts: int, pause_s: float) -> list[float]:
    """One start after the other in a room with one publisher."""
    found = []
    with tempfile.TemporaryDirectory(prefix="meet-bench-") as folder:
        async with Server(Path(folder) / "data") as server, Api(server.url, server.api_key) as api:
            room = await api.create_room("Bench")
            url, token = await api.join_token(room, "Ada")
            async with Robot(url, token):
                await asyncio.sleep(4)  # until the spares are warm
                for _ in range(starts):
                    begun = time.perf_counter()
                    recording = await api.start_recording(room["roomId"])
                    found.append((time.perf_counter() - begun) * 1000)
                    await api.stop_recording(recording["recordingId"])
                    await api.wait_for(recording["recordingId"], "complete", "failed", "aborted")
                    await asyncio.sleep(pause_s)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--starts", type=int, default=30)
    parser.add_argument("--pause", type=float, default=2.0, help="seconds between two, in which the spare is refilled")
    options = parser.parse_args()
    os.environ["MEET_RATE_LIMITS"] = "false"
    found = sorted(asyncio.run(measure(options.starts, options.pause)))
    p95 = found[math.ceil(0.95 * len(found)) - 1]
    print(
        f"POST recording to active, {len(found)} starts: median {statistics.median(found):.0f} ms, p95 {p95:.0f} ms, "
        f"worst {found[-1]:.0f} ms (target p95 <= {TARGET_MS:.0f} ms{'' if p95 <= TARGET_MS else ': missed'})"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
