"""The numbers of one forwarded stream: what its headers say, whatever the source is called or where it jumps.

This is the reference; `meet/media/fastpath/_lane.c` does the same, and the tests run on both.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from meet.media.sfu.vp8 import PictureNumbers
from meet.media.transport.peer import Peer

if TYPE_CHECKING:
    from meet.media.fastpath import _native

_PLAIN = struct.Struct("!BBHII")
_EXTENDED = struct.Struct("!BBHIIII")
_ONE_WORD = 0xBEDE0001
"""A one-byte-header extension block of one word (RFC 8285)."""
_FRESH = 0x4000


class Lane:
    """pt: payload type. extension_id: of abs-send-time, 0 to leave it out. ring: packets kept for retransmission, a
    power of two. pictures: renumber VP8 pictures. sequence, timestamp: what the first packet continues.

    `last_out` is the arrival time of the newest packet sent, in the caller's seconds.
    """

    __slots__ = (
        "_bound_at", "_fresh", "_mask", "_newest", "_pictures", "_ring", "_sequence_offset", "_tag",
        "last_out", "last_sequence", "last_timestamp", "octets", "packets", "peer", "pt", "ssrc", "timestamp_offset",
    )  # fmt: skip

    def __init__(
        self,
        peer: Peer,
        pt: int,
        ssrc: int,
        extension_id: int,
        ring: int,
        pictures: bool,
        sequence: int,
        timestamp: int,
    ) -> None:
        self.peer = peer
        self.pt = pt
        self.ssrc = ssrc
        self.packets = self.octets = 0
        self.last_sequence = sequence
        self.last_timestamp = timestamp
        self.last_out = 0.0
        self.timestamp_offset = self._sequence_offset = 0
        self._tag = _tag(extension_id)
        self._bound_at = self._fresh = 0
        self._pictures = PictureNumbers() if pictures else None
        self._newest = b""
        self._mask = ring - 1
        self._ring: list[tuple[int, int, int, bytes, bytes] | None] = [None] * ring

    def bind(self, sequence: int, timestamp_offset: int, descriptor: bytes) -> None:
        """Continue with another source, whose first packet has this number and descriptor."""
        if self._pictures is not None and descriptor and self._newest:
            self._pictures.switch(self._newest, descriptor)
        self.timestamp_offset = timestamp_offset
        self._sequence_offset = (self.last_sequence + 1 - sequence) & 0xFFFF
        self._bound_at, self._fresh = sequence, _FRESH

    def header(
        self,
        payload: bytes,
        sequence: int,
        timestamp: int,
        marker: int,
        descriptor: bytes,
        send_time: int,
        arrived: float,
        padding: bool,
    ) -> bytes | None:
        """The header (with the codec's descriptor) to put before `payload`; None when it must not be sent."""
        if self._fresh:
            self._fresh -= 1
            if (sequence - self._bound_at) & 0xFFFF >= 0x8000:
                return None  # from before the switch: its number belongs to another packet
        out = (sequence + self._sequence_offset) & 0xFFFF
        slot = out & self._mask
        entry = self._ring[slot]
        if entry is not None and entry[0] == out:
            return None  # sent already; a second encryption under the same number would break the cipher
        ticks = (timestamp + self.timestamp_offset) & 0xFFFFFFFF
        pictures = self._pictures
        if (out - self.last_sequence) & 0xFFFF < 0x8000:
            self.last_sequence = out
            self.last_timestamp = ticks
            self.last_out = arrived
            if descriptor and pictures is not None:
                self._newest = descriptor
        elif (self.last_sequence - out) & 0xFFFF > self._mask:
            return None
        if pictures is not None and pictures.shifted and descriptor:
            descriptor = pictures.map(descriptor)
        self.packets += 1
        self.octets += len(descriptor) + len(payload)
        if padding:
            return _PLAIN.pack(0xA0, self.pt | marker, out, ticks, self.ssrc)
        self._ring[slot] = (out, ticks, marker, descriptor, payload)
        tag = self._tag
        if tag:
            return (
                _EXTENDED.pack(0x90, self.pt | marker, out, ticks, self.ssrc, _ONE_WORD, tag | send_time) + descriptor
            )
        return _PLAIN.pack(0x80, self.pt | marker, out, ticks, self.ssrc) + descriptor

    def find(self, sequence: int) -> tuple[int, int, bytes, bytes] | None:
        """(timestamp, marker, descriptor, payload) of what was sent under this number, if it is still known."""
        entry = self._ring[sequence & self._mask]
        return entry[1:] if entry is not None and entry[0] == sequence else None


def rtp_header(kind: int, sequence: int, timestamp: int, ssrc: int, extension_id: int, send_time: int) -> bytes:
    """A header by itself. kind: payload type and marker; extension_id: of abs-send-time, 0 to leave it out."""
    if extension_id:
        return _EXTENDED.pack(0x90, kind, sequence, timestamp, ssrc, _ONE_WORD, _tag(extension_id) | send_time)
    return _PLAIN.pack(0x80, kind, sequence, timestamp, ssrc)


def _tag(extension_id: int) -> int:
    return (extension_id << 4 | 2) << 24 if extension_id else 0


def new_lane(
    peer: Peer, *, pt: int, ssrc: int, extension_id: int, ring: int, pictures: bool, sequence: int, timestamp: int
) -> Lane | _native.Lane:
    """A lane of the kind that the peer's mux sends by."""
    outbox = peer.mux.outbox
    if outbox is None:
        return Lane(peer, pt, ssrc, extension_id, ring, pictures, sequence, timestamp)
    return outbox.lane(peer, pt, ssrc, extension_id, ring, pictures, sequence, timestamp)
