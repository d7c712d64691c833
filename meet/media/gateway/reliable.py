"""Reliable data packets across a resume (LiveKit protocol 16): what came in, and what may have to be sent again."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

KEEP_S = 25.0
"""Clients forget after 30 s what they received from whom; what is older than this is not repeated."""
KEEP_BYTES = 4 << 20


class Kept(NamedTuple):
    """One packet of a sender. at: monotonic seconds; destinations: identities, empty for everybody."""

    sequence: int
    at: float
    packet: bytes
    destinations: frozenset[str]


class ReliableLog:
    """The packets of one sender, in order. `last` is the sequence number acknowledged to it when it resumes."""

    def __init__(self) -> None:
        self.last = 0
        self._kept: deque[Kept] = deque()
        self._bytes = 0

    def accept(self, sequence: int) -> bool:
        """False for a packet that was here before. Senders without numbers (0) are always believed."""
        if sequence and sequence <= self.last:
            return False
        self.last = max(self.last, sequence)
        return True

    def keep(self, sequence: int, packet: bytes, destinations: frozenset[str], now: float) -> None:
        """Remember a numbered packet for receivers that are cut off at the moment."""
        if not sequence:
            return
        self._kept.append(Kept(sequence, now, packet, destinations))
        self._bytes += len(packet)
        while self._kept and (self._bytes > KEEP_BYTES or now - self._kept[0].at > KEEP_S):
            self._bytes -= len(self._kept.popleft().packet)

    def missed(self, identity: str, after: int, since: float, now: float) -> Iterator[bytes]:
        """Packets for this receiver with numbers above `after`, sent since it has been there."""
        for kept in self._kept:
            wanted = not kept.destinations or identity in kept.destinations
            if wanted and kept.sequence > after and kept.at >= since and now - kept.at <= KEEP_S:
                yield kept.packet
