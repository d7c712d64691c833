"""Recorder processes that are ready before they are needed: two of them, and as many more as are waited for at a time.

A fork server makes them in milliseconds. Where there is none (yet, for the moment, or on this system), each imports
everything itself, which takes a second of a processor."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Mapping
from typing import Final

import structlog

from meet.supervisor.child import Running
from meet.supervisor.forks import IMPORTING_S, ForkServer, adopt_orphans
from meet.supervisor.lifeline import ChildFailed, NoProcess
from meet.supervisor.spare import Spare, imported

log = structlog.get_logger(__name__)

SPARES: Final = 2
"""One for the next start and one for whoever dies meanwhile."""
_REFILL_AFTER_S: Final = 0.5
_REFILL_RETRY_S: Final = 5.0
_COMING_S: Final = 5.0
_FIRST_BEAT_S: Final = 10.0
_DISTRUST_S: Final = 60.0
"""A fork server that could not do it is not started again before."""


class Spares:
    """`take` is answered by the first process that is ready, whoever it was made for."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env
        self._ready: list[Spare] = []
        self._waiting: deque[asyncio.Future[Spare]] = deque()
        self._wanted = asyncio.Event()
        self._refill: asyncio.Task[None] | None = None
        self._beside: asyncio.Task[None] | None = None
        self._server: ForkServer | None = None
        self._watching: asyncio.Task[None] | None = None
        self._forks_after = 0.0
        self._closing = False

    @property
    def ready(self) -> int:
        """How many wait to be told what to do."""
        return len(self._ready)

    def warm(self, *, at_once: bool = False) -> None:
        """Have what is missing made. Not at once: what was just started needs the core for its first frames."""
        if at_once:
            self._wanted.set()
        if not self._closing and (self._refill is None or self._refill.done()):
            self._refill = asyncio.create_task(self._make_all())

    async def take(self, what: str) -> Running:
        """A process that has been told to do `what`; none any more once this is closed. Raises NoProcess."""
        while True:
            spare = self._ready.pop(0) if self._ready else await self._next()
            self.warm()
            if (running := spare.tell(what, _FIRST_BEAT_S)) is not None:
                return running

    async def _next(self) -> Spare:
        """The next one to be ready for whom nobody else has waited longer."""
        waiter: asyncio.Future[Spare] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        self.warm(at_once=True)
        try:
            while not (await asyncio.wait({waiter}, timeout=_COMING_S))[0]:
                # The one that is being made may hang; whichever comes first is taken.
                if not self._closing and (self._beside is None or self._beside.done()):
                    self._beside = asyncio.create_task(self._make_beside())
            return waiter.result()
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                self._offer(waiter.result())
            raise
        finally:
            waiter.cancel()

    def _offer(self, spare: Spare) -> None:
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(spare)
                return
        self._ready.append(spare)

    def _fail(self, error: Exception) -> None:
        """Those who wait try again in their own time."""
        reason = str(error) or "not ready in time"
        log.warning("warm_recorder_failed", reason=reason)
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_exception(NoProcess(reason))

    async def _pause(self, seconds: float) -> None:
        """Until one is waited for, at most so long."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wanted.wait(), seconds)
        self._wanted.clear()

    async def _make_all(self) -> None:
        await self._pause(_REFILL_AFTER_S)
        while not self._closing:
            try:
                await self._have_server()
                if any(not waiter.done() for waiter in self._waiting) or len(self._ready) < SPARES:
                    self._offer(await self._make())
                else:
                    return
            except (ChildFailed, TimeoutError) as error:
                self._fail(error)
                await self._pause(_REFILL_RETRY_S)

    async def _have_server(self) -> None:
        """Raises NoProcess."""
        if self._server is not None or time.monotonic() < self._forks_after:
            return
        if not adopt_orphans(True):
            self._forks_after = float("inf")
            log.info("no_fork_server", reason="this system has no subreapers or no process descriptors")
            return
        try:
            self._server = await ForkServer.start(self._env)
        except NoProcess:
            raise
        except (ChildFailed, TimeoutError) as error:
            self._distrust(error)
        else:
            self._watching = asyncio.create_task(self._watch(self._server))

    async def _make(self) -> Spare:
        """Raises ChildFailed, TimeoutError."""
        server = self._server
        if server is not None:
            try:
                return await server.fork()
            except (ChildFailed, TimeoutError) as error:
                if self._server is server:  # else it has died, and is replaced
                    self._distrust(error)
                await server.end()
        return await self._import()

    def _distrust(self, error: Exception) -> None:
        self._forks_after = time.monotonic() + _DISTRUST_S
        self._server = None
        log.warning("fork_server_failed", reason=str(error) or "no answer in time", again_in_s=_DISTRUST_S)

    async def _watch(self, server: ForkServer) -> None:
        started = time.monotonic()
        code = await server.ended()
        if self._server is server and not self._closing:
            self._server = None
            log.warning("fork_server_died", exit_code=code)
            if time.monotonic() - started < _DISTRUST_S:
                self._forks_after = started + _DISTRUST_S
            self.warm()

    async def _import(self) -> Spare:
        """Raises ChildFailed, TimeoutError."""
        spare = await imported(self._env)
        try:
            await asyncio.wait_for(asyncio.shield(spare.lifeline.ready), IMPORTING_S)
        except BaseException:
            await spare.end()
            raise
        return spare

    async def _make_beside(self) -> None:
        try:
            self._offer(await self._import())
        except (ChildFailed, TimeoutError) as error:
            self._fail(error)

    async def close(self) -> None:
        """End those that wait, and the fork server."""
        self._closing = True
        tasks = {task for task in (self._refill, self._beside, self._watching) if task is not None}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for spare in self._ready:
            await spare.end()
        self._ready.clear()
        if self._server is not None:
            await self._server.end()
            adopt_orphans(False)
