"""Reading RTP headers without building objects (RFC 3550, RFC 8285)."""

from __future__ import annotations


def payload_offset(packet: bytes) -> int:
    """Index of the first payload byte."""
    at = 12 + 4 * (packet[0] & 15)
    if packet[0] & 0x10:
        at += 4 + 4 * int.from_bytes(packet[at + 2 : at + 4], "big")
    return at


def extensions(packet: bytes) -> dict[int, bytes]:
    """All header extensions by id, one-byte and two-byte forms; malformed ones end the list."""
    found: dict[int, bytes] = {}
    if not packet[0] & 0x10:
        return found
    at = 12 + 4 * (packet[0] & 15)
    profile = int.from_bytes(packet[at : at + 2], "big")
    end = min(len(packet), at + 4 + 4 * int.from_bytes(packet[at + 2 : at + 4], "big"))
    at += 4
    if profile == 0xBEDE:
        while at < end:
            byte = packet[at]
            if byte == 0:
                at += 1
                continue
            size = (byte & 15) + 1
            found[byte >> 4] = packet[at + 1 : at + 1 + size]
            at += 1 + size
    elif profile & 0xFFF0 == 0x1000:
        while at + 1 < end:
            identifier = packet[at]
            if identifier == 0:
                at += 1
                continue
            size = packet[at + 1]
            found[identifier] = packet[at + 2 : at + 2 + size]
            at += 2 + size
    return found


def extension(packet: bytes, wanted: int) -> bytes | None:
    """One header extension; the common one-byte form is walked without building a table."""
    if not packet[0] & 0x10:
        return None
    at = 12 + 4 * (packet[0] & 15)
    if packet[at : at + 2] != b"\xbe\xde":
        return extensions(packet).get(wanted)
    end = min(len(packet), at + 4 + 4 * int.from_bytes(packet[at + 2 : at + 4], "big"))
    at += 4
    while at < end:
        byte = packet[at]
        if byte == 0:
            at += 1
            continue
        size = (byte & 15) + 1
        if byte >> 4 == wanted:
            return packet[at + 1 : at + 1 + size]
        at += 1 + size
    return None
