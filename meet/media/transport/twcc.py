"""Transport-wide congestion control feedback, receiver side (draft-holmer-rmcat-transport-wide-cc-extensions-01)."""

from __future__ import annotations

import struct

_TICK_US = 250
_REFERENCE_US = 64_000
_MAX_SPAN = 512
"""Packets in one feedback: 1192 bytes when every delta takes two; what SRTCP can encrypt ends at 1352."""
_MAX_PENDING = 4096


class TwccWriter:
    """Collects (transport sequence, arrival) and packs feedback packets.

    Arrival times are seconds of any monotonic clock. Every sequence number between the first and the last one seen is
    reported, lost ones included, also across two feedback packets.
    """

    def __init__(self, sender_ssrc: int) -> None:
        self._ssrc = sender_ssrc
        self._pending: list[tuple[int, float]] = []
        self._count = 0
        self._next: int | None = None

    def add(self, sequence: int, arrival: float) -> None:
        if len(self._pending) < _MAX_PENDING:
            self._pending.append((sequence, arrival))

    def flush(self, media_ssrc: int) -> list[bytes]:
        """RTCP packets for everything since the last call.

        media_ssrc must be one the sender really uses: Chromium ignores feedback for others, and its bandwidth estimate
        collapses.
        """
        if not self._pending:
            return []
        items, self._pending = self._pending, []
        first = items[0][0]
        arrivals: dict[int, float] = {}
        for sequence, arrival in items:
            offset = (sequence - first) & 0xFFFF
            arrivals.setdefault(offset - 0x10000 if offset >= 0x8000 else offset, arrival)
        low, high = min(arrivals), max(arrivals)
        if self._next is not None:
            gap = (first + low - self._next) & 0xFFFF
            if gap < 256:
                low -= gap
        packets = []
        while low <= high:
            until = min(high, low + _MAX_SPAN - 1)
            known = {o - low: t for o, t in arrivals.items() if low <= o <= until}
            if known:
                packets.append(self._pack((first + low) & 0xFFFF, until - low + 1, known, media_ssrc))
            low = until + 1
        self._next = (first + high + 1) & 0xFFFF
        return packets

    def _pack(self, base: int, span: int, known: dict[int, float], media_ssrc: int) -> bytes:
        reference = int(known[min(known)] * 1e6) // _REFERENCE_US
        clock = reference * _REFERENCE_US
        symbols = [0] * span
        deltas = bytearray()
        for offset in sorted(known):
            delta = round((int(known[offset] * 1e6) - clock) / _TICK_US)
            if 0 <= delta < 256:
                symbols[offset] = 1
                deltas.append(delta)
            else:
                delta = max(-32768, min(32767, delta))
                symbols[offset] = 2
                deltas += struct.pack("!h", delta)
            clock += delta * _TICK_US
        chunks = bytearray()
        for at in range(0, span, 7):
            chunk = 0xC000
            for index, symbol in enumerate(symbols[at : at + 7]):
                chunk |= symbol << (12 - 2 * index)
            chunks += struct.pack("!H", chunk)
        body = struct.pack(
            "!IIHHI",
            self._ssrc,
            media_ssrc,
            base,
            span,
            ((reference & 0xFFFFFF) << 8) | (self._count & 0xFF),
        )
        self._count += 1
        body += bytes(chunks) + bytes(deltas)
        padding = -len(body) % 4
        if padding:
            body += bytes(padding - 1) + bytes([padding])
        first = 0x80 | (0x20 if padding else 0) | 15
        return struct.pack("!BBH", first, 205, len(body) // 4) + body
