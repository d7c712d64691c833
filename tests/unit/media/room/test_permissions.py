from __future__ import annotations

import pytest

from meet.media.room import NotAllowed, Permission, TrackNotFound, TrackPermission, TrackSource
from tests.unit.media.fakes import World, link


def test_publishing_needs_the_grant() -> None:
    world = World()
    alice = world.join("alice", Permission(can_publish=False))
    with pytest.raises(NotAllowed):
        world.publish(alice)
    assert alice.tracks == {}


def test_sources_supersede_can_publish() -> None:
    world = World()
    alice = world.join("alice", Permission(can_publish=False, can_publish_sources=frozenset({TrackSource.MICROPHONE})))
    world.publish(alice, TrackSource.MICROPHONE)
    with pytest.raises(NotAllowed):
        world.publish(alice, TrackSource.SCREEN_SHARE)


def test_hidden_participants_cannot_publish() -> None:
    world = World()
    with pytest.raises(NotAllowed):
        world.publish(world.join("spy", Permission(hidden=True)))


def test_subscribing_needs_the_grant_and_follows_its_changes() -> None:
    world = World()
    alice, bob = world.join("alice"), world.join("bob", Permission(can_subscribe=False))
    track = world.publish(alice)
    world.room.set_subscription(bob, [track.sid], True)
    assert link(bob).subscribed == set()
    world.room.update_participant("bob", permission=Permission())
    assert link(bob).subscribed == {track.sid}
    world.room.update_participant("bob", permission=Permission(can_subscribe=False))
    assert link(bob).subscribed == set()


def test_losing_the_right_to_publish_ends_running_tracks() -> None:
    world = World()
    alice, bob = world.join("alice"), world.join("bob")
    camera, mic = world.publish(alice), world.publish(alice, TrackSource.MICROPHONE)
    world.room.update_participant(
        "alice", permission=Permission(can_publish_sources=frozenset({TrackSource.MICROPHONE}))
    )
    assert link(alice).ended == [camera.sid]
    assert link(bob).subscribed == {mic.sid}
    assert "TrackUnpublished" in world.names


def test_late_joiner_gets_live_tracks_and_nobody_gets_his_own() -> None:
    world = World()
    alice = world.join("alice")
    track = world.publish(alice)
    bob = world.join("bob")
    assert link(bob).subscribed == {track.sid}
    assert link(alice).subscribed == set()


def test_auto_subscribe_off_waits_for_the_wish() -> None:
    world = World()
    alice, bob = world.join("alice"), world.join("bob", auto_subscribe=False)
    track = world.publish(alice)
    assert link(bob).subscribed == set()
    world.room.set_subscription(bob, [track.sid], True)
    assert link(bob).subscribed == {track.sid}
    world.room.set_subscription(bob, [track.sid], False)
    assert link(bob).subscribed == set()


def test_publisher_chooses_its_subscribers() -> None:
    world = World()
    alice, bob, carol = world.join("alice"), world.join("bob"), world.join("carol")
    recorder = world.join("EG_1", Permission(hidden=True, recorder=True))
    track = world.publish(alice)
    rule = TrackPermission(participant_identity="bob", all_tracks=True)
    world.room.set_track_permissions(alice, allow_all=False, rules=[rule])
    assert link(bob).subscribed == {track.sid}
    assert link(carol).subscribed == set()
    assert link(carol).allowed == [(track.sid, False)]
    assert link(recorder).subscribed == {track.sid}
    world.room.set_track_permissions(alice, allow_all=True, rules=[])
    assert link(carol).subscribed == {track.sid}


def test_data_needs_the_grant_and_honours_destinations() -> None:
    world = World()
    alice, bob, carol = world.join("alice"), world.join("bob"), world.join("carol", Permission(can_publish_data=False))
    world.room.relay_packet(alice, b"all", reliable=True)
    world.room.relay_packet(alice, b"bob", reliable=False, destinations={"bob"})
    assert link(bob).packets == [(b"all", True), (b"bob", False)]
    assert link(carol).packets == [(b"all", True)]
    assert link(alice).packets == []
    with pytest.raises(NotAllowed):
        world.room.relay_packet(carol, b"no", reliable=True)


def test_server_data_reaches_identities_and_sids() -> None:
    world = World()
    alice, bob = world.join("alice"), world.join("bob")
    world.room.send_data(b"1", topic="t")
    world.room.send_data(b"2", identities=["alice"], reliable=False)
    world.room.send_data(b"3", sids=[bob.sid])
    assert link(alice).data == [(b"1", "t", True), (b"2", "", False)]
    assert link(bob).data == [(b"1", "t", True), (b"3", "", True)]


def test_own_metadata_needs_the_grant() -> None:
    world = World()
    alice = world.join("alice")
    with pytest.raises(NotAllowed):
        world.room.update_self(alice, metadata="x", name=None, attributes={})
    bob = world.join("bob", Permission(can_update_metadata=True))
    world.room.update_self(bob, metadata="x", name="Bob", attributes={"a": "1", "b": ""})
    assert (bob.metadata, bob.name, bob.attributes) == ("x", "Bob", {"a": "1"})


def test_mute_from_outside() -> None:
    world = World()
    alice = world.join("alice")
    track = world.publish(alice, TrackSource.MICROPHONE)
    world.room.mute_track("alice", track.sid, True)
    assert link(alice).mutes == [(track.sid, True)]
    assert track.muted
    with pytest.raises(TrackNotFound):
        world.room.mute_track("alice", "TR_none", True)


def test_a_track_is_shown_with_its_first_media() -> None:
    world = World()
    alice = world.join("alice")
    track = world.publish(alice)
    assert alice.live_tracks == [track]
    world.room.unpublish(track)
    assert alice.live_tracks == []
    assert world.names[-2:] == ["TrackPublished", "TrackUnpublished"]
