"""One supervised process: started, awaited until ready, restarted with backoff, stopped."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Final

import structlog

from meet.supervisor.ready import EXIT_CONFIG, READY_FD_VARIABLE

log = structlog.get_logger(__name__)

COMMAND = (sys.executable, "-m", "meet")
FIRST_BACKOFF_S: Final = 0.2
MAX_BACKOFF_S: Final = 5.0
STABLE_AFTER_S: Final = 30.0
READY_TIMEOUT_S: Final = 30.0


class ChildFailed(Exception):
    """The process ended, or said nothing, before it was ready."""


class Child:
    """A process `meet <arguments>` that is kept alive until `stop` or, with `until_success`, until it exits 0."""

    def __init__(self, arguments: Sequence[str], env: Mapping[str, str], *, until_success: bool = False) -> None:
        self.name = " ".join(arguments)
        self._arguments = arguments
        self._env = env
        self._until_success = until_success
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = False
        self._guard: asyncio.Task[None] | None = None
        self._started_at = 0.0
        self.finished = asyncio.Event()
        self.unrecoverable = asyncio.Event()

    @property
    def pid(self) -> int | None:
        """Process id while running."""
        return self._process.pid if self._process and self._process.returncode is None else None

    async def start(self) -> None:
        """Start and wait until the process says that it is ready. Raises ChildFailed."""
        await self._spawn()
        self._guard = asyncio.create_task(self._keep_alive())

    def adopt(self, process: asyncio.subprocess.Process) -> None:
        """Take over a process that already runs (the warm recorder); from here on it is like one we started."""
        self._process = process
        self._started_at = time.monotonic()
        self._guard = asyncio.create_task(self._keep_alive())

    def launch(self) -> None:
        """Start without waiting for readiness; failures go through the ordinary restart."""
        self._guard = asyncio.create_task(self._keep_alive())

    async def _spawn(self) -> None:
        self._started_at = time.monotonic()
        self._process, ready = await spawn(self._arguments, self._env)
        try:
            await asyncio.wait_for(ready, READY_TIMEOUT_S)
        except (TimeoutError, ChildFailed) as error:
            if isinstance(error, TimeoutError):
                _signal(self._process, signal.SIGKILL)
            code = await self._process.wait()
            if code == EXIT_CONFIG:
                self.unrecoverable.set()
            raise ChildFailed(f"{self.name} did not start (exit code {code})") from error

    async def _keep_alive(self) -> None:
        backoff = FIRST_BACKOFF_S
        while not self._stopping:
            if self._process is not None:
                code = await self._process.wait()
                if self._stopping or (self._until_success and code == 0):
                    break
                if code == EXIT_CONFIG:
                    self.unrecoverable.set()
                    break
                log.warning("process_died", name=self.name, exit_code=code, restart_in_s=backoff)
            if time.monotonic() - self._started_at > STABLE_AFTER_S:
                backoff = FIRST_BACKOFF_S
            await asyncio.sleep(backoff if self._process is not None else 0)
            backoff = min(backoff * 2, MAX_BACKOFF_S)
            with contextlib.suppress(ChildFailed):
                if not self._stopping:
                    await self._spawn()
        self.finished.set()

    async def stop(self, timeout_s: float) -> None:
        """SIGTERM, then SIGKILL after `timeout_s`."""
        self._stopping = True
        await self._end(timeout_s)
        if self._guard is not None:
            self._guard.cancel()
        self.finished.set()

    async def _end(self, timeout_s: float) -> None:
        process = self._process
        if process is None or process.returncode is not None:
            return
        _signal(process, signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), timeout_s)
        except TimeoutError:
            log.warning("process_killed", name=self.name, after_s=timeout_s)
            _signal(process, signal.SIGKILL)
            await process.wait()


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    # Not process.kill(): in CPython 3.11 that polls, may reap the child itself, and the exit code is lost.
    with contextlib.suppress(ProcessLookupError):
        os.kill(process.pid, number)


async def spawn(
    arguments: Sequence[str], env: Mapping[str, str], *, stdin: int | None = asyncio.subprocess.DEVNULL
) -> tuple[asyncio.subprocess.Process, asyncio.Future[None]]:
    """Start `meet <arguments>`; the future resolves when it is ready, or fails with ChildFailed when it ends."""
    read_fd, write_fd = os.pipe()
    try:
        process = await asyncio.create_subprocess_exec(
            *COMMAND,
            *arguments,
            stdin=stdin,
            env={**env, READY_FD_VARIABLE: str(write_fd)},
            pass_fds=(write_fd,),
        )
    except BaseException:
        os.close(read_fd)
        raise
    finally:
        os.close(write_fd)
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()

    def on_readable() -> None:
        data = os.read(read_fd, 64)
        loop.remove_reader(read_fd)
        os.close(read_fd)
        if not ready.done():
            if data:
                ready.set_result(None)
            else:
                ready.set_exception(ChildFailed("the process ended before it was ready"))

    loop.add_reader(read_fd, on_readable)
    return process, ready
