"""The one thread that writes. Transactions that wait at the same time are committed together."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine

T = TypeVar("T")

_LARGEST_BATCH = 64


@dataclass(slots=True)
class _Job:
    work: Callable[[Connection], Any]
    loop: asyncio.AbstractEventLoop
    done: asyncio.Future[Any]
    result: Any = None
    error: Exception | None = None


class Writer:
    """Runs work in transactions on a connection of its own; `after` is called on the thread after each commit.

    Group commit: the fsync that makes a commit durable costs more than the work of most requests. What is queued while
    one is under way goes into one transaction after it, each piece behind a savepoint of its own, and is answered when
    that is on the disk. Nobody is answered earlier than with a transaction each.
    """

    def __init__(self, engine: Engine, after: Callable[[], None]) -> None:
        self._engine = engine
        self._after = after
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._pending = 0
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="meet-db-writer", daemon=True)
        self._thread.start()

    async def run(self, work: Callable[[Connection], T]) -> T:
        """The result of `work`, once it is on the disk. It runs to its end even when the awaiting task is cancelled.

        Raises what `work` raises, with its changes undone, and RuntimeError after `close`."""
        if self._closed:
            raise RuntimeError("the database is closed")
        loop = asyncio.get_running_loop()
        job = _Job(work, loop, loop.create_future())
        self._jobs.put(job)
        self._pending += 1
        result: T = await job.done
        return result

    async def settled(self) -> None:
        """Wait for what was asked for before: from now on it can be read."""
        if self._pending:
            await self.run(lambda _connection: None)

    def close(self) -> None:
        """Finish what is queued."""
        self._closed = True
        self._jobs.put(None)
        self._thread.join()

    def _run(self) -> None:
        connection = None
        while (job := self._jobs.get()) is not None:
            batch = [job]
            while len(batch) < _LARGEST_BATCH and not self._jobs.empty():
                following = self._jobs.get()
                if following is None:
                    self._jobs.put(None)
                    break
                batch.append(following)
            try:
                connection = connection or self._engine.connect()
                _transact(connection, batch)
            except Exception as error:  # neither the transaction nor anything in it was stored
                for each in batch:
                    each.error = error
            self._after()
            for loop in {each.loop for each in batch}:
                with suppress(RuntimeError):  # the loop is closed, and whoever waited is gone with it
                    loop.call_soon_threadsafe(self._answer, [each for each in batch if each.loop is loop])
        if connection is not None:
            connection.close()

    def _answer(self, batch: list[_Job]) -> None:
        self._pending -= len(batch)
        for job in batch:
            if job.done.done():  # cancelled
                continue
            if job.error is not None:
                job.done.set_exception(job.error)
            else:
                job.done.set_result(job.result)


def _transact(connection: Connection, batch: list[_Job]) -> None:
    with connection.begin():
        if len(batch) == 1:
            batch[0].result = batch[0].work(connection)
            return
        driver: Any = connection.connection.driver_connection
        for job in batch:
            driver.execute("SAVEPOINT job")
            try:
                job.result = job.work(connection)
            except Exception as error:
                if not driver.in_transaction:  # SQLite gave up the whole transaction: a full disk, for instance
                    raise
                driver.execute("ROLLBACK TO job")
                job.error = error
            driver.execute("RELEASE job")
