"""RTP payloads of one timestamp to one encoded frame: VP8 (RFC 7741), H264 as Annex B (RFC 6184), Opus (RFC 7587).

VP9 and AV1 have modules of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from meet.media.sfu.vp8 import descriptor_length
from meet.recorder.subscriber.av1 import temporal_unit
from meet.recorder.subscriber.vp9 import picture

_START: Final = b"\x00\x00\x00\x01"
_IDR, _SPS, _STAP_A, _FU_A = 5, 7, 24, 28


class EncodedFrame(NamedTuple):
    """What a decoder takes. key: decoding can begin here."""

    payload: bytes
    key: bool


def vp8(payloads: Sequence[bytes]) -> EncodedFrame | None:
    """The picture of these packets, None when they do not make one."""
    parts = []
    for index, payload in enumerate(payloads):
        length = descriptor_length(payload)
        if not length:
            return None
        # The first packet must start partition 0, or the head of the picture is missing.
        if index == 0 and payload[0] & 0x17 != 0x10:
            return None
        parts.append(payload[length:])
    whole = b"".join(parts)
    return EncodedFrame(whole, not whole[0] & 1) if whole else None


def h264(payloads: Sequence[bytes]) -> EncodedFrame | None:
    """The access unit of these packets, None when a fragment is missing or nothing is in it."""
    out = bytearray()
    key = False
    fragment_open = False
    for payload in payloads:
        if len(payload) < 2:
            return None
        kind = payload[0] & 31
        if kind == _STAP_A:
            at = 1
            while at + 2 < len(payload):
                size = int.from_bytes(payload[at : at + 2], "big")
                unit = payload[at + 2 : at + 2 + size]
                key = key or (len(unit) > 0 and unit[0] & 31 in (_IDR, _SPS))
                out += _START + unit
                at += 2 + size
        elif kind == _FU_A:
            start, end, inner = payload[1] & 0x80, payload[1] & 0x40, payload[1] & 31
            if start:
                out += _START + bytes([payload[0] & 0xE0 | inner])
                key = key or inner in (_IDR, _SPS)
            elif not fragment_open:
                return None
            out += payload[2:]
            fragment_open = not end
        elif 0 < kind < _STAP_A:
            key = key or kind in (_IDR, _SPS)
            out += _START + payload
        else:
            return None
    return EncodedFrame(bytes(out), key) if out and not fragment_open else None


def opus(payloads: Sequence[bytes]) -> EncodedFrame | None:
    """One packet is one frame; always a place to begin."""
    return EncodedFrame(payloads[-1], True) if payloads and payloads[-1] else None


def vp9(payloads: Sequence[bytes]) -> EncodedFrame | None:
    """All spatial layers of the picture, None when a part is missing."""
    found = picture(payloads)
    return EncodedFrame(*found) if found is not None else None


def av1(payloads: Sequence[bytes]) -> EncodedFrame | None:
    """The temporal unit, None when a part is missing."""
    found = temporal_unit(payloads)
    return EncodedFrame(*found) if found is not None else None


DEPACKETIZERS: Final[dict[str, Callable[[Sequence[bytes]], EncodedFrame | None]]] = {
    "vp8": vp8,
    "h264": h264,
    "vp9": vp9,
    "av1": av1,
    "opus": opus,
}
"""By lower-case encoding name; what is not here cannot be recorded."""
