"""RTP time to recording time.

All times are microseconds on the journal's clock. Where a frame lies is told by two things. The smallest transit seen
lately (arrival minus RTP time) says it to within the path's delay, from the first frame on. Sender reports (RFC 3550
6.4.1) tie the RTP times of all tracks of a publisher to one NTP clock: with them, all its tracks use the transit of the
fastest one, so sound and picture stay together whatever their transit times are.

Mapped time is slewed from one estimate to the next. It is stepped only when a clock did: RTP time that counts samples
stands still while there is no microphone, a path gets slower for good, a publisher sets its clock. The reports from
before are then worth nothing, and the track is placed by its transit until the next one.
"""

from __future__ import annotations

from collections import deque
from typing import Final

STEP_US: Final = 150_000
"""A difference that is not slewed away: it would be heard and seen for too long."""
_WINDOW_US: Final = 30_000_000
_SLEW: Final = 0.05
"""Largest change of the mapping, seconds per second: a picture is at most 5 % fast or slow while it converges."""
_ABSURD_US: Final = 5_000_000
_OFTEN_US: Final = 1_000_000
_VIDEO_RATE: Final = 90_000
_CONTRADICTION_US: Final = 250_000
_LATEST_US: Final = 350_000
"""A busy publisher takes its last packet of sound for later than it was (measured: by 0.32 s), never for earlier."""
_LATE_US: Final = 100_000
_RISES: Final = ((250_000, 250_000, 4), (_LATE_US, 1_000_000, 10))
"""Frames that are all later than the fastest one by more than (µs), for so long (µs), and so many: that is no jitter.
What is so late that it would not be mixed any more has to be found out before it is due."""
_CATCHING_UP_US: Final = 20_000
"""Late frames that become faster by more than this are a burst of delay that is being worked off."""


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

    def clear(self) -> None:
        """Forget all."""
        self._kept.clear()

    @property
    def value(self) -> int | None:
        return self._kept[0][1] if self._kept else None


class Transit:
    """The smallest transit of a track's frames in the last 30 s; of fewer when RTP time or the path has changed."""

    def __init__(self) -> None:
        self._window = MinimumWindow()
        self._late_since: int | None = None
        self._first_late = self._least_late = self._late = self._newest = 0
        self.in_doubt_since: int | None = None
        """When the first of the frames came that are so late that it will soon be clear whether that is for good."""

    def add(self, at: int, transit: int) -> bool:
        """True when what was known before is of no use any more."""
        before, stalled = self._window.value, transit - self._newest > _LATE_US
        self._newest = transit
        self._window.add(at, transit)
        value = self._window.value
        assert value is not None
        if before is not None and not before - _CONTRADICTION_US <= value <= before + _LATE_US:
            self._late_since = self.in_doubt_since = None
            return True
        if transit - value <= _LATE_US:
            self._late_since = self.in_doubt_since = None
            return False
        self.in_doubt_since = self.in_doubt_since or at
        # A new stall: what came late before it was no slow path, but the last burst.
        if self._late_since is None or stalled or transit < self._first_late - _CATCHING_UP_US:
            self._late_since, self._first_late, self._least_late, self._late = at, transit, transit, 0
        self._least_late, self._late = min(self._least_late, transit), self._late + 1
        late_for, late_by = at - self._late_since, self._least_late - value
        if not any(late_by > by and late_for >= long and self._late >= many for by, long, many in _RISES):
            return False
        self._window.clear()
        self._window.add(at, self._least_late)
        self._late_since = self.in_doubt_since = None
        return True

    @property
    def value(self) -> int | None:
        return self._window.value


class SenderClock:
    """A publisher's NTP clock, which its tracks share. epoch: another one each time it contradicted itself.

    offset: what to add to NTP time to get recording time, by the fastest track that is still sending; None before that
    is known.
    """

    def __init__(self) -> None:
        self.epoch = 0
        self.offset: int | None = None
        self._told: dict[TrackClock, tuple[int, int]] = {}

    def tell(self, track: TrackClock, at: int, offset: int) -> None:
        """`offset` as far as this track can tell at `at`."""
        known = self._told.get(track)
        if known is not None and known[1] == offset and at - known[0] < _OFTEN_US:
            return
        self._told[track] = (at, offset)
        self._told = {other: told for other, told in self._told.items() if at - told[0] <= _WINDOW_US}
        self.offset = min(offset for _, offset in self._told.values())

    def shows(self, at: int) -> bool:
        """A track of pictures has told something lately: their reports come every second, and are right."""
        return any(not track.counts_samples and at - told[0] <= _WINDOW_US for track, told in self._told.items())

    def forget(self, track: TrackClock) -> None:
        """The track has nothing to tell any more."""
        if self._told.pop(track, None) is not None:
            self.offset = min((offset for _, offset in self._told.values()), default=None)

    def restart(self) -> None:
        """What its tracks reported so far was another clock."""
        self.epoch += 1
        self.offset = None
        self._told.clear()


class TrackClock:
    """One track's RTP clock of `rate` Hz."""

    def __init__(self, rate: int, sender: SenderClock) -> None:
        self._rate = rate
        self._sender = sender
        self._epoch = sender.epoch
        # Pictures are stamped by a clock that never stands still; they come late because there are many bytes of them.
        self.counts_samples = rate != _VIDEO_RATE
        self._transit = Transit()
        self._reports = MinimumWindow()
        self._newest_report: int | None = None
        self._reported_at = 0
        self._doubted = False
        self._applied: int | None = None
        self._mapped_media = 0
        self.off = 0
        """By how many µs the newest mapped time is before (+) or behind (-) the best estimate, while it is slewed."""

    def paused(self, us: int) -> None:
        """Nothing was heard of the track for so long on purpose; what is too old by now to be drifted from goes."""
        if us > _WINDOW_US:
            self._transit, self._applied = Transit(), None
            self._forget_reports()

    def media_us(self, rtp: int) -> int:
        """RTP time in microseconds since RTP zero."""
        return rtp * 1_000_000 // self._rate

    def arrived(self, rtp: int, at: int) -> None:
        """A frame sampled at `rtp` was complete at `at`."""
        if self._transit.add(at, at - self.media_us(rtp)) and self.counts_samples:
            self._forget_reports()
        self._tell(at)

    def report(self, ntp: int, rtp: int, at: int) -> None:
        """A sender report arrived at `at`. It counts when the one before it said the same, and the frames do roughly.

        When it arrived tells nothing: a media server repeats the newest one it has when somebody subscribes. Who sends
        pictures as well has set its clock forward when these say so, too; what only the sound says is a busy publisher.
        """
        transit = self._transit.value
        if transit is not None and abs(self.media_us(rtp) + transit - at) > _ABSURD_US:
            return
        self._keep_up()
        newest = ntp_to_us(ntp) - self.media_us(rtp)
        before, self._newest_report = self._newest_report, newest
        fresh, self._reported_at = at - self._reported_at <= _WINDOW_US, at
        if before is None:
            return
        seen = self.counts_samples and fresh and self._sender.shows(at)
        known = self._reports.value if seen and self._reports.value is not None else before
        if newest < known - _CONTRADICTION_US or (newest > known + _CONTRADICTION_US and not seen):
            self._sender.restart()
            self._epoch = self._sender.epoch
            self._reports.clear()
            self._doubted = False
            return
        if seen and self._reports.value is None and self._strange(min(before, newest)) and not self._doubted:
            self._doubted = True
            return
        self._reports.add(at, min(before, newest))
        self._tell(at)

    def _strange(self, reported: int) -> bool:
        """The picture would be so much slower than the sound as a busy publisher's reports are late."""
        transit, offset = self._transit.value, self._sender.offset
        return transit is not None and offset is not None and STEP_US < offset - transit + reported <= _LATEST_US

    def _tell(self, at: int) -> None:
        self._keep_up()
        if self._reports.value is not None and self._transit.value is not None:
            self._sender.tell(self, at, self._transit.value - self._reports.value)

    def _keep_up(self) -> None:
        """With what the publisher's other tracks found out."""
        if self._epoch != self._sender.epoch:
            self._epoch = self._sender.epoch
            self._forget_reports()

    def _forget_reports(self) -> None:
        self._reports.clear()
        self._newest_report = None
        self._doubted = False
        self._sender.forget(self)

    @property
    def in_doubt_since(self) -> int | None:
        """Where the frames lie that arrived from then on will be known better in a second or so."""
        return self._transit.in_doubt_since

    def target_offset(self) -> int | None:
        """What to add to `media_us` by the best estimate now; None before anything arrived."""
        self._keep_up()
        reported, offset = self._reports.value, self._sender.offset
        if reported is not None and offset is not None:
            return reported + offset
        return self._transit.value

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
        if self._applied is None or abs(target - self._applied) > STEP_US:
            self._applied = target
        else:
            limit = int(max(media - self._mapped_media, 0) * _SLEW)
            self._applied += max(-limit, min(limit, target - self._applied))
        self._mapped_media = media
        self.off = target - self._applied
        return media + self._applied
