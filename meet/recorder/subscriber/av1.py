"""AV1 temporal units out of RTP payloads (AV1 RTP specification section 4), as decoders and files take them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

_CONTINUES: Final = 0x80
_GOES_ON: Final = 0x40
_NEW_SEQUENCE: Final = 0x08
_EXTENSION: Final = 0x04
_HAS_SIZE: Final = 0x02
_DROPPED: Final = (2, 8, 15)
"""OBU types that do not travel: temporal delimiter, tile list, padding."""
_DELIMITER: Final = b"\x12\x00"


def temporal_unit(payloads: Sequence[bytes]) -> tuple[bytes, bool] | None:
    """(low-overhead bitstream, starts a new sequence) of the packets with one timestamp; None if a part is missing."""
    units: list[bytearray] = []
    open_ended = False
    for payload in payloads:
        found = elements(payload)
        if not found or bool(payload[0] & _CONTINUES) is not open_ended:
            return None
        if open_ended:
            units[-1] += found.pop(0)
        units += [bytearray(each) for each in found]
        open_ended = bool(payload[0] & _GOES_ON)
    if open_ended or not payloads:
        return None
    sized = [_with_size(unit) for unit in units if unit]
    if not any(sized):
        return None
    return _DELIMITER + b"".join(sized), bool(payloads[0][0] & _NEW_SEQUENCE)


def elements(payload: bytes) -> list[bytes]:
    """The OBU elements after the aggregation header; [] when malformed."""
    if len(payload) < 2:
        return []
    count = payload[0] >> 4 & 3
    found: list[bytes] = []
    at = 1
    while at < len(payload):
        if count and len(found) == count - 1:
            size = len(payload) - at
        else:
            size, at = _leb128(payload, at)
        if at + size > len(payload) or (count and len(found) == count):
            return []
        found.append(payload[at : at + size])
        at += size
    return found if not count or len(found) == count else []


def _leb128(data: bytes, at: int) -> tuple[int, int]:
    """(value, index after it); a value beyond the data when it does not end."""
    value = 0
    for shift in range(0, 56, 7):
        if at >= len(data):
            break
        value |= (data[at] & 0x7F) << shift
        at += 1
        if not data[at - 1] & 0x80:
            return value, at
    return len(data) + 1, at


def _with_size(unit: bytes | bytearray) -> bytes:
    """The OBU with its size field; empty for what is left out."""
    header = unit[0]
    if header >> 3 & 15 in _DROPPED:
        return b""
    if header & _HAS_SIZE:
        return bytes(unit)
    head = 2 if header & _EXTENSION else 1
    size = len(unit) - head
    if size < 0:
        return b""
    encoded = bytearray()
    while True:
        size, low = size >> 7, size & 0x7F
        encoded.append(low | (0x80 if size else 0))
        if not size:
            return bytes([header | _HAS_SIZE]) + unit[1:head] + encoded + unit[head:]
