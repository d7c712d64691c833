"""One received RTP stream: packets in any order in, encoded frames in order out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from meet.media.sfu.receive import ReceiverStats, SequenceTracker
from meet.media.transport.rtp import payload_offset
from meet.recorder.subscriber.depacketize import DEPACKETIZERS, EncodedFrame

_VIDEO_WAIT_S: Final = 0.5
_AUDIO_WAIT_S: Final = 0.12
_MAX_HELD: Final = 2048
_MAX_PARTS: Final = 8192
"""Packets of one picture, some 10 MB: a sender that never ends its picture must not fill the memory."""

OnFrame = Callable[[int, EncodedFrame, bool, float], None]
"""(unwrapped RTP time, frame, gap before it, arrival of its last packet)."""


class Unwrapper:
    """16- or 32-bit counters to integers that do not wrap."""

    def __init__(self, bits: int) -> None:
        self._size = 1 << bits
        self._last: int | None = None

    def __call__(self, value: int) -> int:
        if self._last is None:
            self._last = value
        else:
            step = (value - self._last) % self._size
            if step >= self._size // 2:
                step -= self._size
            # Only forward steps move the reference, so one late packet cannot drag it back.
            if step < 0:
                return self._last + step
            self._last += step
        return self._last


class _Packet:
    __slots__ = ("arrival", "marker", "payload", "timestamp")

    def __init__(self, timestamp: int, marker: bool, payload: bytes, arrival: float) -> None:
        self.timestamp, self.marker, self.payload, self.arrival = timestamp, marker, payload, arrival


class RtpStream:
    """Reorders within a bounded time and assembles frames. Times are monotonic seconds."""

    def __init__(self, ssrc: int, media: str, codec: str, clock_rate: int, on_frame: OnFrame) -> None:
        self.ssrc = ssrc
        self.media = media
        self.tracker = SequenceTracker(nack=media == "video")
        self.stats = ReceiverStats(clock_rate)
        self.wants_key = media == "video"
        self.last_sr: tuple[int, float] | None = None
        self._depacketize = DEPACKETIZERS[codec.lower()]
        self._on_frame = on_frame
        self._wait = _VIDEO_WAIT_S if media == "video" else _AUDIO_WAIT_S
        self._sequence, self.timestamps = Unwrapper(16), Unwrapper(32)
        self._held: dict[int, _Packet] = {}
        self._next: int | None = None
        self._stuck_since: float | None = None
        self._parts: list[_Packet] = []
        self._damaged: int | None = None
        self._broken = False
        self._gap = False

    def receive(self, packet: bytes, now: float) -> None:
        """An RTP packet of this SSRC, decrypted."""
        sequence = int.from_bytes(packet[2:4], "big")
        end = len(packet) - (packet[-1] if packet[0] & 0x20 else 0)
        payload = packet[payload_offset(packet) : end]
        timestamp = int.from_bytes(packet[4:8], "big")
        if not self.tracker.add(sequence, now):
            return
        self.stats.arrival(timestamp, now)
        self._insert(sequence, timestamp, bool(packet[1] & 0x80), payload, now)

    def repair(self, packet: bytes, now: float) -> None:
        """A retransmission (RFC 4588): the original sequence number leads the payload."""
        at = payload_offset(packet)
        end = len(packet) - (packet[-1] if packet[0] & 0x20 else 0)
        if end - at <= 2:
            return
        sequence = int.from_bytes(packet[at : at + 2], "big")
        if self.tracker.repaired(sequence):
            timestamp = int.from_bytes(packet[4:8], "big")
            self._insert(sequence, timestamp, bool(packet[1] & 0x80), packet[at + 2 : end], now)

    def _insert(self, sequence: int, timestamp: int, marker: bool, payload: bytes, now: float) -> None:
        number = self._sequence(sequence)
        if self._next is None:
            self._next = number
        if number < self._next or len(self._held) >= _MAX_HELD:
            return
        packet = _Packet(self.timestamps(timestamp), marker, payload, now)
        if number == self._next and not self._held:  # nearly all of them
            self._next += 1
            self._stuck_since = None
            self._take(packet)
            return
        self._held[number] = packet
        self.advance(now)

    def advance(self, now: float) -> None:
        """Hand on what is complete; give up on what has been missing for too long."""
        while self._held:
            assert self._next is not None
            packet = self._held.pop(self._next, None)
            if packet is not None:
                self._next += 1
                self._stuck_since = None
                self._take(packet)
                continue
            if self._stuck_since is None:
                self._stuck_since = now
            if now - self._stuck_since < self._wait and len(self._held) < _MAX_HELD // 2:
                return
            self._next = min(self._held)
            self._stuck_since = None
            if self._parts:
                self._damaged, self._parts = self._parts[0].timestamp, []
            self._lost()

    def _lost(self) -> None:
        self._gap = True
        if self.media == "video":
            self._broken = True
            self.wants_key = True

    def _take(self, packet: _Packet) -> None:
        if self.media == "audio":
            self._emit([packet])
            return
        if self._parts and packet.timestamp != self._parts[0].timestamp:
            # No marker seen: either it was lost, or the sender ends pictures by the next timestamp.
            self._emit(self._parts)
            self._parts = []
        if packet.payload and packet.timestamp != self._damaged:
            self._parts.append(packet)
            if len(self._parts) > _MAX_PARTS:
                self._damaged, self._parts = packet.timestamp, []
                self._lost()
        if packet.marker and self._parts:
            self._emit(self._parts)
            self._parts = []

    def _emit(self, parts: list[_Packet]) -> None:
        frame = self._depacketize([part.payload for part in parts])
        if frame is None:
            if any(part.payload for part in parts):
                self._lost()
            return
        if self._broken and not frame.key:
            # Pictures after a loss refer to what is missing; the journal keeps the last good one on screen.
            return
        if frame.key:
            self._broken = False
            self.wants_key = False
        gap, self._gap = self._gap, False
        self._on_frame(parts[0].timestamp, frame, gap, parts[-1].arrival)
