"""The VP8 payload descriptor (RFC 7741 section 4.2): measuring it, and renumbering pictures across layer switches."""

from __future__ import annotations


def descriptor_length(payload: bytes) -> int:
    """Bytes before the VP8 payload header; 0 when the payload is too short to be VP8."""
    if not payload:
        return 0
    at = 1
    if payload[0] & 0x80:
        if len(payload) < 2:
            return 0
        flags = payload[1]
        at = 2
        if flags & 0x80:
            at += 2 if len(payload) > 2 and payload[2] & 0x80 else 1
        if flags & 0x40:
            at += 1
        if flags & 0x30:
            at += 1
    return at if at < len(payload) else 0


def starts_keyframe(descriptor: bytes, body: bytes) -> bool:
    """First packet of a key frame: S bit, partition 0, and P (inverse key frame) clear in the payload header."""
    return bool(descriptor) and descriptor[0] & 0x17 == 0x10 and not body[0] & 1


def picture_id(descriptor: bytes) -> tuple[int, int] | None:
    """(value, bits) of the picture id, bits being 7 or 15."""
    if len(descriptor) < 3 or not descriptor[0] & 0x80 or not descriptor[1] & 0x80:
        return None
    if descriptor[2] & 0x80:
        return (((descriptor[2] & 0x7F) << 8) | descriptor[3], 15) if len(descriptor) > 3 else None
    return descriptor[2], 7


def tl0_index(descriptor: bytes) -> tuple[int, int] | None:
    """(position, value) of TL0PICIDX."""
    if len(descriptor) < 2 or not descriptor[0] & 0x80 or not descriptor[1] & 0x40:
        return None
    at = 2
    if descriptor[1] & 0x80:
        at += 2 if descriptor[2:3] >= b"\x80" else 1
    return (at, descriptor[at]) if at < len(descriptor) else None


class PictureNumbers:
    """Keeps picture id and TL0PICIDX continuous for one subscriber while the source layers have their own.

    `shifted` is False as long as `map` changes nothing.
    """

    __slots__ = ("_offset", "_tl0_offset", "shifted")

    def __init__(self) -> None:
        self._offset = self._tl0_offset = 0
        self.shifted = False

    def switch(self, newest: bytes, following: bytes) -> None:
        """The next packets come from another layer, or after a pause, beginning with the key frame `following`.

        newest: the descriptor of the newest packet so far, as it was received.
        """
        newest = self.map(newest)
        last, identifier = picture_id(newest), picture_id(following)
        last_tl0, tl0 = tl0_index(newest), tl0_index(following)
        if last is not None and identifier is not None:
            self._offset = (last[0] + 1 - identifier[0]) & 0x7FFF
        if last_tl0 is not None and tl0 is not None:
            self._tl0_offset = (last_tl0[1] + 1 - tl0[1]) & 0xFF
        self.shifted = bool(self._offset or self._tl0_offset)

    def map(self, descriptor: bytes) -> bytes:
        """The descriptor as this subscriber must see it; the same object while nothing was switched."""
        if not self.shifted:
            return descriptor
        out = bytearray(descriptor)
        identifier = picture_id(descriptor)
        if identifier is not None:
            value, bits = identifier
            value += self._offset
            if bits == 15:
                out[2], out[3] = 0x80 | value >> 8 & 0x7F, value & 0xFF
            else:
                out[2] = value & 0x7F
        tl0 = tl0_index(descriptor)
        if tl0 is not None:
            at, value = tl0
            out[at] = (value + self._tl0_offset) & 0xFF
        return bytes(out)
