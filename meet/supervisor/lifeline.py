"""The pipe a child writes to: `ready` once, then, if it wants to be watched, something every second."""

from __future__ import annotations

import asyncio
import os
import time


class ChildFailed(Exception):
    """The process ended, or said nothing, before it was ready."""


class NoProcess(ChildFailed):
    """There was no memory, descriptor or process number for it at this moment, or no program. Has the reason."""


class Lifeline:
    """The supervisor's end. `ready` resolves when the child is ready, or fails with ChildFailed when it ends before.

    A child is watched from its second message on, or from `expect` on: one that never beats is never found hung."""

    def __init__(self, fd: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._fd = fd
        self._watched_since: float | None = None
        self.ready: asyncio.Future[None] = self._loop.create_future()
        # Whoever waited may have been stopped meanwhile: that nobody looks at the failure any more is no news.
        self.ready.add_done_callback(lambda ready: ready.cancelled() or ready.exception())
        self._loop.add_reader(fd, self._readable)

    def expect(self, within_s: float) -> None:
        """The next message is due in `within_s` (a process that was told to begin its work)."""
        self._watched_since = time.monotonic() + within_s

    def excuse(self, seconds: float) -> None:
        """Do not count so long: nobody listened."""
        since = self._watched_since
        if since is not None:
            self._watched_since = max(since, min(since + seconds, time.monotonic()))

    def silent_s(self) -> float:
        """Seconds since the last message; 0 for a child that is not watched."""
        return max(0.0, time.monotonic() - self._watched_since) if self._watched_since is not None else 0.0

    def _readable(self) -> None:
        data = os.read(self._fd, 4096)
        if not data:
            self._loop.remove_reader(self._fd)
            os.close(self._fd)
            self._watched_since = None
            if not self.ready.done():
                self.ready.set_exception(ChildFailed("the process ended before it was ready"))
            return
        beats = data
        if not self.ready.done():
            self.ready.set_result(None)
            beats = data.partition(b"\n")[2]  # both may come at once
        if beats:
            self._watched_since = time.monotonic()
