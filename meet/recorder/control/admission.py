"""Whether this machine can take one more recording: disk, spool and processor. A running one is never touched."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

import structlog

from meet.recorder.control import usage
from meet.recorder.control.processors import WINDOW_S, CpuMeter, own_group
from meet.recorder.limits import existing, free_bytes
from meet.recorder.tracks.relief import relieve
from storage.threads import Threads

log = structlog.get_logger(__name__)

_EACH: Final = 0.35
"""Of a core: what recording four people at 720p takes."""
_STORE_PATIENCE_S: Final = 2.0


REASONS: Final = ("disk", "storage", "spool", "cpu", "encoding", "recorder")
"""Why a start is refused: what is short or takes nothing, an encoding that cannot be made, or no process to do it."""


class NoRoom(Exception):
    """No further recording can be taken now; the text says what is short, and `reason` is one of `REASONS`."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


class Admission:
    """Asked before every start. A limit of 0 is none.

    max_cpu: what may be busy of all processors, in percent, with the recording that is asked for. A first one is always
    taken: that would be to have no recordings at all on a small machine that has other things to do.

    storage: where finished files go, if that is a folder; it may be on another file system than the spool."""

    def __init__(
        self,
        spool: Path,
        *,
        min_free_bytes: int = 0,
        max_spool_bytes: int = 0,
        max_cpu: int = 0,
        meter: CpuMeter | None = None,
        storage: Path | None = None,
    ) -> None:
        self._spool, self._storage = spool, storage
        self._min_free_bytes = min_free_bytes
        self._max_spool_bytes = max_spool_bytes
        self._max_cpu = max_cpu
        self._meter = meter or CpuMeter(group=own_group())
        self._admitted: deque[float] = deque()
        self._threads = Threads("The disk")
        self._looking: dict[str, asyncio.Future[None]] = {}

    @property
    def folders(self) -> dict[str, Path]:
        """Where recordings need space: `spool`, and `storage` if that is a folder."""
        return {"spool": self._spool} | ({"storage": self._storage} if self._storage is not None else {})

    async def watch(self) -> None:
        """Keep measuring; runs until cancelled."""
        while self._max_cpu:
            self._meter.sample()
            await asyncio.sleep(1.0)

    async def check(self, running: int = 0) -> None:
        """running: recordings that are not over. Raises NoRoom."""
        await self._look("spool", self._check_spool)
        if self._storage is not None:
            await self._look("storage", partial(self._check_storage, self._storage), _STORE_PATIENCE_S)
        if self._max_cpu:
            self._check_cpu(running)

    def _check_cpu(self, running: int) -> None:
        now, busy = time.monotonic(), self._meter.busy
        while self._admitted and now - self._admitted[0] > WINDOW_S:
            self._admitted.popleft()
        if running and busy is not None:
            # What was admitted just now is not, or not all of it, in the measurement yet.
            expected = busy + (1 + len(self._admitted)) * _EACH / self._meter.cores
            if expected * 100 > self._max_cpu:
                text = f"the processors are {busy:.0%} busy, with one more recording {expected:.0%}"
                raise NoRoom("cpu", f"{text} ({self._max_cpu}% allowed)")
        self._admitted.append(now)

    async def _look(self, folder: str, check: Callable[[], None], patience_s: float | None = None) -> None:
        """One thread for all who want to know it at the same time: a disk that hangs keeps it. What is not known in
        time refuses nothing. Raises NoRoom."""
        looking = self._looking.get(folder)
        if looking is None or looking.done():
            looking = self._looking[folder] = asyncio.wrap_future(self._threads.submit(check))
            looking.add_done_callback(
                lambda done: done.cancelled() or done.exception()
            )  # if it is too late for anybody
        done, _ = await asyncio.wait({looking}, timeout=patience_s)
        if done:
            looking.result()
        else:
            log.warning("reserve_unknown", folder=folder, reason="no answer")

    def _check_spool(self) -> None:
        try:
            relieve(self._spool, lambda: free_bytes(existing(self._spool)) < self._min_free_bytes)
            free = free_bytes(existing(self._spool))
        except OSError as error:
            raise NoRoom("disk", f"the disk does not answer: {error.strerror}") from None
        self._check_reserve("disk", free, "disk space")
        if self._max_spool_bytes:
            used = usage.of(self._spool).unfinished
            if used >= self._max_spool_bytes:
                text = f"recordings that wait for storage fill the spool ({used} of {self._max_spool_bytes} bytes)"
                raise NoRoom("spool", text)

    def _check_storage(self, folder: Path) -> None:
        """A folder that is away keeps what is recorded from being stored, as a bucket would: later, not never."""
        try:
            free = free_bytes(existing(folder))
        except OSError as error:
            log.warning("reserve_unknown", folder="storage", reason=error.strerror)
        else:
            self._check_reserve("storage", free, "space in the storage folder")

    def _check_reserve(self, reason: str, free: int, what: str) -> None:
        if free < self._min_free_bytes:
            raise NoRoom(reason, f"free {what} is below the reserve ({free} of {self._min_free_bytes} bytes)")
