"""The supervisor's side of the fork server: ask for a process, adopt it, and learn of its end."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import socket
import sys
from collections.abc import Mapping
from typing import Final

from meet.supervisor.child import spawn
from meet.supervisor.lifeline import ChildFailed, Lifeline, NoProcess
from meet.supervisor.spare import Spare

ARGUMENTS: Final = ("recorder", "--fork-server")
IMPORTING_S: Final = 60.0
"""A process that is not ready by then hangs, in an import from a disk that stands still for instance."""
_FORK_TIMEOUT_S: Final = 10.0
_PR_SET_CHILD_SUBREAPER: Final = 36
_LONGEST_ANSWER: Final = 200


def adopt_orphans(adopting: bool) -> bool:
    """Whether this process, from now on, is the parent of its descendants whose own parents end. Linux only."""
    if not sys.platform.startswith("linux") or not hasattr(os, "pidfd_open"):
        return False
    try:
        os.close(os.pidfd_open(os.getpid()))
    except OSError:
        return False  # an old kernel, or a sandbox that does not let us
    failed: int = ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, int(adopting), 0, 0, 0)
    return failed == 0


class Forked:
    """A process that was adopted, with what is needed of `asyncio.subprocess.Process`."""

    def __init__(self, pid: int) -> None:
        """Raises NoProcess, and ends it, when there is no descriptor to learn of its end by."""
        self.pid = pid
        self.returncode: int | None = None
        self._loop = asyncio.get_running_loop()
        self._ended = asyncio.Event()
        try:
            self._fd = os.pidfd_open(pid)
        except OSError as error:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            raise NoProcess(error.strerror) from error
        self._loop.add_reader(self._fd, self._reap)

    async def wait(self) -> int:
        """The exit code; negative for a signal."""
        await self._ended.wait()
        assert self.returncode is not None
        return self.returncode

    def _reap(self) -> None:
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if pid:
            self._loop.remove_reader(self._fd)
            os.close(self._fd)
            self.returncode = os.waitstatus_to_exitcode(status)
            self._ended.set()


class ForkServer:
    """A running one; `start` makes it."""

    def __init__(self, process: asyncio.subprocess.Process, channel: socket.socket) -> None:
        self._process, self._channel = process, channel
        self._asking = asyncio.Lock()

    @classmethod
    async def start(cls, env: Mapping[str, str]) -> ForkServer:
        """Start one, and wait until it has everything imported. Raises ChildFailed, NoProcess, TimeoutError."""
        try:
            ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        except OSError as error:
            raise NoProcess(error.strerror) from error
        try:
            ours.setblocking(False)
            with its:
                # One thread: OpenBLAS starts others when it is imported. Nothing of the recorder multiplies matrices.
                single = {**env, "OPENBLAS_NUM_THREADS": "1"}
                number = its.fileno()
                process, lifeline = await spawn((*ARGUMENTS, str(number)), single, pass_fds=(number,))
            server = cls(process, ours)
        except BaseException:
            ours.close()
            raise
        try:
            await asyncio.wait_for(asyncio.shield(lifeline.ready), IMPORTING_S)
        except BaseException:
            await server.end()
            raise
        return server

    async def fork(self) -> Spare:
        """A process that waits to be told what to do. Raises ChildFailed, NoProcess, TimeoutError.

        If this is cancelled the fork server ends, and so does what it may have made."""
        forking = asyncio.create_task(self._fork())
        try:
            return await asyncio.shield(forking)
        except asyncio.CancelledError:
            self._kill()
            with contextlib.suppress(ChildFailed, TimeoutError):
                await (await forking).end()
            raise

    async def _fork(self) -> Spare:
        async with self._asking:
            return await self._ask()

    async def _ask(self) -> Spare:
        try:
            lifeline, lifeline_end = os.pipe()
        except OSError as error:
            raise NoProcess(error.strerror) from error
        try:
            orders_end, orders = os.pipe()
        except OSError as error:
            os.close(lifeline)
            os.close(lifeline_end)
            raise NoProcess(error.strerror) from error
        try:
            try:
                socket.send_fds(self._channel, [b"\n"], [lifeline_end, orders_end])
            finally:
                os.close(lifeline_end)
                os.close(orders_end)
            process = Forked(await self._answer())
        except BaseException as error:
            os.close(lifeline)
            os.close(orders)
            if isinstance(error, OSError) and not isinstance(error, TimeoutError):
                raise ChildFailed(f"the fork server is gone: {error.strerror}") from error
            raise
        return Spare(process, Lifeline(lifeline), orders)

    async def _answer(self) -> int:
        try:
            answer = await self._receive()
        except TimeoutError:
            self._kill()
            answer = await self._receive()  # what was on its way; its end otherwise
        if not answer.isdigit():
            raise ChildFailed(answer.decode(errors="replace") or "the fork server has ended")
        return int(answer)

    async def _receive(self) -> bytes:
        receiving = asyncio.get_running_loop().sock_recv(self._channel, _LONGEST_ANSWER)
        return await asyncio.wait_for(receiving, _FORK_TIMEOUT_S)

    async def ended(self) -> int:
        """Wait for its end, and for what it had half made; the exit code."""
        code = await self._process.wait()
        async with self._asking:
            self._channel.close()
        _reap_group(self._process.pid)
        return code

    def _kill(self) -> None:
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGKILL)

    async def end(self) -> None:
        """SIGKILL. What it has made lives on."""
        self._kill()
        await self.ended()


def _reap_group(group: int) -> None:
    """Those in it that have ended. What was made for somebody is in a group of its own."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-group, os.WNOHANG)[0]:
            pass
