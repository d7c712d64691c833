"""How long a store may say nothing. Silence counts, never duration: who moves bytes may take hours."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds.

    `answer`: for a request that somebody waits for, from asking to its answer (for a read: to the head of it), with
    all tries and the wait for a free connection. `body`: between two pieces of a body that is being read. `upload`:
    while nothing is taken of what is being sent, and until an upload's request is answered, each try by itself.
    """

    answer: float = 10.0
    body: float = 15.0
    upload: float = 60.0


@asynccontextmanager
async def unless_stalled(taken: Callable[[], int], seconds: float) -> AsyncIterator[None]:
    """Raise TimeoutError out of the block when the number that `taken` returns has been the same for that long.

    Neither aiohttp nor the kernel gives up on a peer that keeps a connection open and does not read from it."""
    async with asyncio.timeout(seconds) as limit:
        prolonging = asyncio.create_task(_prolong(limit, taken, seconds))
        try:
            yield
        finally:
            prolonging.cancel()


async def _prolong(limit: asyncio.Timeout, taken: Callable[[], int], seconds: float) -> None:
    loop, before = asyncio.get_running_loop(), taken()
    while True:
        await asyncio.sleep(seconds / 20)
        now = taken()
        if now != before and not limit.expired():
            before = now
            limit.reschedule(loop.time() + seconds)
