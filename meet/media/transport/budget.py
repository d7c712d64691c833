"""Token buckets: how much one client, or one address, may have done for it."""

from __future__ import annotations

import time
from collections.abc import Callable


class TokenBucket:
    """`rate` tokens a second, at most `burst` saved up. clock: seconds, monotonic."""

    def __init__(self, rate: float, burst: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._burst, self._clock = rate, burst, clock
        self._tokens = burst
        self._at = clock()

    @property
    def tokens(self) -> float:
        """What is there now; negative after an overdraft."""
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
        return self._tokens

    @property
    def full(self) -> bool:
        return self.tokens >= self._burst

    def take(self, wanted: int = 1) -> int:
        """As many whole tokens as there are, up to `wanted`."""
        granted = max(0, min(wanted, int(self.tokens)))
        self._tokens -= granted
        return granted

    def draw(self, tokens: float) -> float:
        """Take them even if they are not there; returns the seconds until the debt is paid."""
        left = self.tokens - tokens
        self._tokens = left
        return max(0.0, -left / self._rate)


class WorkBudget:
    """The share of the event loop's time that one client's requests may use up; single long ones are forgiven."""

    SHARE = 0.25
    BURST_S = 0.25

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._bucket = TokenBucket(self.SHARE, self.BURST_S, clock)

    def spend(self, seconds: float) -> float:
        """Note CPU seconds that were used; returns for how long to do nothing for this client now."""
        return self._bucket.draw(seconds)
