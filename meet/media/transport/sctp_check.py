"""Looking at an SCTP packet before aiortc does: what its parser would never come back from (RFC 9260 section 3)."""

from __future__ import annotations

from typing import Final

_HEADER: Final = 12
_SACK: Final = 3
_PARAMETERS_AT: Final = {1: 16, 2: 16, 4: 0, 5: 0, 6: 0, 9: 0, 130: 0}
"""Chunk types that carry parameters, and where in the body those begin: INIT, HEARTBEAT, ABORT, ERROR, RE-CONFIG."""


def sane(packet: bytes, outstanding: int) -> bool:
    """False for a packet that would keep the parser busy for ever, or for seconds.

    A parameter of length zero is read again and again (aiortc 1.16, `decode_params`), and every number that a SACK's
    gaps span is walked through. outstanding: chunks that were sent and not acknowledged; gaps cannot span more.
    """
    at = _HEADER
    while at + 4 <= len(packet):
        kind, length = packet[at], int.from_bytes(packet[at + 2 : at + 4], "big")
        if length < 4 or at + length > len(packet):
            return False
        body = packet[at + 4 : at + length]
        if kind == _SACK and _spanned(body) > outstanding:
            return False
        begin = _PARAMETERS_AT.get(kind)
        if begin is not None and not _parameters(body[begin:]):
            return False
        at += length + -length % 4
    return True


def _spanned(body: bytes) -> int:
    gaps = int.from_bytes(body[8:10], "big")
    total = 0
    for at in range(12, min(len(body) - 3, 12 + 4 * gaps), 4):
        first, last = int.from_bytes(body[at : at + 2], "big"), int.from_bytes(body[at + 2 : at + 4], "big")
        total += max(0, last + 1 - first)
    return total


def _parameters(body: bytes) -> bool:
    at = 0
    while at + 4 <= len(body):
        length = int.from_bytes(body[at + 2 : at + 4], "big")
        if length < 4:
            return False
        at += length + -length % 4
    return True
