"""Redundant audio (RFC 2198): packets repeat the audio of those before them, so that single losses do not hurt."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from meet.media.sfu.upstream import UpStream

_HISTORY = 64
_MAX_BLOCKS = 8


class Audio(NamedTuple):
    """One block by itself, numbered as the packet that it was, or would have been."""

    sequence: int
    timestamp: int
    payload: bytes


def blocks(payload: bytes) -> list[tuple[int, bytes]]:
    """(age in RTP ticks, audio) of every block, oldest first, the packet's own (age 0) last; [] when malformed."""
    sizes: list[tuple[int, int]] = []
    at = 0
    while at < len(payload) and payload[at] & 0x80:
        if at + 4 > len(payload) or len(sizes) == _MAX_BLOCKS:
            return []
        word = int.from_bytes(payload[at + 1 : at + 4], "big")
        sizes.append((word >> 10, word & 0x3FF))
        at += 4
    at += 1
    found = []
    for age, size in sizes:
        found.append((age, payload[at : at + size]))
        at += size
    if at >= len(payload):
        return []
    return [*found, (0, payload[at:])]


class Redundancy:
    """The two forms of one published audio track.

    pt, opus_pt: as the publisher sends them; blocks name the latter, so a receiver must use the same number for Opus.
    Receivers with redundancy get every packet as it came, those without it the audio itself, and in place of a packet
    that was lost on the way here its repetition.
    """

    def __init__(self, pt: int, opus_pt: int) -> None:
        self.pt = pt
        self.opus_pt = opus_pt
        self._newest = -1
        self._seen = 0

    def forward(self, stream: UpStream, pt: int, sequence: int, timestamp: int, marker: int, payload: bytes) -> None:
        """Send one received packet of either payload type to all subscribers."""
        track = stream.track
        if pt == self.pt:
            plain = self.unpack(sequence, timestamp, payload)
            if not plain:
                return
        else:
            self.note(sequence)
            plain = [Audio(sequence, timestamp, payload)]
            payload = bytes([self.opus_pt]) + payload
        track.forward(stream, sequence, timestamp, marker, b"", payload, key=False, redundant=True)
        for audio in plain:
            own = marker if audio.sequence == sequence else 0
            track.forward(stream, audio.sequence, audio.timestamp, own, b"", audio.payload, key=False, redundant=False)

    def unpack(self, sequence: int, timestamp: int, payload: bytes) -> list[Audio]:
        """The audio of this packet, after that of packets before it which never came; [] when malformed."""
        found = blocks(payload)
        if not found:
            return []
        self.note(sequence)
        out = []
        for back, (age, audio) in zip(range(len(found) - 1, -1, -1), found, strict=True):
            number = (sequence - back) & 0xFFFF
            if not back or (audio and not self._known(number)):
                self.note(number)
                out.append(Audio(number, (timestamp - age) & 0xFFFFFFFF, audio))
        return out

    def note(self, sequence: int) -> None:
        """This number is used up: nothing else may be sent under it."""
        step = (sequence - self._newest) & 0xFFFF
        if self._newest < 0 or 0x8000 > step >= _HISTORY:
            self._newest, self._seen = sequence, (1 << _HISTORY) - 1 if self._newest < 0 else 1
        elif step < 0x8000:
            self._newest, self._seen = sequence, (self._seen << step | 1) & ((1 << _HISTORY) - 1)
        elif 0x10000 - step < _HISTORY:
            self._seen |= 1 << (0x10000 - step)

    def _known(self, sequence: int) -> bool:
        """It came, or is too old to matter."""
        back = (self._newest - sequence) & 0xFFFF
        return back >= _HISTORY or bool(self._seen >> back & 1)
