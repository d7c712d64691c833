"""Judging a try of a better layer.

The estimate needs many seconds to catch up with a higher rate, so its being low says nothing. But on a path that has
room it mostly grows, by up to 8 % a second, and packets are neither late nor lost; on one that has none it stands still
or falls, and they are.
"""

from __future__ import annotations

from enum import Enum

from meet.media.sfu.downtrack import DownTrack
from meet.media.sfu.path import PathState

ENOUGH = 0.8
"""An estimate of this share of what is sent raises no doubt."""
_FALLEN = 0.95
_GROWN = 1.02
_STILL_S = 2.5
_SETTLE_S = 0.75
_PROVEN = 1.04
_STEP_S = 2.0
_LOST_MORE = 0.10


class Verdict(Enum):
    """What a try has shown so far."""

    OPEN = "open"
    FAILED = "failed"
    PASSED = "passed"


class Trial:
    """One video raised from the ceiling `before`. repairs: share of packets that were asked for again before it."""

    def __init__(self, down: DownTrack, before: int, now: float, estimate: int | None, repairs: float) -> None:
        self.down = down
        self.before = before
        self._since = now
        self._first = self._peak = estimate
        self._peak_at = now + _SETTLE_S
        self._repairs = repairs

    def judge(self, now: float, path: PathState) -> Verdict:
        """Call with every round."""
        if path.lossy or path.delayed or path.repairs > self._repairs + _LOST_MORE:
            return Verdict.FAILED
        lasted, estimate = now - self._since, path.estimate
        if estimate is None or self._peak is None or self._first is None:
            self._first = self._peak = estimate
            return Verdict.PASSED if lasted >= _STEP_S else Verdict.OPEN
        if estimate >= self._peak * _GROWN:
            self._peak, self._peak_at = estimate, max(now, self._peak_at)
        if estimate < self._first * _FALLEN:
            return Verdict.FAILED
        fine = estimate >= ENOUGH * path.used or estimate >= self._first * _PROVEN or path.delayed is False
        if lasted >= _STEP_S and fine:
            return Verdict.PASSED
        return Verdict.FAILED if not fine and now - self._peak_at > _STILL_S else Verdict.OPEN
