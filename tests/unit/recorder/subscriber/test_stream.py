"""Reordering, repair and loss of one RTP stream, on a hand-moved clock."""

from __future__ import annotations

import itertools
import struct

import pytest

from meet.recorder.subscriber.depacketize import EncodedFrame
from meet.recorder.subscriber.stream import RtpStream, Unwrapper

KEY, DELTA = b"\x10\x00", b"\x10\x01"


class Received:
    """Frames as they come out."""

    def __init__(self, media: str = "video", codec: str = "VP8") -> None:
        self.frames: list[tuple[int, bytes, bool, bool]] = []
        self.stream = RtpStream(1, media, codec, 90000 if media == "video" else 48000, self._frame)

    def _frame(self, rtp: int, frame: EncodedFrame, gap: bool, _arrival: float) -> None:
        self.frames.append((rtp, frame.payload, frame.key, gap))

    def packet(self, sequence: int, timestamp: int, payload: bytes, *, marker: bool = True, now: float = 0.0) -> None:
        self.stream.receive(rtp(sequence, timestamp, payload, marker), now)


def rtp(sequence: int, timestamp: int, payload: bytes, marker: bool = True, ssrc: int = 1) -> bytes:
    return (
        struct.pack("!BBHII", 0x80, (0x80 if marker else 0) | 96, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc)
        + payload
    )


def test_packets_out_of_order_make_frames_in_order() -> None:
    got = Received()
    got.packet(10, 0, KEY)
    got.packet(12, 3000, b"\x00b", now=0.01)
    got.packet(11, 3000, DELTA + b"a", marker=False, now=0.02)
    assert got.frames == [(0, b"\x00", True, False), (3000, b"\x01ab", False, False)]


def test_sequence_and_time_wrap() -> None:
    got = Received()
    for step in range(4):
        got.packet(65534 + step, 0xFFFFFFFF - 3000 + 3000 * step, KEY if step == 0 else DELTA)
    times = [frame[0] for frame in got.frames]
    assert [b - a for a, b in itertools.pairwise(times)] == [3000, 3000, 3000]


def test_a_lost_packet_is_waited_for_then_skipped_until_a_key_frame() -> None:
    got = Received()
    got.packet(1, 0, KEY)
    got.packet(3, 6000, DELTA, now=1.0)
    assert len(got.frames) == 1
    assert got.stream.tracker.due(1.2, 0.05) == [2]
    got.stream.advance(2.0)
    assert len(got.frames) == 1
    assert got.stream.wants_key
    got.packet(4, 9000, DELTA, now=2.1)
    got.packet(5, 12000, KEY, now=2.2)
    assert got.frames[1:] == [(12000, b"\x00", True, True)]
    assert not got.stream.wants_key


def test_a_key_picture_with_a_hole_is_not_passed_on() -> None:
    got = Received()
    got.packet(1, 0, KEY + b"a", marker=False)
    got.packet(3, 0, b"\x00c", marker=True, now=0.1)
    got.stream.advance(2.0)
    assert not got.frames
    assert got.stream.wants_key
    got.packet(4, 3000, KEY, now=2.1)
    assert got.frames == [(3000, b"\x00", True, True)]


def test_a_retransmission_fills_the_hole() -> None:
    got = Received()
    got.packet(1, 0, KEY)
    got.packet(3, 6000, DELTA, now=0.1)
    got.stream.repair(rtp(77, 3000, (2).to_bytes(2, "big") + DELTA + b"x", ssrc=2), 0.2)
    assert [frame[0] for frame in got.frames] == [0, 3000, 6000]
    assert not any(gap for *_, gap in got.frames)


def test_duplicates_and_late_packets_change_nothing() -> None:
    got = Received()
    got.packet(5, 0, KEY)
    got.packet(5, 0, KEY)
    got.packet(4, 0, KEY)
    assert len(got.frames) == 1


def test_audio_skips_a_hole_soon_and_says_so() -> None:
    got = Received("audio", "opus")
    got.packet(1, 0, b"\xf8a", now=0.0)
    got.packet(3, 1920, b"\xf8c", now=0.04)
    assert got.stream.tracker.due(0.1, 0.05) == []
    got.stream.advance(0.2)
    assert got.frames == [(0, b"\xf8a", True, False), (1920, b"\xf8c", True, True)]


def test_padding_only_packets_are_no_pictures() -> None:
    got = Received()
    got.packet(1, 0, KEY)
    probe = bytearray(rtp(2, 0, b"\x00\x00\x00\x04", marker=False))
    probe[0] |= 0x20
    got.stream.receive(bytes(probe), 0.01)
    got.packet(3, 3000, DELTA, now=0.02)
    assert [frame[0] for frame in got.frames] == [0, 3000]


@pytest.mark.parametrize("bits", [16, 32])
def test_unwrapper_goes_back_for_late_values_only(bits: int) -> None:
    unwrap = Unwrapper(bits)
    top = (1 << bits) - 1
    assert unwrap(top) == top
    assert unwrap(0) == top + 1
    assert unwrap(top) == top
    assert unwrap(1) == top + 2


def test_a_picture_without_an_end_does_not_fill_the_memory() -> None:
    got = Received()
    got.packet(0, 0, KEY)
    for number in range(1, 20000):
        got.packet(number, 3000, DELTA, marker=False)
        assert len(got.stream._parts) <= 8192
    assert len(got.frames) == 1
    assert got.stream.wants_key
    got.packet(20000, 3000, DELTA)
    got.packet(20001, 6000, DELTA)
    got.packet(20002, 9000, KEY)
    assert [frame[0] for frame in got.frames] == [0, 9000]
    assert got.frames[1][3], "with a gap before it"
