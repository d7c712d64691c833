"""Whether this machine can take one more recording: disk, spool and processor. A running one is never touched."""

from __future__ import annotations

import asyncio
import os
import time
from collections import deque
from pathlib import Path
from typing import Final

from meet.recorder.control import usage
from meet.recorder.limits import existing, free_bytes
from meet.recorder.tracks.relief import relieve

_WINDOW_S: Final = 5
_EACH: Final = 0.35
"""Of a core: what recording four people at 720p takes."""
_STAT: Final = Path("/proc/stat")


REASONS: Final = ("disk", "storage", "spool", "cpu", "encoding", "recorder")
"""Why a start is refused: what is short, an encoding that cannot be made, or no process to do it."""


class NoRoom(Exception):
    """No further recording can be taken now; the text says what is short, and `reason` is one of `REASONS`."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


class CpuMeter:
    """Share of all processors that was busy in the last seconds, from /proc/stat."""

    def __init__(self, source: Path = _STAT) -> None:
        self._source = source
        self._samples: deque[tuple[int, int]] = deque(maxlen=_WINDOW_S + 1)

    def sample(self) -> None:
        """Take a reading; call it once a second."""
        try:
            fields = [int(text) for text in self._source.read_text().split("\n", 1)[0].split()[1:9]]
        except (OSError, ValueError):
            return  # not Linux: then nothing is known, and nothing refused
        if len(fields) == 8:
            # user nice system idle iowait irq softirq steal; proc_stat(5)
            self._samples.append((sum(fields), fields[3] + fields[4]))

    @property
    def busy(self) -> float | None:
        """0 to 1, None while unknown."""
        if len(self._samples) < 2:
            return None
        (total_before, idle_before), (total, idle) = self._samples[0], self._samples[-1]
        return 1.0 - (idle - idle_before) / (total - total_before) if total > total_before else None


class Admission:
    """Asked before every start. A limit of 0 is none. max_cpu: busy percentage of all processors.

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
        self._meter = meter or CpuMeter()
        self._admitted: deque[float] = deque()

    @property
    def folders(self) -> dict[str, Path]:
        """Where recordings need space: `spool`, and `storage` if that is a folder."""
        return {"spool": self._spool} | ({"storage": self._storage} if self._storage is not None else {})

    async def watch(self) -> None:
        """Keep measuring; runs until cancelled."""
        while self._max_cpu:
            self._meter.sample()
            await asyncio.sleep(1.0)

    async def check(self) -> None:
        """Raises NoRoom."""
        await asyncio.to_thread(self._check_disk)
        busy = self._meter.busy
        if self._max_cpu and busy is not None:
            self._check_cpu(busy)

    def _check_cpu(self, busy: float) -> None:
        now = time.monotonic()
        while self._admitted and now - self._admitted[0] > _WINDOW_S:
            self._admitted.popleft()
        # What was admitted just now is not in the measurement yet.
        busy += len(self._admitted) * _EACH / (os.cpu_count() or 1)
        if busy * 100 >= self._max_cpu:
            raise NoRoom("cpu", f"the processors are {busy:.0%} busy ({self._max_cpu}% allowed)")
        self._admitted.append(now)

    def _check_disk(self) -> None:
        self._check_reserve("disk", self._spool, "disk space")
        if self._storage is not None:
            self._check_reserve("storage", self._storage, "space in the storage folder")
        if self._max_spool_bytes:
            used = usage.of(self._spool).unfinished
            if used >= self._max_spool_bytes:
                text = f"recordings that wait for storage fill the spool ({used} of {self._max_spool_bytes} bytes)"
                raise NoRoom("spool", text)

    def _check_reserve(self, reason: str, folder: Path, what: str) -> None:
        try:
            if folder is self._spool:
                relieve(self._spool, lambda: free_bytes(existing(folder)) < self._min_free_bytes)
            free = free_bytes(existing(folder))
        except OSError as error:
            raise NoRoom(reason, f"the disk does not answer: {error.strerror}") from None
        if free < self._min_free_bytes:
            raise NoRoom(reason, f"free {what} is below the reserve ({free} of {self._min_free_bytes} bytes)")
