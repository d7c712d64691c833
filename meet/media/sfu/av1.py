"""The AV1 aggregation header (AV1 RTP specification section 4.4), as far as finding decodable entry points goes."""

from __future__ import annotations

_CONTINUES, _NEW_SEQUENCE = 0x80, 0x08


def starts_keyframe(payload: bytes) -> bool:
    """First packet of a coded video sequence, which begins with a key frame."""
    return bool(payload) and payload[0] & (_CONTINUES | _NEW_SEQUENCE) == _NEW_SEQUENCE
