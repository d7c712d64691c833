"""Finding decodable entry points in H264 RTP payloads (RFC 6184)."""

from __future__ import annotations

_IDR, _SPS, _STAP_A, _FU_A = 5, 7, 24, 28


def starts_keyframe(payload: bytes) -> bool:
    """The packet holds an SPS or begins an IDR picture, alone, aggregated or fragmented."""
    if len(payload) < 2:
        return False
    kind = payload[0] & 31
    if kind in (_IDR, _SPS):
        return True
    if kind == _FU_A:
        return bool(payload[1] & 0x80) and payload[1] & 31 in (_IDR, _SPS)
    if kind == _STAP_A:
        at = 1
        while at + 2 < len(payload):
            if payload[at + 2] & 31 in (_IDR, _SPS):
                return True
            at += 2 + int.from_bytes(payload[at : at + 2], "big")
    return False
