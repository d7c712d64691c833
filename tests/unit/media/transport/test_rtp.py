from __future__ import annotations

import pytest

from meet.media.transport.rtp import extension, extensions, payload_offset
from tests.unit.media.fakes import rtp


def with_extension(block: bytes) -> bytes:
    packet = bytearray(rtp(1, 1, b""))
    packet[0] |= 0x10
    return bytes(packet) + block + b"payload"


ONE_BYTE = with_extension(b"\xbe\xde\x00\x02\x11\xaa\xbb\x00\x30\x07\x00\x00")
TWO_BYTE = with_extension(b"\x10\x00\x00\x02\x01\x02\xaa\xbb\x00\x03\x01\x07")


@pytest.mark.parametrize("packet", [ONE_BYTE, TWO_BYTE])
def test_both_forms(packet: bytes) -> None:
    assert extensions(packet) == {1: b"\xaa\xbb", 3: b"\x07"}
    assert extension(packet, 3) == b"\x07"
    assert extension(packet, 4) is None
    assert packet[payload_offset(packet) :] == b"payload"


def test_without_extension() -> None:
    packet = rtp(1, 1, b"x")
    assert extensions(packet) == {}
    assert extension(packet, 1) is None
    assert payload_offset(packet) == 12


def test_contributing_sources_are_skipped() -> None:
    packet = bytearray(rtp(1, 1, b""))
    packet[0] |= 2
    assert payload_offset(bytes(packet) + bytes(8) + b"x") == 20


def test_a_length_beyond_the_packet_does_no_harm() -> None:
    packet = with_extension(b"\xbe\xde\xff\xff\x1f\x01")
    assert extension(packet, 5) is None
    assert 1 in extensions(packet)
