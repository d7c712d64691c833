"""Arbitrary redundant audio, AV1, VP9 and data tracks: forwarded, or dropped, never an unexpected error."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from meet.media.gateway.data_tracks import DataTracks
from meet.media.room import Participant, RoomRegistry
from meet.media.room.data_tracks import DataTrack, publish
from meet.media.sfu.downtrack import DownTrack
from meet.media.sfu.red import Redundancy, blocks
from meet.media.sfu.track import Track
from meet.recorder.subscriber import av1, vp9
from tests.unit.media.fakes import Clock, FakeLink, FakePeer, rtp
from tests.unit.media.sfu.test_described import UP, packet

fuzz = settings(max_examples=150, deadline=None)


def forwarding(codec: str, payload_type: int) -> tuple[Track, FakePeer]:
    clock = Clock()
    publisher, subscriber = FakePeer(clock), FakePeer(clock)
    sound = codec == "opus"
    track = Track(
        publisher.as_peer(),
        sid="TR",
        kind="audio" if sound else "video",
        codec=codec,
        cname="PA_1",
        clock_rate=48000 if sound else 90000,
        red=Redundancy(63, 111) if sound else None,
        descriptor_id=None if sound else UP,
    )
    down = DownTrack(
        track,
        subscriber.as_peer(),
        pt=payload_type,
        abs_send_time_id=2,
        descriptor_id=None if sound else 4,
        clock=clock,
    )
    down.enable(True)
    return track, subscriber


SOUNDS = st.tuples(st.integers(0, 40), st.sampled_from([63, 111]), st.binary(max_size=60))


@fuzz
@given(st.lists(SOUNDS, max_size=12, unique_by=lambda each: each[0]))  # SRTP lets no number through twice
def test_redundant_audio(packets: list[tuple[int, int, bytes]]) -> None:
    track, subscriber = forwarding("opus", 111)
    stream = track.bind(7, "")
    for sequence, pt, payload in packets:
        assert all(audio for age, audio in blocks(payload)[-1:])
        stream.on_rtp(rtp(sequence, sequence * 960, payload, pt=pt), 0.0)
        track.downs[0].choose()
    numbers = [p[2:4] for p in subscriber.rtp]
    assert len(numbers) == len(set(numbers)), "nothing is sent twice under one number"


@fuzz
@given(
    st.lists(st.tuples(st.integers(0, 65535), st.binary(max_size=40), st.binary(min_size=1, max_size=40)), max_size=8)
)
def test_av1_with_any_descriptor(packets: list[tuple[int, bytes, bytes]]) -> None:
    track, subscriber = forwarding("AV1", 45)
    stream = track.bind(10, "")
    for sequence, (frame, more, payload) in enumerate(packets):
        stream.on_rtp(packet(sequence, frame, payload, more=more), 0.0)
        track.downs[0].choose()
    assert len(subscriber.rtp) <= len(packets)


@fuzz
@given(st.lists(st.binary(max_size=30), max_size=5))
def test_depacketizers(payloads: list[bytes]) -> None:
    for take in (vp9.picture, av1.temporal_unit):
        found = take(payloads)
        assert found is None or found[0]


@fuzz
@given(st.binary(max_size=40))
def test_data_track_packets(data: bytes) -> None:
    room = RoomRegistry(clock=lambda: 0.0).create("room")
    alice, bob = Participant("alice", FakeLink()), Participant("bob", FakeLink())
    for member in (alice, bob):
        room.admit(member)
    publish(room, DataTrack(alice, int.from_bytes(data[2:4], "big") or 1, "x"))
    got: list[bytes] = []
    receiver = DataTracks(bob, room, got.append)
    DataTracks(alice, room, got.append).relay(data, [receiver])
    assert not got
