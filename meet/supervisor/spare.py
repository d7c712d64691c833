"""A recorder process that has everything imported and waits to be told which recording is its own."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass

from meet.supervisor.child import Process, Running, spawn
from meet.supervisor.lifeline import Lifeline, NoProcess


@dataclass(frozen=True)
class Spare:
    """orders: the writing end of the pipe it reads from, ours until it is told or ended."""

    process: Process
    lifeline: Lifeline
    orders: int

    def tell(self, what: str, first_beat_s: float) -> Running | None:
        """Have it begin; it beats within so many seconds. None when it has ended, and is no use any more."""
        try:
            with contextlib.suppress(OSError):
                if self.process.returncode is None:
                    os.write(self.orders, f"{what}\n".encode())  # the pipe is empty: that never blocks
                    self.lifeline.expect(first_beat_s)
                    return self.process, self.lifeline
        finally:
            os.close(self.orders)
        return None

    async def end(self) -> None:
        """SIGKILL, and wait."""
        os.close(self.orders)
        if self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.process.pid, signal.SIGKILL)
        await self.process.wait()


async def imported(env: Mapping[str, str]) -> Spare:
    """One that has begun to import everything itself; its lifeline tells when it is ready. Raises NoProcess."""
    try:
        orders_end, orders = os.pipe()
    except OSError as error:
        raise NoProcess(error.strerror) from error
    try:
        process, lifeline = await spawn(("recorder", "--standby"), env, stdin=orders_end)
    except BaseException:
        os.close(orders)
        raise
    finally:
        os.close(orders_end)
    return Spare(process, lifeline, orders)
