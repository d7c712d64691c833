"""Choosing layers for one subscriber under its bandwidth.

The browser estimates what it can receive and reports it (REMB). The estimate cannot grow far beyond what is being sent,
so it tells when there is too much, not how much more would fit: layers are lowered on evidence and raised by trying,
with a longer pause after every failed try.
"""

from __future__ import annotations

from collections.abc import Sequence

from meet.media.sfu.downtrack import HIGHEST, DownTrack

_CONGESTED_RATIO = 0.8
_CONGESTED_AFTER_S = 1.5
_LOSS = 0.15
_FIRST_RETRY_S = 4.0
_LAST_RETRY_S = 64.0
_TRIAL_S = 8.0
_ESTIMATE_AGE_S = 5.0


class Bandwidth:
    """State of one subscriber. Times are seconds of one monotonic clock, rates bit/s."""

    def __init__(self) -> None:
        self.estimate: int | None = None
        self._estimate_at = float("-inf")
        self._congested_since: float | None = None
        self._retry_s = _FIRST_RETRY_S
        self._next_try = 0.0
        self._raised_at = float("-inf")

    def on_estimate(self, bitrate: int, now: float) -> None:
        self.estimate = bitrate
        self._estimate_at = now

    def allocate(self, now: float, downs: Sequence[DownTrack]) -> None:
        """Set the `ceiling` of every video down track."""
        videos = [d for d in downs if d.track.video and d.enabled]
        if not videos:
            return
        if self._congested(now, downs):
            if self._congested_since is None:
                self._congested_since = now
            elif now - self._congested_since >= _CONGESTED_AFTER_S:
                self._congested_since = None
                self._lower(now, videos)
            return
        self._congested_since = None
        if now >= self._next_try:
            self._raise(now, videos)

    def _congested(self, now: float, downs: Sequence[DownTrack]) -> bool:
        used = sum(d.current.bitrate for d in downs if d.current is not None)
        if any(d.fraction_lost > _LOSS for d in downs):
            return True
        if self.estimate is None or now - self._estimate_at > _ESTIMATE_AGE_S:
            return False
        return self.estimate < used * _CONGESTED_RATIO

    def _lower(self, now: float, videos: Sequence[DownTrack]) -> None:
        above = [d for d in videos if d.current is not None and d.current.rank > _lowest(d)]
        if not above:
            return
        heaviest = max(above, key=lambda d: d.current.bitrate if d.current is not None else 0.0)
        assert heaviest.current is not None
        heaviest.ceiling = heaviest.current.rank - 1
        if now - self._raised_at <= _TRIAL_S:
            self._retry_s = min(_LAST_RETRY_S, self._retry_s * 2)
        self._next_try = now + self._retry_s

    def _raise(self, now: float, videos: Sequence[DownTrack]) -> None:
        capped = [d for d in videos if d.ceiling < min(d.limit, _highest(d))]
        for down in videos:
            if down.ceiling >= _highest(down):
                down.ceiling = HIGHEST
        if not capped:
            if now - self._raised_at > _TRIAL_S:
                self._retry_s = _FIRST_RETRY_S  # the last try was a success
            return
        lowest = min(capped, key=lambda d: d.ceiling)
        lowest.ceiling += 1
        self._raised_at = now
        self._next_try = now + self._retry_s


def _lowest(down: DownTrack) -> int:
    return min((s.rank for s in down.track.layers.values()), default=0)


def _highest(down: DownTrack) -> int:
    return max((s.rank for s in down.track.layers.values()), default=0)
