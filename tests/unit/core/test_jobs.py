"""The scheduler."""

from __future__ import annotations

import asyncio

from meet.core.jobs import Job, Scheduler


async def test_runs_at_once_again_and_in_spite_of_failures() -> None:
    ran: list[str] = []
    enough = asyncio.Event()

    async def first() -> None:
        ran.append("first")

    async def failing() -> None:
        ran.append("again")
        if ran.count("again") == 3:
            enough.set()
        raise RuntimeError("this run failed")

    scheduler = Scheduler([Job("job", 0.001, failing, at_start=first)])
    scheduler.start()
    await asyncio.wait_for(enough.wait(), 40)
    await scheduler.stop()
    count = len(ran)
    assert ran[:2] == ["first", "again"]
    await asyncio.sleep(0.02)
    assert len(ran) == count
