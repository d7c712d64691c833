"""Jobs: coroutines that run at start and then at an interval."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """`run` is called `interval_s` after its previous run ended; `at_start`, when given, replaces the first run."""

    name: str
    interval_s: float
    run: Callable[[], Awaitable[None]]
    at_start: Callable[[], Awaitable[None]] | None = None


class Scheduler:
    """Runs jobs, each in its own task; one that fails is logged and tried again at its next turn."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        self._jobs = tuple(jobs)
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin; needs a running event loop."""
        self._tasks = [asyncio.create_task(self._loop(job), name=f"job-{job.name}") for job in self._jobs]

    async def stop(self) -> None:
        """Cancel everything and wait until it is gone."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    async def _loop(self, job: Job) -> None:
        await self._once(job, job.at_start or job.run)
        while True:
            await asyncio.sleep(job.interval_s)
            await self._once(job, job.run)

    async def _once(self, job: Job, run: Callable[[], Awaitable[None]]) -> None:
        try:
            await run()
        except Exception as error:  # whatever one run met, the next one must come
            log.warning("job_failed", job=job.name, reason=f"{type(error).__name__}: {error}")
