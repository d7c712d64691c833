"""RTP time to recording time.

All times are microseconds on the journal's clock. A publisher's sender reports tie the RTP times of all its tracks to
one NTP clock (RFC 3550 6.4.1), so its sound and picture stay together whatever their transit times were; how that NTP
clock lies on ours is the smallest transit seen lately. Until the first report, the smallest transit of the track's own
frames has to do. Mapped time is slewed from one estimate to the next, never stepped.
"""

from __future__ import annotations

from collections import deque
from typing import Final

_WINDOW_US: Final = 30_000_000
_SLEW: Final = 0.05
"""Largest change of the mapping, seconds per second: a picture is at most 5 % fast or slow while it converges."""
_STEP_US: Final = 1_000_000
_ABSURD_US: Final = 5_000_000


def ntp_to_us(ntp: int) -> int:
    """32.32 fixed point seconds to microseconds; the epoch does not matter here."""
    return ntp * 1_000_000 >> 32


class MinimumWindow:
    """The smallest value of the last 30 s. O(1) amortised (monotonic queue)."""

    def __init__(self) -> None:
        self._kept: deque[tuple[int, int]] = deque()

    def add(self, at: int, value: int) -> None:
        while self._kept and self._kept[-1][1] >= value:
            self._kept.pop()
        self._kept.append((at, value))
        while at - self._kept[0][0] > _WINDOW_US:
            self._kept.popleft()

    @property
    def value(self) -> int | None:
        return self._kept[0][1] if self._kept else None


class SenderClock:
    """A publisher's NTP clock: `offset` is what to add to it to get recording time, None before its first report."""

    def __init__(self) -> None:
        self._window = MinimumWindow()

    def report(self, at: int, transit_us: int) -> None:
        """A report was seen at `at`; our clock minus the publisher's, as far as it tells."""
        self._window.add(at, transit_us)

    @property
    def offset(self) -> int | None:
        return self._window.value


class TrackClock:
    """One track's RTP clock of `rate` Hz."""

    def __init__(self, rate: int, sender: SenderClock) -> None:
        self._rate = rate
        self._sender = sender
        self._arrivals = MinimumWindow()
        self._report: tuple[int, int] | None = None
        self._unplaced = False
        self._applied: int | None = None
        self._mapped_media = 0
        self.off = 0
        """By how many µs the newest mapped time is before (+) or behind (-) the best estimate, while it is slewed."""

    def paused(self, us: int) -> None:
        """Nothing was heard of the track for so long on purpose; what is too old by now to be drifted from goes."""
        if us > _WINDOW_US:
            self._arrivals = MinimumWindow()
            self._report, self._applied, self._unplaced = None, None, False

    def media_us(self, rtp: int) -> int:
        """RTP time in microseconds since RTP zero."""
        return rtp * 1_000_000 // self._rate

    def arrived(self, rtp: int, at: int) -> None:
        """A frame sampled at `rtp` was complete at `at`."""
        self._arrivals.add(at, at - self.media_us(rtp))
        if self._unplaced and self._report is not None:
            # The report came before any frame; now it can be placed by one.
            self._unplaced = False
            ntp_us, reported = self._report
            self._sender.report(at, at - self.media_us(rtp) + self.media_us(reported) - ntp_us)

    def report(self, ntp: int, rtp: int, at: int) -> None:
        """A sender report arrived at `at`. One that contradicts the frames by seconds is not believed.

        A media server repeats the newest report it has when somebody subscribes, so its arrival may tell nothing: it
        left the publisher no later than a frame sampled at that moment would have been here.
        """
        ntp_us = ntp_to_us(ntp)
        by_arrival = self._arrivals.value
        if by_arrival is None:
            self._report, self._unplaced = (ntp_us, rtp), True
            return
        as_frame = self.media_us(rtp) + by_arrival
        if abs(as_frame - at) > _ABSURD_US:
            return
        self._report = (ntp_us, rtp)
        self._sender.report(at, min(at, as_frame) - ntp_us)

    def target_offset(self) -> int | None:
        """What to add to `media_us` by the best estimate now; None before anything arrived."""
        if self._report is not None and self._sender.offset is not None:
            ntp_us, rtp = self._report
            return ntp_us - self.media_us(rtp) + self._sender.offset
        return self._arrivals.value

    def target(self, rtp: int) -> int:
        """Recording time by the best estimate, without slewing (for those who slew themselves)."""
        offset = self.target_offset()
        return self.media_us(rtp) + (offset if offset is not None else 0)

    def map(self, rtp: int) -> int:
        """Recording time, slewed; call it once per frame in order."""
        media = self.media_us(rtp)
        target = self.target_offset()
        if target is None:
            return media
        if self._applied is None or abs(target - self._applied) > _STEP_US:
            self._applied = target
        else:
            limit = int(max(media - self._mapped_media, 0) * _SLEW)
            self._applied += max(-limit, min(limit, target - self._applied))
        self._mapped_media = media
        self.off = target - self._applied
        return media + self._applied
