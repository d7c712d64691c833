"""What is known of the way to one subscriber at a moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from meet.media.sfu.downtrack import DownTrack

_FRESH_S = 3.0
_LATE_S = 0.15
_DRIFT = 0.002


@dataclass(frozen=True)
class PathState:
    """used: bit/s sent now. estimate: bit/s by the receiver, None when it said nothing lately.

    repairs: share of packets asked for again since the last round. lossy: heavy loss by the receiver's reports.
    delayed: packets wait in a queue; None when no round trip was measured lately.
    """

    used: float
    estimate: int | None
    repairs: float
    lossy: bool
    delayed: bool | None


class RoundTrips:
    """Compares round trips with the shortest ones. Times are seconds."""

    def __init__(self) -> None:
        self._base: float | None = None

    def delayed(self, now: float, downs: Sequence[DownTrack]) -> bool | None:
        """Is the newest round trip 150 ms above what this path usually needs? Call once a round."""
        measured = [d.round_trip for d in downs if d.round_trip is not None and now - d.round_trip[1] <= _FRESH_S]
        if not measured:
            return None
        newest = max(measured, key=lambda each: each[1])[0]
        # The base follows slowly, for paths that change for good.
        self._base = newest if self._base is None else min(newest, self._base + (newest - self._base) * _DRIFT)
        return newest > self._base + _LATE_S
