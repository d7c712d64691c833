"""Redundant audio: taking apart what browsers send, and making up for what was lost."""

from __future__ import annotations

import pytest

from meet.media.sfu.downtrack import DownTrack
from meet.media.sfu.red import Audio, Redundancy, blocks
from meet.media.sfu.track import Track
from tests.unit.media.fakes import Clock, FakeMux, FakePeer, header, rtp
from tests.unit.media.fastpath.kinds import BOTH, outbox_of


def packet(*older: tuple[int, bytes], own: bytes = b"own") -> bytes:
    """older: (age in ticks, audio), oldest first."""
    head = b"".join(b"\xef" + (age << 10 | len(audio)).to_bytes(3, "big") for age, audio in older)
    return head + b"\x6f" + b"".join(audio for _, audio in older) + own


def test_blocks() -> None:
    assert blocks(packet()) == [(0, b"own")]
    assert blocks(packet((1920, b"two"), (960, b"one!"))) == [(1920, b"two"), (960, b"one!"), (0, b"own")]


@pytest.mark.parametrize("payload", [b"", b"\x6f", b"\xef\x00", b"\xef\x0f\x00\x05", packet((960, b"x" * 9))[:9]])
def test_malformed(payload: bytes) -> None:
    assert blocks(payload) == []
    assert Redundancy(63, 111).unpack(1, 0, payload) == []


def test_nothing_is_sent_twice() -> None:
    red = Redundancy(63, 111)
    assert red.unpack(65535, 960, packet((960, b"zero"), own=b"a")) == [Audio(65535, 960, b"a")]
    assert red.unpack(0, 1920, packet((960, b"a"), own=b"b")) == [Audio(0, 1920, b"b")]


def test_lost_packets_come_back_from_the_next_one() -> None:
    red = Redundancy(63, 111)
    red.unpack(65534, 0, packet())
    found = red.unpack(1, 3 * 960, packet((1920, b"b"), (960, b"c"), own=b"d"))
    assert found == [Audio(65535, 960, b"b"), Audio(0, 1920, b"c"), Audio(1, 2880, b"d")]
    # The late original is a duplicate for the receiver's numbering, but it repeats nothing by itself.
    assert red.unpack(0, 1920, packet((1920, b"a"), (960, b"b"), own=b"c")) == [Audio(0, 1920, b"c")]


def test_a_long_silence_is_not_filled() -> None:
    red = Redundancy(63, 111)
    red.unpack(10, 0, packet())
    assert [a.sequence for a in red.unpack(500, 960, packet((960, b"a")))] == [499, 500]
    assert [a.sequence for a in red.unpack(20, 960, packet((960, b"a")))] == [20], "too old to know"


@pytest.mark.parametrize("kind", BOTH)
def test_subscribers_with_and_without(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeMux, "outbox", outbox_of(kind))
    clock = Clock()
    publisher, taking, plain = FakePeer(clock), FakePeer(clock), FakePeer(clock)
    track = Track(
        publisher.as_peer(),
        sid="TR",
        kind="audio",
        codec="opus",
        cname="PA_1",
        clock_rate=48000,
        red=Redundancy(63, 111),
    )
    for peer in (taking, plain):
        down = DownTrack(track, peer.as_peer(), pt=111, clock=clock)
        if peer is taking:
            down.carry_redundancy(64)
        down.enable(True)
    stream = track.bind(7, "")
    for sequence, pt, payload in (
        (5, 111, b"a"),  # a sender may leave redundancy out at any time
        (6, 63, packet((960, b"a"), own=b"b")),
        (8, 63, packet((960, b"c"), own=b"d")),  # 7 was lost
        (9, 63, b"\xff"),
    ):
        stream.on_rtp(rtp(sequence, sequence * 960, payload, pt=pt), clock.now)
        for down in track.downs:
            down.choose()
    stream.on_rtp(rtp(5, 5 * 960, b"a", pt=111), clock.now)
    assert [(header(p)[0], p[12:]) for p in taking.rtp] == [
        (64, packet((960, b"a"), own=b"b")),
        (64, packet((960, b"c"), own=b"d")),
    ]
    assert [(header(p)[0], p[12:]) for p in plain.rtp] == [(111, b"b"), (111, b"c"), (111, b"d")]
    first = header(plain.rtp[0])
    assert [(header(p)[1] - first[1], header(p)[2] - first[2]) for p in plain.rtp] == [(0, 0), (1, 960), (2, 1920)]

    stream.on_rtp(rtp(10, 10 * 960, b"e", pt=111), clock.now)
    assert taking.rtp[-1][12:] == b"\x6fe", "a receiver of redundancy gets it in one block"
    assert plain.rtp[-1][12:] == b"e"

    stream.on_rtp(rtp(11, 11 * 960, b"", pt=111), clock.now)  # nothing but padding, yet its number is used up
    stream.on_rtp(rtp(12, 12 * 960, packet((960, b"x"), own=b"f"), pt=63), clock.now)
    assert len({header(p)[1] for p in plain.rtp}) == len(plain.rtp)
    assert plain.rtp[-1][12:] == b"f"
