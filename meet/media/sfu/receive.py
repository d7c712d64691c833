"""Receiver bookkeeping of one RTP stream: sequence tracking, NACK scheduling, report statistics (RFC 3550 A.3, A.8)."""

from __future__ import annotations

from dataclasses import dataclass

_MAX_GAP = 250
_MAX_TRIES = 8
_MAX_ASKED = 300
"""In one round: 17 or more apart they take four bytes each, and what SRTCP can encrypt ends at 1352."""
_GIVE_UP_S = 1.0
_FIRST_WAIT_S = 0.01
_MIN_RETRY_S = 0.03


@dataclass(slots=True)
class _Missing:
    since: float
    next_try: float
    tries: int = 0


class SequenceTracker:
    """Which packets came, which are missing. Sequence numbers are 16 bit, times seconds."""

    def __init__(self, *, nack: bool) -> None:
        self.highest: int | None = None
        self.cycles = 0
        self.base = 0
        self.received = 0
        self.overrun = False
        """A gap too large to repair was seen; the caller asks for a key frame and clears it."""
        self._nack = nack
        self._missing: dict[int, _Missing] = {}

    @property
    def has_missing(self) -> bool:
        return bool(self._missing)

    def add(self, sequence: int, now: float) -> bool:
        """Note a packet. False for a duplicate of the newest one."""
        highest = self.highest
        if highest is None:
            self.highest = self.base = sequence
            self.received = 1
            return True
        step = (sequence - highest) & 0xFFFF
        if step == 0:
            return False
        self.received += 1
        if step < 0x8000:
            if step > 1 and self._nack:
                self._open_gap(highest, step, now)
            if sequence < highest:
                self.cycles += 0x10000
            self.highest = sequence
        elif self._missing:
            self._missing.pop(sequence, None)
        return True

    def repaired(self, sequence: int) -> bool:
        """A retransmission arrived. True when the packet was still missing."""
        if self._missing.pop(sequence, None) is None:
            return False
        self.received += 1
        return True

    def due(self, now: float, rtt: float) -> list[int]:
        """Sequence numbers to ask for now, oldest first; at most 300, the others in the next round."""
        if not self._missing:
            return []
        ask: list[int] = []
        for sequence, entry in list(self._missing.items()):
            if now - entry.since > _GIVE_UP_S or entry.tries >= _MAX_TRIES:
                del self._missing[sequence]
                self.overrun = True
            elif now >= entry.next_try and len(ask) < _MAX_ASKED:
                entry.tries += 1
                entry.next_try = now + max(_MIN_RETRY_S, rtt * 1.2)
                ask.append(sequence)
        return ask

    def _open_gap(self, highest: int, step: int, now: float) -> None:
        if step > _MAX_GAP or len(self._missing) + step > 2 * _MAX_GAP:
            self._missing.clear()
            self.overrun = True
            return
        for offset in range(1, step):
            self._missing[(highest + offset) & 0xFFFF] = _Missing(now, now + _FIRST_WAIT_S)


class ReceiverStats:
    """Loss fraction, cumulative loss and jitter for receiver reports. clock_rate: RTP ticks per second."""

    def __init__(self, clock_rate: int) -> None:
        self._rate = clock_rate
        self._transit: float | None = None
        self.jitter = 0.0
        self._last_expected = self._last_received = 0

    def arrival(self, timestamp: int, now: float) -> None:
        transit = now * self._rate - timestamp
        if self._transit is not None:
            change = abs(transit - self._transit)
            # A wrapped timestamp or a restarted clock is not jitter.
            if change < self._rate * 10:
                self.jitter += (change - self.jitter) / 16
        self._transit = transit

    def interval(self, tracker: SequenceTracker) -> tuple[int, int, int]:
        """(fraction lost in 1/256 since the last call, packets lost in all, extended highest sequence)."""
        extended = tracker.cycles + (tracker.highest or 0)
        expected = extended - tracker.base + 1
        lost = max(0, min(expected - tracker.received, 0x7FFFFF))
        step_expected = expected - self._last_expected
        step_lost = step_expected - (tracker.received - self._last_received)
        self._last_expected, self._last_received = expected, tracker.received
        fraction = 0 if step_expected <= 0 or step_lost <= 0 else min(255, (step_lost << 8) // step_expected)
        return fraction, lost, extended & 0xFFFFFFFF
