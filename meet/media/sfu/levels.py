"""Loudness of an audio track from the audio-level header extension (RFC 6464)."""

from __future__ import annotations

_ACTIVE_DB = 35
_ACTIVE_SHARE = 0.4


class AudioLevels:
    """Collects -dBov values (0 loudest, 127 silence) over a window that the caller ends with `take`."""

    def __init__(self) -> None:
        self._count = 0
        self._active = 0
        self._active_sum = 0

    def add(self, minus_dbov: int) -> None:
        self._count += 1
        if minus_dbov <= _ACTIVE_DB:
            self._active += 1
            self._active_sum += minus_dbov

    def take(self) -> float:
        """Linear level 0..1 of the loud packets, 0 when less than 40 % were louder than -35 dBov; new window."""
        count, active, total = self._count, self._active, self._active_sum
        self._count = self._active = self._active_sum = 0
        if not active or active < count * _ACTIVE_SHARE:
            return 0.0
        return float(10 ** (-total / active / 20))
