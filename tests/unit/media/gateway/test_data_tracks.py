"""Data tracks: what is said to publishers and subscribers, and whose handles packets carry."""

from __future__ import annotations

from typing import Any

import pytest
from livekit.protocol import models as pb
from livekit.protocol import rtc as sig

from meet.media.gateway import wire
from meet.media.gateway.data_tracks import DataTracks
from meet.media.room import LeaveReason, Participant, Permission, Room, RoomRegistry, TrackPermission
from tests.unit.media.fakes import FakeLink

REST = b"\x00\x01\x00\x02\x00\x00\x00\x03payload"


class Member:
    """A participant with its data tracks; `got` are the packets delivered to it."""

    def __init__(self, room: Room, identity: str, **rights: Any) -> None:
        self.room = room
        self.got: list[bytes] = []
        self.link = FakeLink()
        self.participant = Participant(identity, self.link, permission=Permission(**rights))
        room.admit(self.participant)
        room.joined(self.participant)
        self.tracks = DataTracks(self.participant, room, self.got.append)

    def publish(self, handle: int, name: str) -> sig.SignalResponse:
        return self.tracks.publish(sig.PublishDataTrackRequest(pub_handle=handle, name=name))

    def subscribe(self, *sids: str, wanted: bool = True) -> dict[int, str]:
        """Track sids by handle, as the client is told."""
        updates = [sig.UpdateDataSubscription.Update(track_sid=sid, subscribe=wanted) for sid in sids]
        answer = self.tracks.subscribe(sig.UpdateDataSubscription(updates=updates)).data_track_subscriber_handles
        return {handle: track.track_sid for handle, track in answer.sub_handles.items()}

    def send(self, handle: int, *receivers: Member) -> None:
        self.tracks.relay(b"\x18\x00" + handle.to_bytes(2, "big") + REST, [r.tracks for r in receivers])


@pytest.fixture
def room() -> Room:
    return RoomRegistry(clock=lambda: 0.0).create("room")


def sid_of(response: sig.SignalResponse) -> str:
    return response.publish_data_track_response.info.sid


def test_publishing_is_announced(room: Room) -> None:
    alice, bob = Member(room, "alice"), Member(room, "bob")
    bob.link.updates.clear()
    request = sig.PublishDataTrackRequest(pub_handle=7, name="position", encryption=pb.Encryption.GCM)
    request.schema.name = "point"
    info = alice.tracks.publish(request).publish_data_track_response.info
    assert (info.pub_handle, info.name, info.encryption, info.schema.name) == (7, "position", 1, "point")
    assert info.sid.startswith("DTR_")
    assert [t.sid for t in wire.participant_info(alice.participant).data_tracks] == [info.sid]
    assert [identity for identity, _ in bob.link.updates] == ["alice"]
    ended = alice.tracks.unpublish(sig.UnpublishDataTrackRequest(pub_handle=7))
    assert ended.unpublish_data_track_response.info == info
    assert not wire.participant_info(alice.participant).data_tracks
    again = alice.tracks.unpublish(sig.UnpublishDataTrackRequest(pub_handle=7)).request_response
    assert again.reason == sig.RequestResponse.INVALID_HANDLE


@pytest.mark.parametrize(
    ("handle", "name", "reason"),
    [
        (0, "x", "INVALID_HANDLE"),
        (65536, "x", "INVALID_HANDLE"),
        (2, "", "INVALID_NAME"),
        (2, "x" * 257, "INVALID_NAME"),
        (1, "other", "DUPLICATE_HANDLE"),
        (2, "there", "DUPLICATE_NAME"),
    ],
)
def test_refusals(room: Room, handle: int, name: str, reason: str) -> None:
    alice = Member(room, "alice")
    assert sid_of(alice.publish(1, "there"))
    response = alice.publish(handle, name).request_response
    assert sig.RequestResponse.Reason.Name(response.reason) == reason
    assert (response.publish_data_track.pub_handle, response.publish_data_track.name) == (handle, name)
    assert len(alice.participant.data_tracks) == 1


def test_limits_and_rights(room: Room) -> None:
    alice, quiet = Member(room, "alice"), Member(room, "quiet", can_publish_data=False)
    assert quiet.publish(1, "x").request_response.reason == sig.RequestResponse.NOT_ALLOWED
    for handle in range(1, 65):
        assert sid_of(alice.publish(handle, str(handle)))
    assert alice.publish(65, "65").request_response.reason == sig.RequestResponse.LIMIT_EXCEEDED
    room.update_participant("alice", permission=Permission(can_publish_data=False))
    assert not alice.participant.data_tracks


def test_what_everybody_is_told_of_a_track_is_short(room: Room) -> None:
    alice = Member(room, "alice")
    request = sig.PublishDataTrackRequest(pub_handle=1, name="x")
    request.schema.name = "s" * 5000
    assert alice.tracks.publish(request).request_response.reason == sig.RequestResponse.LIMIT_EXCEEDED
    assert not alice.participant.data_tracks


def test_packets_carry_the_handle_of_the_subscriber(room: Room) -> None:
    alice, bob, carol = Member(room, "alice"), Member(room, "bob"), Member(room, "carol")
    first, second = sid_of(alice.publish(500, "first")), sid_of(alice.publish(501, "second"))
    assert bob.subscribe(second) == {1: second}
    assert bob.subscribe(first, "DTR_unknown") == {1: second, 2: first}
    alice.send(500, bob, carol)
    assert bob.got == [b"\x18\x00\x00\x02" + REST]
    assert not carol.got
    alice.send(9, bob)
    alice.tracks.relay(b"\x18\x00\x01\xf4short", [bob.tracks])
    assert len(bob.got) == 1
    assert bob.subscribe(second, wanted=False) == {2: first}
    alice.send(501, bob)
    assert len(bob.got) == 1
    assert bob.subscribe(second) == {2: first, 3: second}, "a late packet under an old handle must not be mistaken"


def test_what_ends_a_subscription(room: Room) -> None:
    alice, bob = Member(room, "alice"), Member(room, "bob")
    sid = sid_of(alice.publish(1, "x"))
    assert alice.subscribe(sid) == {}, "not one's own"
    bob.subscribe(sid)
    room.set_track_permissions(alice.participant, allow_all=False, rules=[])
    alice.send(1, bob)
    rule = TrackPermission(participant_identity="bob", track_sids=frozenset({sid}))
    room.set_track_permissions(alice.participant, allow_all=False, rules=[rule])
    alice.send(1, bob)
    assert len(bob.got) == 1
    room.update_participant("bob", permission=Permission(can_subscribe=False))
    alice.send(1, bob)
    assert len(bob.got) == 1
    room.update_participant("bob", permission=Permission())
    room.leave(alice.participant, LeaveReason.CLIENT_INITIATED)
    alice.send(1, bob)
    assert len(bob.got) == 1
    assert bob.subscribe() == {}
