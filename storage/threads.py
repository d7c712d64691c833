"""Threads of the file storage's own: a network mount whose server is gone may keep a call for ever.

Not `ThreadPoolExecutor`, whose threads are joined when the interpreter ends, and not the event loop's default one,
which name lookups and passwords need, too.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeAlias, TypeVar

from .errors import StorageUnavailable

T = TypeVar("T")

_Job: TypeAlias = tuple[Future[Any], Callable[[], Any]]


class Threads:
    """At most `count` calls at a time, the others wait. where: what does not answer, for the error's text."""

    def __init__(self, where: str, count: int = 16) -> None:
        self._where, self._count = where, count
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._threads = self._unfinished = 0
        self._began: dict[Future[Any], float] = {}

    async def run(self, work: Callable[[], T], seconds: float, undo: Callable[[T], None] | None = None) -> T:
        """What `work` returns or raises. Raises StorageUnavailable after `seconds`, or at once while every thread has
        been kept for as long.

        Work that nobody waits for any more is not begun, or goes on where that is too late; `undo` gets its result."""
        future = self.submit(work, seconds)
        try:
            return await self.result(future, seconds)
        except BaseException:
            if undo is not None:
                future.add_done_callback(lambda done: _undo(done, undo))
            raise

    def submit(self, work: Callable[[], T], seconds: float | None = None) -> Future[T]:
        """Have it done. Raises StorageUnavailable while every thread has been kept for `seconds`."""
        if seconds is not None and self._stuck(seconds):
            raise self._silent()
        future: Future[T] = Future()
        with self._lock:
            self._unfinished += 1
            more = self._threads < min(self._count, self._unfinished)
            self._threads += more
        if more:
            threading.Thread(target=self._work, name="storage", daemon=True).start()
        self._jobs.put((future, work))
        return future

    async def result(self, future: Future[T], seconds: float) -> T:
        """What became of it. Raises StorageUnavailable after `seconds`, and then it is not begun any more."""
        try:
            async with asyncio.timeout(seconds) as limit:
                return await asyncio.wrap_future(future)
        except TimeoutError:
            if limit.expired():
                raise self._silent() from None
            raise  # the disk's own

    def close(self) -> None:
        """Threads end when they have done what was asked for, if ever."""
        for _ in range(self._threads):
            self._jobs.put(None)
        self._threads = 0

    def _stuck(self, seconds: float) -> bool:
        before = time.monotonic() - seconds
        with self._lock:
            return len(self._began) >= self._count and max(self._began.values()) < before

    def _silent(self) -> StorageUnavailable:
        return StorageUnavailable(f"{self._where} does not answer.")

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            future, work = job
            if future.set_running_or_notify_cancel():
                self._do(future, work)
            else:
                with self._lock:
                    self._unfinished -= 1
            del job, future, work  # not kept until the next one comes

    def _do(self, future: Future[Any], work: Callable[[], Any]) -> None:
        with self._lock:
            self._began[future] = time.monotonic()
        result, failure = None, None
        try:
            result = work()
        except BaseException as error:
            failure = error
        with self._lock:
            self._unfinished -= 1
            del self._began[future]
        if failure is None:
            future.set_result(result)
        else:
            future.set_exception(failure)


def _undo(done: Future[T], undo: Callable[[T], None]) -> None:
    if not done.cancelled() and done.exception() is None:
        undo(done.result())
