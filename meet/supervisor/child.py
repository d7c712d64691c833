"""One supervised process: started, awaited until ready, restarted with backoff, stopped."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, Protocol

import structlog

from meet.supervisor.lifeline import ChildFailed, Lifeline, NoProcess
from meet.supervisor.ready import EXIT_CONFIG, READY_FD_VARIABLE

log = structlog.get_logger(__name__)

COMMAND = (sys.executable, "-m", "meet")
FIRST_BACKOFF_S: Final = 0.2
MAX_BACKOFF_S: Final = 5.0
STABLE_AFTER_S: Final = 30.0
READY_TIMEOUT_S: Final = 120.0
"""Generous: on a busy machine a start is slow, not wrong."""
HUNG_AFTER_S: Final = 5.0
"""A recorder that beats and then is silent for this long is killed, and comes back like one that died."""
RENEW_TIMEOUT_S: Final = 80.0
"""A drain gives up after 60 s, and the rest of an orderly end takes some more."""
_LOOK_S: Final = 0.5
_FREE_RESTARTS: Final = 4
_STEP_S: Final = 0.25


class Process(Protocol):
    """What is needed of `asyncio.subprocess.Process`; `returncode` is None while it runs."""

    @property
    def pid(self) -> int: ...

    @property
    def returncode(self) -> int | None: ...

    async def wait(self) -> int: ...


Running = tuple[Process, Lifeline]


class Backoff:
    """Pauses between restarts: doubling, or for `patient` children none for the first four deaths within 30 s.

    A recorder is patient: each pause is media lost, and what brings it back at once is a warm process."""

    def __init__(self, *, patient: bool) -> None:
        self._patient = patient
        self._pause = FIRST_BACKOFF_S
        self._deaths: deque[float] = deque()

    def pause_s(self, lived_s: float) -> float:
        """Seconds to wait after a death."""
        if self._patient:
            now = time.monotonic()
            self._deaths.append(now)
            while now - self._deaths[0] > STABLE_AFTER_S:
                self._deaths.popleft()
            return min(_STEP_S * max(0, len(self._deaths) - _FREE_RESTARTS), MAX_BACKOFF_S)
        if lived_s > STABLE_AFTER_S:
            self._pause = FIRST_BACKOFF_S
        pause, self._pause = self._pause, min(self._pause * 2, MAX_BACKOFF_S)
        return pause


class Child:
    """A process `meet <arguments>` that is kept alive until `stop` or, with `until_success`, until it exits 0.

    hung_after_s: one that beats, and then is silent for so long, is killed and comes back like one that died.
    warm: asked first at every restart for a process that is up already and has taken over these arguments.
    pass_fds: descriptors that every one of its processes gets. on_failure: told why one is replaced: `died`, `hung`, or
    `not_started` when there was none to be had.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        env: Mapping[str, str],
        *,
        until_success: bool = False,
        hung_after_s: float = HUNG_AFTER_S,
        warm: Callable[[], Awaitable[Running | None]] | None = None,
        pass_fds: Sequence[int] = (),
        on_failure: Callable[[str], None] = lambda failure: None,
    ) -> None:
        self.name = " ".join(arguments)
        self._arguments = arguments
        self._env = env
        self._until_success = until_success
        self._hung_after_s = hung_after_s
        self._warm = warm
        self._pass_fds = pass_fds
        self._on_failure = on_failure
        self._hung = False
        self._backoff = Backoff(patient=warm is not None)
        self._process: Process | None = None
        self._lifeline: Lifeline | None = None
        self._stopping = False
        self._renewing = self._wished_end = False
        self._up = asyncio.Event()
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
        self._watch()

    def launch(self) -> None:
        """Start without waiting for readiness; failures go through the ordinary restart."""
        self._watch()

    def _watch(self) -> None:
        def ended(guard: asyncio.Task[None]) -> None:
            if not guard.cancelled() and (error := guard.exception()) is not None:
                log.error("process_unguarded", name=self.name, exc_info=error)
                self.unrecoverable.set()
                self.finished.set()

        self._guard = asyncio.create_task(self._keep_alive())
        self._guard.add_done_callback(ended)

    async def _spawn(self) -> None:
        self._started_at = time.monotonic()
        running = await self._warm() if self._warm is not None else None
        if running is not None:
            self._process, self._lifeline = running
            return
        self._process, self._lifeline = await spawn(self._arguments, self._env, pass_fds=self._pass_fds)
        try:
            await asyncio.wait_for(asyncio.shield(self._lifeline.ready), READY_TIMEOUT_S)
        except (TimeoutError, ChildFailed) as error:
            if isinstance(error, TimeoutError):
                self._lifeline.ready.cancel()  # what it still says, nobody waits for
                _signal(self._process, signal.SIGKILL)
            code = await self._process.wait()
            if code == EXIT_CONFIG:
                self.unrecoverable.set()
            raise ChildFailed(f"{self.name} did not start (exit code {code})") from error

    async def _keep_alive(self) -> None:
        while not self._stopping:
            if self._process is not None:
                code = await self._end_of(self._process)
                if self._stopping or (self._until_success and code == 0):
                    break
                if code == EXIT_CONFIG:
                    self.unrecoverable.set()
                    break
                wished, self._wished_end = self._wished_end and code == 0, False
                if wished:
                    log.info("process_renewed", name=self.name)
                else:
                    pause = self._backoff.pause_s(time.monotonic() - self._started_at)
                    log.warning("process_died", name=self.name, exit_code=code, restart_in_s=pause)
                    self._on_failure("hung" if self._hung else "died")
                    await asyncio.sleep(pause)
            if self._stopping:
                break
            try:
                await self._spawn()
                self._renewing = False
                self._up.set()
            except NoProcess as error:
                self._process = None
                pause = max(self._backoff.pause_s(0), FIRST_BACKOFF_S)
                log.error("process_not_started", name=self.name, reason=str(error), again_in_s=pause)
                self._on_failure("not_started")
                await asyncio.sleep(pause)
            except ChildFailed:
                pass  # it has died: the next turn says so, and waits
        self.finished.set()

    async def _end_of(self, process: Process) -> int:
        """The exit code of the process, which is killed when it hangs."""
        self._hung = False
        ended = asyncio.ensure_future(process.wait())
        looked = time.monotonic()
        try:
            while not (await asyncio.wait({ended}, timeout=_LOOK_S))[0]:
                took, looked = time.monotonic() - looked, time.monotonic()
                if self._lifeline is None or self._stopping:
                    continue
                # A container that was paused, a machine without a free core: what we slept through proves nothing.
                self._lifeline.excuse(max(0.0, took - _LOOK_S))
                silent_s = self._lifeline.silent_s()
                if silent_s > self._hung_after_s:
                    log.error("process_hung", name=self.name, silent_s=round(silent_s, 1))
                    self._hung = True
                    _signal(process, signal.SIGKILL)
                    return await ended
            return ended.result()
        finally:
            ended.cancel()

    async def renew(self, timeout_s: float = RENEW_TIMEOUT_S) -> int:
        """Ask it to end in its own time, and wait until another one is ready; the pid of the one that ended.

        Killed when it has not ended after `timeout_s`. Raises ValueError while it is not running or not ready yet, or
        is being renewed already."""
        pid = self.pid
        if pid is None or self._guard is None or self._renewing or self._stopping:
            raise ValueError(f"{self.name} is not running at the moment")
        self._renewing = self._wished_end = True
        self._up.clear()
        await self._end(timeout_s)
        await self._up.wait()
        if self._stopping:
            raise ValueError("the server is being stopped")
        return pid

    async def stop(self, timeout_s: float) -> None:
        """SIGTERM, then SIGKILL after `timeout_s`."""
        self._stopping = True
        self._up.set()
        await self._end(timeout_s)
        if self._guard is not None:
            self._guard.cancel()
        self.finished.set()

    async def kill(self) -> None:
        """SIGKILL, and no restart: for what is made to be killed at any moment."""
        self._stopping = True
        if self._process is not None and self.pid is not None:  # between two of them, the number may be another's
            _signal(self._process, signal.SIGKILL)
        await self.stop(READY_TIMEOUT_S)

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


def _signal(process: Process, number: signal.Signals) -> None:
    # Not process.kill(): in CPython 3.11 that polls, may reap the child itself, and the exit code is lost.
    with contextlib.suppress(ProcessLookupError):
        os.kill(process.pid, number)


async def spawn(
    arguments: Sequence[str],
    env: Mapping[str, str],
    *,
    stdin: int | None = asyncio.subprocess.DEVNULL,
    pass_fds: Sequence[int] = (),
) -> tuple[asyncio.subprocess.Process, Lifeline]:
    """Start `meet <arguments>`; the lifeline tells when it is ready. Raises NoProcess."""
    try:
        read_fd, write_fd = os.pipe()
    except OSError as error:
        raise NoProcess(error.strerror) from error
    try:
        process = await asyncio.create_subprocess_exec(
            *COMMAND,
            *arguments,
            stdin=stdin,
            env={**env, READY_FD_VARIABLE: str(write_fd)},
            pass_fds=(write_fd, *pass_fds),
            process_group=0,  # Ctrl-C is for the supervisor: it ends the others one after the other
        )
    except OSError as error:
        os.close(read_fd)
        raise NoProcess(error.strerror) from error
    except BaseException:
        os.close(read_fd)
        raise
    finally:
        os.close(write_fd)
    return process, Lifeline(read_fd)
