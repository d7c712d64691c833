"""What recordings take of the disk, and what is left of it; a disk that stands still keeps nobody waiting."""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Generic, TypeVar

import structlog

from meet.recorder import state
from meet.recorder.limits import existing, free_bytes

log = structlog.get_logger(__name__)

T = TypeVar("T")

_PATIENCE_S: Final = 1.0
"""Below what the front and the backend wait for metrics."""
_STALE: Final = 2
"""So many times its age may a reading have while the next one is under way."""


@dataclass(frozen=True)
class Usage:
    """unfinished: bytes of recordings that are not over; finished: of what stays of the others. journals: how many of
    these, by final status."""

    unfinished: int
    finished: int
    journals: Mapping[str, int]


def of(spool: Path) -> Usage:
    """Look at every file of the spool."""
    unfinished = finished = 0
    journals: Counter[str] = Counter()
    for folder in spool.glob("EG_*"):
        current = state.read(folder / "state.json")
        size = _bytes_below(folder)
        if current is None or not current.final:
            unfinished += size
            continue
        finished += size
        if next((folder / "journal").glob("*"), None) is not None:
            journals[current.status] += 1
    return Usage(unfinished, finished, journals)


def free(folders: Mapping[str, Path]) -> dict[str, int]:
    """Bytes that may still be written, by the folders' names; without one whose file system gives no answer."""
    found = {}
    for name, folder in folders.items():
        try:
            found[name] = free_bytes(existing(folder))
        except OSError as error:
            log.warning("free_space_unknown", folder=name, reason=error.strerror)
    return found


def _bytes_below(folder: Path) -> int:
    total = 0
    for path, _, names in os.walk(folder):
        for name in names:
            try:
                total += (Path(path) / name).lstat().st_size
            except OSError as error:  # finished and removed meanwhile
                log.debug("spool_file_gone", reason=error.strerror)
    return total


class Reading(Generic[T]):
    """Something read off the disk in a thread: one at a time, and not again before it is `age_s` old."""

    def __init__(self, read: Callable[[], T], *, age_s: float, patience_s: float = _PATIENCE_S) -> None:
        self._read = read
        self._age_s, self._patience_s = age_s, patience_s
        self._last: T | None = None
        self._read_at = float("-inf")
        self._reading: asyncio.Task[None] | None = None

    async def value(self) -> T | None:
        """None when it takes too long, and what was read before is too old."""
        if time.monotonic() - self._read_at >= self._age_s:
            if self._reading is None:
                self._reading = asyncio.create_task(self._renew())
            await asyncio.wait({self._reading}, timeout=self._patience_s)
        return self._last if time.monotonic() - self._read_at < self._age_s * _STALE else None

    async def _renew(self) -> None:
        try:
            self._last = await asyncio.to_thread(self._read)
            self._read_at = time.monotonic()
        except OSError as error:
            log.warning("disk_not_read", reason=error.strerror)
        finally:
            self._reading = None
