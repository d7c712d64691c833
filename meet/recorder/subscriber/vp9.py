"""VP9 pictures out of RTP payloads (RFC 9628), all spatial layers in one superframe (VP9 bitstream annex B)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

_PICTURE_ID: Final = 0x80
_PREDICTED: Final = 0x40
_LAYERS: Final = 0x20
_FLEXIBLE: Final = 0x10
_BEGINS: Final = 0x08
_ENDS: Final = 0x04
_STRUCTURE: Final = 0x02
_MAX_FRAMES: Final = 8


def picture(payloads: Sequence[bytes]) -> tuple[bytes, bool] | None:
    """(what a decoder takes, key frame) of the packets with one timestamp; None when a part is missing."""
    if not payloads or spatial_layer(payloads[0]):
        return None
    frames: list[bytearray] = []
    within = False
    for payload in payloads:
        length = descriptor_length(payload)
        if not length:
            return None
        flags = payload[0]
        if bool(flags & _BEGINS) is within:
            return None
        if not within:
            frames.append(bytearray())
        frames[-1] += payload[length:]
        within = not flags & _ENDS
    if not frames or within or len(frames) > _MAX_FRAMES:
        return None
    return _superframe(frames), not payloads[0][0] & _PREDICTED


def descriptor_length(payload: bytes) -> int:
    """Bytes before the picture data (section 4.2); 0 when the payload is too short."""
    try:
        flags, at = payload[0], 1
        if flags & _PICTURE_ID:
            at += 2 if payload[at] & 0x80 else 1
        if flags & _LAYERS:
            at += 1 if flags & _FLEXIBLE else 2
        if flags & _FLEXIBLE and flags & _PREDICTED:
            while payload[at] & 1:
                at += 1
            at += 1
        if flags & _STRUCTURE:
            at = _after_structure(payload, at)
    except IndexError:
        return 0
    return at if at < len(payload) else 0


def spatial_layer(payload: bytes) -> int:
    """0 is the lowest, and where there are none."""
    at = 1
    if payload[:1] and payload[0] & _PICTURE_ID:
        at += 2 if payload[1:2] >= b"\x80" else 1
    return payload[at] >> 1 & 7 if at < len(payload) and payload[0] & _LAYERS else 0


def _after_structure(payload: bytes, at: int) -> int:
    """The scalability structure: sizes of the layers, and how pictures of a group depend on each other."""
    head = payload[at]
    at += 1
    if head & 0x10:
        at += 4 * ((head >> 5) + 1)
    if head & 0x08:
        pictures = payload[at]
        at += 1
        for _ in range(pictures):
            at += 1 + (payload[at] >> 2 & 3)
    return at


def _superframe(frames: Sequence[bytes | bytearray]) -> bytes:
    if len(frames) == 1:
        return bytes(frames[0])
    width = (max(len(f) for f in frames).bit_length() + 7) // 8
    marker = bytes([0xC0 | width - 1 << 3 | len(frames) - 1])
    return b"".join([*frames, marker, *(len(f).to_bytes(width, "little") for f in frames), marker])
