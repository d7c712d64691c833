"""AV1 with its dependency descriptor: passed through, renumbered where another encoding takes over, repaired."""

from __future__ import annotations

import struct

import pytest

from meet.media.sfu import av1
from meet.media.sfu.downtrack import DownTrack
from meet.media.sfu.track import Track
from meet.media.transport.rtp import extension, extensions, payload_offset
from tests.unit.media.fakes import Clock, FakePeer

UP, DOWN, SEND_TIME = 12, 4, 2
KEY, DELTA = b"\x18obu", b"\x10obu"


def packet(sequence: int, frame: int, payload: bytes, *, ssrc: int = 10, more: bytes = b"") -> bytes:
    """As a publisher sends it: the descriptor in a two-byte header extension."""
    data = b"\xc0" + frame.to_bytes(2, "big") + more
    element = bytes([UP, len(data)]) + data
    words = -(-len(element) // 4)
    head = struct.pack("!BBHII", 0x90, 45, sequence, sequence * 3000, ssrc) + struct.pack("!HH", 0x1000, words)
    return head + element.ljust(4 * words, b"\0") + payload


class Rig:
    def __init__(self, descriptor_id: int | None) -> None:
        self.clock = Clock()
        self.publisher, self.subscriber = FakePeer(self.clock), FakePeer(self.clock)
        self.track = Track(
            self.publisher.as_peer(),
            sid="TR",
            kind="video",
            codec="AV1",
            cname="PA_1",
            clock_rate=90000,
            rids=("q", "f"),
            descriptor_id=UP,
        )
        self.down = DownTrack(
            self.track,
            self.subscriber.as_peer(),
            pt=45,
            rtx_pt=46,
            abs_send_time_id=SEND_TIME,
            descriptor_id=descriptor_id,
            clock=self.clock,
        )
        self.down.enable(True)

    def send(self, rid: str, data: bytes) -> None:
        self.track.bind({"q": 10, "f": 30}[rid], rid).on_rtp(data, self.clock.now)
        self.down.choose()

    def frames(self) -> list[int]:
        found = [extension(p, DOWN) for p in self.subscriber.rtp]
        return [int.from_bytes(data[1:3], "big") for data in found if data]


def test_the_descriptor_goes_along() -> None:
    rig = Rig(DOWN)
    rig.send("q", packet(1, 65535, KEY))
    rig.send("q", packet(2, 65535, KEY, more=b"structure of the stream"))
    rig.send("q", packet(3, 0, DELTA, more=b"x"))
    key, delta = rig.subscriber.rtp
    assert extensions(key)[DOWN] == b"\xc0\xff\xff" + b"structure of the stream"
    assert len(extensions(key)[SEND_TIME]) == 3
    assert key[12:14] == b"\x10\x00", "longer than 16 bytes: the two-byte form"
    assert delta[12:14] == b"\xbe\xde"
    assert extensions(delta)[DOWN] == b"\xc0\x00\x00x"
    assert (key[payload_offset(key) :], delta[payload_offset(delta) :]) == (KEY, DELTA)


def test_frame_numbers_go_on_across_encodings() -> None:
    rig = Rig(DOWN)
    rig.down.limit = 0
    for step in range(3):
        rig.send("q", packet(step, 65534 + step & 0xFFFF, KEY))
    rig.down.limit = 99
    rig.send("f", packet(500, 7, DELTA, ssrc=30))
    rig.send("f", packet(501, 8, KEY, ssrc=30))
    rig.send("f", packet(502, 9, DELTA, ssrc=30))
    assert rig.frames() == [65535, 0, 1, 2]


def test_a_retransmission_has_it_too() -> None:
    rig = Rig(DOWN)
    rig.send("q", packet(1, 5, KEY))
    rig.send("q", packet(2, 6, KEY))
    (sent,) = rig.subscriber.rtp
    rig.down.on_nack([int.from_bytes(sent[2:4], "big")])
    again = rig.subscriber.rtp[-1]
    assert extensions(again)[DOWN] == extensions(sent)[DOWN]
    assert again[payload_offset(again) :] == sent[2:4] + KEY
    assert again[1] == 46


@pytest.mark.parametrize("identifier", [15, 16, 255])
def test_ids_above_14_take_the_two_byte_form(identifier: int) -> None:
    rig = Rig(identifier)
    rig.send("q", packet(1, 5, KEY))
    rig.send("q", packet(2, 6, KEY))
    (sent,) = rig.subscriber.rtp
    assert extensions(sent)[identifier] == b"\xc0\x00\x06"
    assert len(extensions(sent)[SEND_TIME]) == 3


def test_subscribers_that_did_not_ask_for_it() -> None:
    rig = Rig(None)
    rig.send("q", packet(1, 5, KEY))
    rig.send("q", packet(2, 6, KEY))
    (sent,) = rig.subscriber.rtp
    assert set(extensions(sent)) == {SEND_TIME}
    assert sent[payload_offset(sent) :] == KEY


@pytest.mark.parametrize(
    ("payload", "key"), [(KEY, True), (DELTA, False), (b"\x88rest", False), (b"\x08", True), (b"", False)]
)
def test_key_frames(payload: bytes, key: bool) -> None:
    assert av1.starts_keyframe(payload) is key
