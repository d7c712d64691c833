"""Waits for the disk in the event loop's place: a media process that did so itself would stop every meeting."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


class Disk:
    """One thread, which does its work in the order in which it was asked to."""

    def __init__(self) -> None:
        self._thread: ThreadPoolExecutor | None = ThreadPoolExecutor(1, thread_name_prefix="egress spool")

    def run(self, work: Callable[[], T]) -> asyncio.Future[T]:
        """What `work` returns or raises. It is done whether or not the caller stays to hear of it.

        Calls that are still under way when this is closed come after all the others, in no order."""
        return asyncio.shield(asyncio.get_running_loop().run_in_executor(self._thread, work))

    async def close(self) -> None:
        """Finish what was asked for."""
        thread, self._thread = self._thread, None
        if thread is not None:
            await asyncio.to_thread(thread.shutdown)
