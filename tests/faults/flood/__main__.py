"""Run the attacks one after the other beside a meeting of two; see the package's docstring."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from typing import Any

from tests.faults.flood.attacks import ATTACKS
from tests.support.light import LightParticipant
from tests.unit.media.gateway.client import token


class Meeting:
    """Two people in the room `quiet`; every 20 ms one sends a picture and a sound."""

    def __init__(self, port: int, rtc_port: int) -> None:
        url = f"http://127.0.0.1:{port}"
        self.speaker, self.listener = (LightParticipant(name, url, rtc_port) for name in ("speaker", "listener"))
        self._sent = 0

    async def begin(self) -> None:
        for robot in (self.listener, self.speaker):
            await robot.join(token(robot.identity, "quiet"))
        await self.speaker.publish()
        self._task = asyncio.create_task(self._speak())
        async with asyncio.timeout(60):
            while self.listener.received.total() < 10:
                await asyncio.sleep(0.05)

    async def _speak(self) -> None:
        while True:
            self.speaker.send_frame()
            self._sent += 2
            await asyncio.sleep(0.02)

    def mark(self) -> tuple[int, int]:
        return self._sent, self.listener.received.total()

    async def end(self) -> None:
        self._task.cancel()
        await self.speaker.leave()
        await self.listener.leave()


class Victim:
    """The server process."""

    async def start(self) -> None:
        self._process: Process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.faults.flood.server"), stdin=PIPE, stdout=PIPE
        )
        self.port, self.rtc_port = map(int, (await self._line()).split())

    async def _line(self) -> bytes:
        assert self._process.stdout is not None
        return await asyncio.wait_for(self._process.stdout.readline(), 60)

    async def report(self) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(b"\n")
        found: dict[str, Any] = json.loads(await self._line())
        return found

    async def stop(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        await asyncio.wait_for(self._process.wait(), 60)


async def run(names: list[str], seconds: int, rate: int) -> list[dict[str, Any]]:
    """One row per attack, the first one without any."""
    with contextlib.suppress(PermissionError):
        os.nice(-10)  # server and meeting, not the attackers: other work on this machine is not what is measured
    victim = Victim()
    await victim.start()
    meeting = Meeting(victim.port, victim.rtc_port)
    await meeting.begin()
    rows = []
    for name in ["nothing", *names]:
        await victim.report()
        sent, arrived = meeting.mark()
        before = (await victim.report())["received"]
        shots = 0
        if name == "nothing":
            await asyncio.sleep(seconds)
        else:
            numbers = map(str, (victim.port, victim.rtc_port, seconds, rate))
            attacker = await asyncio.create_subprocess_exec(
                *("nice", "-n", "10", sys.executable, "-m", "tests.faults.flood.attacks", name, *numbers), stdout=PIPE
            )
            assert attacker.stdout is not None
            shots = int(await asyncio.wait_for(attacker.stdout.readline(), seconds + 60) or b"0")
            await attacker.wait()
        report = await victim.report()
        now_sent, now_arrived = meeting.mark()
        report["received"] -= before
        share = (now_arrived - arrived) / max(1, now_sent - sent)
        rows.append({"attack": name, "per_s": shots // seconds, "arrived": round(share, 3), **report})
        print(json.dumps(rows[-1]), flush=True)
    await meeting.end()
    await victim.stop()
    return rows


def main() -> None:
    """Print a table; exit 1 when the other room lost more than a fiftieth of its packets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("attacks", nargs="*", default=list(ATTACKS))
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--rate", type=int, default=0, help="shots a second; 0: what each attack usually does")
    arguments = parser.parse_args()
    rows = asyncio.run(run(arguments.attacks, arguments.seconds, arguments.rate))
    sys.exit(any(row["arrived"] < 0.98 for row in rows))


if __name__ == "__main__":
    main()
