"""Renumbering, layer switches, retransmission and sender reports of one forwarded track."""

from __future__ import annotations

import itertools
import struct

import pytest
from aiortc.rtp import RtcpPacket, RtcpSdesPacket, RtcpSrPacket

from meet.media.sfu.downtrack import DownTrack
from meet.media.sfu.track import Track
from meet.media.sfu.vp8 import picture_id, tl0_index
from tests.unit.media.fakes import Clock, FakeMux, FakePeer, header, rtp, vp8
from tests.unit.media.fastpath.kinds import BOTH, outbox_of


@pytest.fixture(autouse=True, params=BOTH)
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test runs on Python and on the compiled fast path."""
    monkeypatch.setattr(FakeMux, "outbox", outbox_of(request.param))


class Report:
    def __init__(self, ntp: int, rtp_timestamp: int) -> None:
        self.ntp_timestamp = ntp
        self.rtp_timestamp = rtp_timestamp


class Rig:
    """A VP8 track with layers q and f and one subscriber."""

    def __init__(self, *, codec: str = "VP8", kind: str = "video", rtx_pt: int | None = 97) -> None:
        self.clock = Clock()
        self.publisher = FakePeer(self.clock)
        self.subscriber = FakePeer(self.clock)
        rate = 90000 if kind == "video" else 48000
        rids = ("q", "h", "f") if kind == "video" else ()
        self.track = Track(
            self.publisher.as_peer(), sid="TR", kind=kind, codec=codec, cname="PA_1", clock_rate=rate, rids=rids
        )
        self.down = DownTrack(
            self.track,
            self.subscriber.as_peer(),
            pt=100,
            rtx_pt=rtx_pt,
            abs_send_time_id=3 if kind == "video" else None,
            clock=self.clock,
        )
        self.down.enable(True)

    def send(self, rid: str, sequence: int, timestamp: int, payload: bytes, *, marker: bool = False) -> None:
        stream = self.track.bind({"": 1, "q": 10, "h": 20, "f": 30}[rid], rid)
        stream.on_rtp(rtp(sequence, timestamp, payload, ssrc=stream.ssrc, marker=marker), self.clock.now)
        if self.down.current is None:
            self.down.choose()

    @property
    def out(self) -> list[bytes]:
        return self.subscriber.rtp

    def numbers(self) -> list[int]:
        return [header(p)[1] for p in self.out]


def payload_of(packet: bytes) -> bytes:
    return packet[20:]


def start(rig: Rig, rid: str = "f", sequence: int = 500, timestamp: int = 90_000) -> None:
    """One packet makes the layer known, the key frame starts it."""
    rig.send(rid, sequence, timestamp, vp8(1, 1))
    rig.send(rid, sequence + 1, timestamp + 3000, vp8(2, 2, key=True))


def test_nothing_before_a_key_frame_then_everything_in_order() -> None:
    rig = Rig()
    start(rig)
    rig.send("f", 502, 96_000, vp8(3, 3))
    assert len(rig.out) == 2
    first, second = rig.numbers()
    assert second == (first + 1) & 0xFFFF
    pt, _, timestamp, ssrc = header(rig.out[0])
    assert (pt, ssrc) == (100, rig.down.ssrc)
    assert (header(rig.out[1])[2] - timestamp) & 0xFFFFFFFF == 3000


def test_header_carries_abs_send_time_only_on_video() -> None:
    rig = Rig()
    start(rig)
    assert rig.out[0][0] == 0x90
    assert rig.out[0][12:17] == struct.pack("!HHB", 0xBEDE, 1, 0x32)
    audio = Rig(codec="opus", kind="audio", rtx_pt=None)
    audio.send("", 1, 960, b"opus1")
    audio.send("", 2, 1920, b"opus2")
    assert audio.out[-1][0] == 0x80
    assert audio.out[-1][12:] == b"opus2"


def test_switch_happens_at_a_key_frame_without_gaps() -> None:
    rig = Rig()
    rig.down.limit = 0
    rig.send("f", 9000, 5_000_000, vp8(900, 90, key=True))
    start(rig, "q")
    rig.send("q", 502, 96_000, vp8(3, 3))
    rig.down.limit = 2
    rig.send("f", 9001, 5_003_000, vp8(901, 91))
    rig.down.choose()
    assert rig.down.wanted is rig.track.layers["f"]
    rig.clock.now += 0.1
    rig.send("f", 9002, 5_006_000, vp8(902, 92))
    rig.send("q", 503, 99_000, vp8(4, 4))
    rig.send("f", 9003, 5_009_000, vp8(903, 93, key=True))
    rig.send("q", 504, 102_000, vp8(5, 5))
    rig.send("f", 9004, 5_012_000, vp8(904, 94))
    numbers = rig.numbers()
    assert numbers == [(numbers[0] + i) & 0xFFFF for i in range(5)]
    pictures = [picture_id(payload_of(p)) for p in rig.out]
    assert pictures == [(2, 15), (3, 15), (4, 15), (5, 15), (6, 15)]
    tl0 = [tl0_index(payload_of(p)) for p in rig.out]
    assert [v for _, v in (t for t in tl0 if t)] == [2, 3, 4, 5, 6]
    stamps = [header(p)[2] for p in rig.out]
    assert all((b - a) & 0xFFFFFFFF < 0x80000000 and b != a for a, b in itertools.pairwise(stamps))
    assert rig.down.current is rig.track.layers["f"]


def test_switch_uses_capture_time_when_both_layers_have_reports() -> None:
    rig = Rig()
    rig.down.limit = 0
    start(rig, "q", timestamp=90_000)
    second = 1 << 32
    rig.track.layers["q"].on_sender_report(Report(5000 * second, 93_000), rig.clock.now)
    low = header(rig.out[-1])[2]
    rig.down.limit = 2
    rig.send("f", 9000, 1_000_000, vp8(9, 9))
    rig.track.layers["f"].on_sender_report(Report(5000 * second, 1_000_000), rig.clock.now)
    rig.down.choose()
    rig.clock.now += 3.0
    rig.send("f", 9001, 1_045_000, vp8(10, 10, key=True))
    assert (header(rig.out[-1])[2] - low) & 0xFFFFFFFF == 45_000


def test_packets_from_before_the_switch_are_not_sent() -> None:
    rig = Rig()
    start(rig)
    rig.send("f", 499, 89_000, vp8(0, 0))
    assert len(rig.out) == 1


def test_duplicates_are_never_encrypted_twice() -> None:
    rig = Rig()
    start(rig)
    rig.send("f", 503, 99_000, vp8(4, 4))
    rig.send("f", 502, 96_000, vp8(3, 3))
    rig.send("f", 502, 96_000, vp8(3, 3))
    assert len(rig.numbers()) == len(set(rig.numbers())) == 3


def test_numbers_wrap() -> None:
    rig = Rig()
    start(rig, sequence=65_530)
    for i in range(20):
        rig.send("f", 65_532 + i, 96_000 + i, vp8(3 + i, 3 + i))
    numbers = rig.numbers()
    assert len(numbers) == 21
    assert numbers == [(numbers[0] + i) & 0xFFFF for i in range(21)]


def test_pause_continues_with_a_key_frame_and_contiguous_numbers() -> None:
    rig = Rig()
    start(rig)
    before = header(rig.out[-1])
    rig.down.enable(False)
    rig.send("f", 502, 96_000, vp8(3, 3))
    rig.down.enable(True)
    rig.send("f", 510, 120_000, vp8(11, 11))
    assert len(rig.out) == 1
    rig.send("f", 511, 123_000, vp8(12, 12, key=True))
    after = header(rig.out[-1])
    assert after[1] == (before[1] + 1) & 0xFFFF
    assert (after[2] - before[2]) & 0xFFFFFFFF == 30_000
    assert picture_id(payload_of(rig.out[-1])) == (3, 15)


def test_muted_track_forwards_nothing() -> None:
    rig = Rig()
    start(rig)
    rig.track.set_muted(True)
    rig.send("f", 502, 96_000, vp8(3, 3, key=True))
    assert len(rig.out) == 1
    rig.track.set_muted(False)
    rig.send("f", 503, 99_000, vp8(4, 4, key=True))
    assert len(rig.out) == 2


def test_nack_is_answered_on_the_repair_stream_a_few_times() -> None:
    rig = Rig()
    start(rig)
    lost = rig.out[-1]
    number = header(lost)[1]
    for _ in range(5):
        rig.down.on_nack([number, (number + 99) & 0xFFFF])
    repairs = rig.out[1:]
    assert len(repairs) == 3
    assert {header(p)[0] for p in repairs} == {97}
    assert {header(p)[3] for p in repairs} == {rig.down.rtx_ssrc}
    assert len({header(p)[1] for p in repairs}) == 3
    assert repairs[0][20:22] == number.to_bytes(2, "big")
    assert repairs[0][22:] == payload_of(lost)


def test_without_repair_stream_a_nack_is_ignored() -> None:
    rig = Rig(rtx_pt=None)
    start(rig)
    rig.down.on_nack([header(rig.out[-1])[1]])
    assert len(rig.out) == 1


def test_padding_only_packets_keep_the_numbering_whole() -> None:
    rig = Rig()
    start(rig)
    stream = rig.track.layers["f"]
    padding = bytearray(rtp(502, 93_000, bytes(9) + b"\x0a", ssrc=stream.ssrc))
    padding[0] |= 0x20
    stream.on_rtp(bytes(padding), rig.clock.now)
    rig.send("f", 503, 96_000, vp8(3, 3))
    numbers = rig.numbers()
    assert numbers == [(numbers[0] + i) & 0xFFFF for i in range(3)]
    assert rig.out[1][0] & 0x20
    assert rig.out[1][12:] == b"\x01"


def test_sender_reports_are_passed_on_in_the_subscribers_numbers() -> None:
    rig = Rig()
    start(rig)
    rig.track.layers["f"].on_sender_report(Report(0x1122334455667788, 93_000), rig.clock.now)
    report, names = RtcpPacket.parse(rig.subscriber.rtcp[-1])
    assert isinstance(report, RtcpSrPacket)
    assert isinstance(names, RtcpSdesPacket)
    assert report.ssrc == rig.down.ssrc
    assert report.sender_info.ntp_timestamp == 0x1122334455667788
    assert report.sender_info.rtp_timestamp == header(rig.out[-1])[2]
    assert names.chunks[0].items == [(1, b"PA_1")]


def test_a_report_from_before_the_subscription_is_sent_at_once() -> None:
    rig = Rig()
    rig.send("f", 500, 90_000, vp8(1, 1))
    rig.track.layers["f"].on_sender_report(Report(1 << 40, 90_000), rig.clock.now)
    assert rig.subscriber.rtcp == []
    rig.send("f", 501, 93_000, vp8(2, 2, key=True))
    assert len(rig.subscriber.rtcp) == 1


def test_layers_that_stopped_are_left() -> None:
    rig = Rig()
    rig.send("q", 1, 0, vp8(1, 1))
    start(rig)
    assert rig.down.current is rig.track.layers["f"]
    rig.clock.now += 1.5
    rig.send("q", 2, 9000, vp8(2, 2))
    rig.down.choose()
    assert rig.down.wanted is rig.track.layers["q"]


def test_a_still_picture_is_not_mistaken_for_a_dead_layer() -> None:
    rig = Rig()
    rig.send("q", 1, 0, vp8(1, 1))
    start(rig)
    rig.clock.now += 30
    rig.down.choose()
    assert rig.down.wanted is rig.track.layers["f"]


def test_close_forgets_the_subscriber() -> None:
    rig = Rig()
    start(rig)
    rig.down.close()
    rig.send("f", 502, 96_000, vp8(3, 3, key=True))
    assert len(rig.out) == 1
    assert rig.subscriber.sinks == {}
    assert rig.subscriber.retired == [rig.down.ssrc, rig.down.rtx_ssrc]
