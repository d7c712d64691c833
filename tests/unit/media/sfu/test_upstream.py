"""What a received stream says back to its publisher."""

from __future__ import annotations

from aiortc.rtp import RtcpPacket, RtcpPsfbPacket, RtcpRtpfbPacket

from meet.media.sfu.track import Track
from meet.media.sfu.upstream import UpStream
from tests.unit.media.fakes import Clock, FakePeer, rtp, vp8
from tests.unit.media.sfu.test_downtrack import Report


def setup(*, level_id: int | None = None, kind: str = "video") -> tuple[Clock, FakePeer, Track, UpStream]:
    clock = Clock()
    peer = FakePeer(clock)
    track = Track(
        peer.as_peer(),
        sid="TR",
        kind=kind,
        codec="VP8" if kind == "video" else "opus",
        cname="PA",
        clock_rate=90000,
        level_id=level_id,
    )
    return clock, peer, track, track.bind(7, "")


def plis(peer: FakePeer) -> int:
    packets = [p for raw in peer.rtcp for p in RtcpPacket.parse(raw)]
    return sum(1 for p in packets if isinstance(p, RtcpPsfbPacket) and p.fmt == 1 and p.media_ssrc == 7)


def test_key_frame_requests_are_throttled_and_repeated_until_one_comes() -> None:
    clock, peer, _, stream = setup()
    stream.on_rtp(rtp(1, 0, vp8(1, 1)), clock.now)
    for _ in range(5):
        stream.request_keyframe(clock.now)
    assert plis(peer) == 1
    clock.now += 0.9
    stream.tick(clock.now, 0.05)
    assert plis(peer) == 1
    clock.now += 0.2
    stream.on_rtp(rtp(2, 3000, vp8(2, 2)), clock.now)
    stream.tick(clock.now, 0.05)
    assert plis(peer) == 2
    stream.on_rtp(rtp(3, 6000, vp8(3, 3, key=True)), clock.now)
    clock.now += 2
    stream.on_rtp(rtp(4, 9000, vp8(4, 4)), clock.now)
    stream.tick(clock.now, 0.05)
    assert plis(peer) == 2


def test_lost_packets_are_asked_for() -> None:
    clock, peer, _, stream = setup()
    for number in (1, 2, 5):
        stream.on_rtp(rtp(number, 0, vp8(number, number)), clock.now)
    clock.now += 0.02
    stream.tick(clock.now, 0.05)
    (nack,) = RtcpPacket.parse(peer.rtcp[-1])
    assert isinstance(nack, RtcpRtpfbPacket)
    assert (nack.fmt, nack.media_ssrc, nack.lost) == (1, 7, [3, 4])


def test_what_is_asked_for_fits_into_a_packet() -> None:
    """Every 17th packet lost: each takes four bytes in the request, and SRTCP takes 1352 bytes."""
    clock, peer, _, stream = setup()
    for number in range(499 * 17 + 1):
        if number % 17 != 16:
            stream.on_rtp(rtp(number, 0, vp8(number, number)), clock.now)
    clock.now += 0.02
    for _ in range(2):
        stream.tick(clock.now, 0.05)
    asked = [p.lost for raw in peer.rtcp for p in RtcpPacket.parse(raw) if isinstance(p, RtcpRtpfbPacket)]
    assert [number for lost in asked for number in lost] == list(range(16, 499 * 17, 17))
    assert max(len(raw) for raw in peer.rtcp) < 1352


def test_retransmissions_fill_the_gap_once_and_probes_are_ignored() -> None:
    clock, _, track, stream = setup()
    forwarded: list[int] = []

    def forward(_stream: UpStream, sequence: int, *_rest: object, **_options: object) -> None:
        forwarded.append(sequence)

    track.forward = forward  # type: ignore[assignment, method-assign]
    stream.on_rtp(rtp(1, 0, vp8(1, 1)), clock.now)
    stream.on_rtp(rtp(3, 0, vp8(3, 3)), clock.now)
    repair = rtp(900, 0, (2).to_bytes(2, "big") + vp8(2, 2), ssrc=8, pt=97)
    stream.on_rtx(repair, clock.now)
    stream.on_rtx(repair, clock.now)
    stream.on_rtx(rtp(901, 0, b"\x00\x02", ssrc=8, pt=97), clock.now)
    assert forwarded == [1, 3, 2]


def test_receiver_report_echoes_the_senders_clock() -> None:
    clock, _, _, stream = setup()
    assert stream.receiver_report(clock.now) is None
    stream.on_rtp(rtp(1, 0, vp8(1, 1)), clock.now)
    stream.on_sender_report(Report(0x1111222233334444, 0), clock.now)
    clock.now += 0.5
    block = stream.receiver_report(clock.now)
    assert (block.ssrc, block.lsr, block.dlsr) == (7, 0x22223333, 32768)


def test_audio_level_extension_feeds_the_meter() -> None:
    clock, _, track, stream = setup(level_id=1, kind="audio")
    packet = bytearray(rtp(1, 0, b"", pt=111))
    packet[0] |= 0x10
    stream.on_rtp(bytes(packet) + b"\xbe\xde\x00\x01\x10\x94\x00\x00opus", clock.now)
    assert abs(track.levels.take() - 0.1) < 1e-9


def test_capture_time_of_a_timestamp() -> None:
    clock, _, _, stream = setup()
    assert stream.ntp_of(5) is None
    stream.on_sender_report(Report(100 << 32, 90_000), clock.now)
    assert stream.ntp_of(180_000) == 101.0
    assert stream.ntp_of(45_000) == 99.5


def test_closing_a_track_forgets_its_streams() -> None:
    _, peer, track, stream = setup()
    peer.handlers[7] = stream.on_rtp
    peer.handlers[8] = stream.on_rtx
    track.close()
    assert (peer.handlers, peer.sources, track.layers) == ({}, {}, {})
