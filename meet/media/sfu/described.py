"""Forwarding with the AV1 dependency descriptor, the header extension without which browsers do not decode AV1.

AV1 RTP specification appendix A: the descriptor says which frame a packet belongs to and what that frame needs. Only
the frame number is touched, which must go on where another encoding takes over.
"""

from __future__ import annotations

import struct

from meet.media.sfu.lane import Lane
from meet.media.transport.peer import Peer

_MANDATORY = 3
_FIXED = struct.Struct("!BBHII")


class DescribedLane(Lane):
    """Its `descriptor` is the dependency descriptor, sent as header extension `descriptor_id`; 0: left out."""

    __slots__ = ("_descriptor_id", "_frame_offset", "_last_frame", "_send_time_id")

    def __init__(
        self, peer: Peer, pt: int, ssrc: int, send_time_id: int, descriptor_id: int, ring: int, numbers: tuple[int, int]
    ) -> None:
        super().__init__(peer, pt, ssrc, 0, ring, False, *numbers)
        self._send_time_id = send_time_id
        self._descriptor_id = descriptor_id
        self._frame_offset = 0
        self._last_frame = -1

    def bind(self, sequence: int, timestamp_offset: int, descriptor: bytes) -> None:
        super().bind(sequence, timestamp_offset, descriptor)
        if len(descriptor) >= _MANDATORY and self._last_frame >= 0:
            self._frame_offset = (self._last_frame + 1 - _frame(descriptor)) & 0xFFFF

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
        if len(descriptor) >= _MANDATORY:
            descriptor = self._numbered(descriptor)
        head = super().header(payload, sequence, timestamp, marker, descriptor, send_time, arrived, padding)
        if head is None or padding:
            return head
        return b"\x90" + head[1 : _FIXED.size] + self._extensions(descriptor, send_time)

    def repair_header(
        self, kind: int, sequence: int, timestamp: int, ssrc: int, descriptor: bytes, send_time: int
    ) -> bytes:
        """The header of a retransmission. kind: payload type and marker; descriptor: as `find` has it."""
        return _FIXED.pack(0x90, kind, sequence, timestamp, ssrc) + self._extensions(descriptor, send_time)

    def _numbered(self, descriptor: bytes) -> bytes:
        number = (_frame(descriptor) + self._frame_offset) & 0xFFFF
        if self._last_frame < 0 or (number - self._last_frame) & 0xFFFF < 0x8000:
            self._last_frame = number
        return descriptor[:1] + number.to_bytes(2, "big") + descriptor[_MANDATORY:]

    def _extensions(self, descriptor: bytes, send_time: int) -> bytes:
        """The extension block (RFC 8285), in two-byte form where an id or the descriptor needs it."""
        found = [(self._send_time_id, send_time.to_bytes(3, "big")), (self._descriptor_id, descriptor)]
        found = [(identifier, data) for identifier, data in found if identifier and data]
        if all(identifier <= 14 and len(data) <= 16 for identifier, data in found):
            profile, elements = 0xBEDE, [bytes([i << 4 | len(data) - 1]) + data for i, data in found]
        else:
            profile, elements = 0x1000, [bytes([i, len(data)]) + data for i, data in found]
        body = b"".join(elements)
        words = -(-len(body) // 4)
        return struct.pack("!HH", profile, words) + body.ljust(4 * words, b"\0")


def _frame(descriptor: bytes) -> int:
    return int.from_bytes(descriptor[1:_MANDATORY], "big")
