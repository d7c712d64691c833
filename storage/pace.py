"""Bytes per second that uploads keep to."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Pace:
    """`rate`, in bytes per second, may be changed at any time, from any thread; None: as fast as possible."""

    def __init__(
        self,
        rate: float | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.rate = rate
        self._clock, self._sleep = clock, sleep
        self._not_before = 0.0
        self._lock = threading.Lock()

    def wait(self, size: int) -> None:
        """Block until `size` more bytes may go."""
        rate = self.rate
        if rate is None:
            return
        with self._lock:
            now = self._clock()
            pause = max(0.0, self._not_before - now)
            self._not_before = now + pause + size / rate
        self._sleep(pause)
