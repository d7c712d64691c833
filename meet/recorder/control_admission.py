"""Whether this machine can take one more recording: disk, spool and processor. A running one is never touched."""

from __future__ import annotations

import asyncio
import os
from collections import deque
from pathlib import Path
from typing import Final

import structlog

from meet.recorder.limits import free_bytes

log = structlog.get_logger(__name__)

_WINDOW_S: Final = 5
_STAT: Final = Path("/proc/stat")


class NoRoom(Exception):
    """No further recording can be taken now; the text says what is short."""


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
    """Asked before every start. A limit of 0 is none. max_cpu: busy percentage of all processors."""

    def __init__(
        self,
        spool: Path,
        *,
        min_free_bytes: int = 0,
        max_spool_bytes: int = 0,
        max_cpu: int = 0,
        meter: CpuMeter | None = None,
    ) -> None:
        self._spool = spool
        self._min_free_bytes = min_free_bytes
        self._max_spool_bytes = max_spool_bytes
        self._max_cpu = max_cpu
        self._meter = meter or CpuMeter()

    async def watch(self) -> None:
        """Keep measuring; runs until cancelled."""
        while self._max_cpu:
            self._meter.sample()
            await asyncio.sleep(1.0)

    async def check(self) -> None:
        """Raises NoRoom."""
        await asyncio.to_thread(self._check_disk)
        busy = self._meter.busy
        if self._max_cpu and busy is not None and busy * 100 >= self._max_cpu:
            raise NoRoom(f"the processors are {busy:.0%} busy ({self._max_cpu}% allowed)")

    def _check_disk(self) -> None:
        existing = next((path for path in (self._spool, *self._spool.parents) if path.exists()), Path("/"))
        try:
            free = free_bytes(existing)
        except OSError as error:
            raise NoRoom(f"the disk does not answer: {error.strerror}") from None
        if free < self._min_free_bytes:
            raise NoRoom(f"free disk space is below the reserve ({free} of {self._min_free_bytes} bytes)")
        if self._max_spool_bytes:
            used = _bytes_below(self._spool)
            if used >= self._max_spool_bytes:
                raise NoRoom(
                    f"recordings that wait for storage fill the spool ({used} of {self._max_spool_bytes} bytes)"
                )


def _bytes_below(folder: Path) -> int:
    total = 0
    for path, _, names in os.walk(folder):
        for name in names:
            try:
                total += (Path(path) / name).lstat().st_size
            except OSError as error:  # finished and removed meanwhile
                log.debug("spool_file_gone", reason=error.strerror)
    return total
