"""The VP9 payload descriptor (RFC 9628 section 4.2), as far as finding decodable entry points goes."""

from __future__ import annotations

_HAS_PICTURE_ID, _PREDICTED, _HAS_LAYERS, _BEGINS_FRAME = 0x80, 0x40, 0x20, 0x08


def starts_keyframe(payload: bytes) -> bool:
    """First packet of a key frame: not predicted, beginning of a frame, lowest spatial layer."""
    if not payload or payload[0] & (_PREDICTED | _BEGINS_FRAME) != _BEGINS_FRAME:
        return False
    at = 1
    if payload[0] & _HAS_PICTURE_ID:
        if len(payload) < 2:
            return False
        at += 2 if payload[1] & 0x80 else 1
    if not payload[0] & _HAS_LAYERS:
        return True
    return at < len(payload) and not payload[at] >> 1 & 7
