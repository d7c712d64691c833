"""Choosing layers for one subscriber under its bandwidth.

The browser estimates what it can receive and reports it (REMB). The estimate cannot grow far beyond what is being sent,
so it tells when there is too much, not how much more would fit: layers are lowered on evidence and raised by trying.
A try is judged by what happens then (`trial`). After a step up the estimate lags behind what is sent for many seconds;
as long as it grows, or packets are neither late nor lost, that means nothing.

When not even the lowest layers fit, videos are paused one by one, the heaviest first: audio is never touched.
"""

from __future__ import annotations

from collections.abc import Sequence

from meet.media.sfu.downtrack import HIGHEST, STARVED, DownTrack
from meet.media.sfu.path import PathState, RoundTrips
from meet.media.sfu.trial import ENOUGH, Trial, Verdict

_GROWN = 1.02
_FALLEN = 0.95
_STILL_S = 1.5
_FELL_S = 2.0
_CLEAR_RATIO = 0.5
_CLEAR_AFTER_S = 0.5
_CONGESTED_AFTER_S = 1.5
_STARVED_AFTER_S = 3.0
_LOSS = 0.15
_REGRET_S = 8.0
_MARGIN = 0.95
_ESTIMATE_AGE_S = 5.0

RETRY_S = (3.0, 5.0, 5.0, 5.0, 5.0, 5.0, 10.0, 20.0, 40.0)
"""Pause after the n-th failed try in a row: about half a minute of frequent tries, then ever fewer."""


class Bandwidth:
    """State of one subscriber. Times are seconds of one monotonic clock, rates bit/s."""

    def __init__(self) -> None:
        self.estimate: int | None = None
        self._estimate_at = self._grown_at = self._fell_at = float("-inf")
        self._round_trips = RoundTrips()
        self._passed_at = float("-inf")
        self._mark = 0.0
        self._congested_since: float | None = None
        self._failures = 0
        self._next_try = 0.0
        self._trial: Trial | None = None
        self._repairs = 0.0

    def on_estimate(self, bitrate: int, now: float) -> None:
        self.estimate = bitrate
        self._estimate_at = now
        if bitrate >= self._mark * _GROWN:
            self._mark, self._grown_at = bitrate, now
        elif bitrate < self._mark * _FALLEN:
            self._mark, self._grown_at, self._fell_at = bitrate, float("-inf"), now

    def allocate(self, now: float, downs: Sequence[DownTrack]) -> None:
        """Set the `ceiling` of every video down track; call four times a second."""
        videos = [d for d in downs if d.track.video and d.enabled]
        if not videos:
            return
        used = sum(d.current.bitrate for d in downs if d.current is not None)
        estimate = self.estimate if now - self._estimate_at <= _ESTIMATE_AGE_S else None
        path = PathState(
            used=used,
            estimate=estimate,
            repairs=max(d.take_repair_share() for d in videos),
            lossy=any(d.fraction_lost > _LOSS for d in downs),
            delayed=self._round_trips.delayed(now, downs),
        )
        if self._trial is not None:
            self._continue(self._trial, now, videos, path)
            return
        self._repairs += (path.repairs - self._repairs) / 8
        if path.lossy or (estimate is not None and estimate < ENOUGH * used and self._doubtful(now, path)):
            self._relieve(now, videos, used=used, estimate=estimate)
            return
        self._congested_since = None
        if now >= self._next_try:
            self._raise(now, videos, estimate)

    # -- too much

    def _doubtful(self, now: float, path: PathState) -> bool:
        """The low estimate is no mere lag: it does not grow, and it just fell, or packets wait, or nobody knows."""
        still = now - self._grown_at > _STILL_S
        return still and (path.delayed is not False or now - self._fell_at < _FELL_S)

    def _relieve(self, now: float, videos: Sequence[DownTrack], *, used: float, estimate: int | None) -> None:
        if self._congested_since is None:
            self._congested_since = now
        lasted = now - self._congested_since
        clear = estimate is not None and estimate < _CLEAR_RATIO * used
        if lasted >= (_CLEAR_AFTER_S if clear else _CONGESTED_AFTER_S) and self._lower(videos, used, estimate):
            self._congested_since = None
            if now - self._passed_at < _REGRET_S:
                self._failures += 1  # that try was no success after all
            self._next_try = now + self._pause()
        elif clear and lasted >= _STARVED_AFTER_S:
            # On the estimate's word only: losses may have other reasons than a lack of bandwidth.
            self._starve(videos)
            self._congested_since = None
            self._next_try = now + self._pause()

    def _pause(self) -> float:
        return RETRY_S[min(self._failures, len(RETRY_S) - 1)]

    @staticmethod
    def _lower(videos: Sequence[DownTrack], used: float, estimate: int | None) -> bool:
        """One step for the heaviest video, and more until the estimate is met. False when all are at their lowest."""
        lowered = False
        rates = {d: d.current.bitrate for d in videos if d.current is not None}
        while not lowered or (estimate is not None and used > _MARGIN * estimate):
            above = [d for d in rates if d.current is not None and min(d.ceiling, d.current.rank) > _lowest(d)]
            if not above:
                break
            heaviest = max(above, key=lambda d: rates[d])
            assert heaviest.current is not None
            rank = min(heaviest.ceiling, heaviest.current.rank) - 1
            heaviest.ceiling = rank
            below = [s.bitrate for s in heaviest.track.layers.values() if s.rank <= rank]
            used += max(below, default=0.0) - rates[heaviest]
            rates[heaviest] = max(below, default=0.0)
            lowered = True
        for down in rates:
            _cut(down)
        return lowered

    @staticmethod
    def _starve(videos: Sequence[DownTrack]) -> None:
        flowing = [d for d in videos if d.current is not None]
        if flowing:
            max(flowing, key=lambda d: d.current.bitrate if d.current is not None else 0.0).ceiling = STARVED

    # -- trying more

    def _raise(self, now: float, videos: Sequence[DownTrack], estimate: int | None) -> None:
        capped = [d for d in videos if d.ceiling < min(d.limit, _highest(d))]
        for down in videos:
            if down.ceiling >= _highest(down):
                down.ceiling = HIGHEST
        if not capped:
            if now - self._passed_at > _REGRET_S:
                self._failures = 0
            return
        lowest = min(capped, key=lambda d: d.ceiling)
        self._trial = Trial(lowest, lowest.ceiling, now, estimate, self._repairs)
        lowest.ceiling += 1

    def _continue(self, trial: Trial, now: float, videos: Sequence[DownTrack], path: PathState) -> None:
        verdict = trial.judge(now, path)
        if verdict is Verdict.OPEN:
            return
        self._trial = None
        self._congested_since = None
        if verdict is Verdict.FAILED:
            trial.down.ceiling = trial.before
            _cut(trial.down)
            self._next_try = now + self._pause()
            self._failures += 1
            return
        self._passed_at = now
        self._raise(now, videos, path.estimate)


def _cut(down: DownTrack) -> None:
    """Stop a layer that is above the ceiling at once: the next key frame of a lower one may be a while away."""
    if down.current is not None and down.current.rank > max(down.ceiling, _lowest(down)):
        down.pause()


def _lowest(down: DownTrack) -> int:
    return min((s.rank for s in down.track.layers.values()), default=0)


def _highest(down: DownTrack) -> int:
    return max((s.rank for s in down.track.layers.values()), default=0)
