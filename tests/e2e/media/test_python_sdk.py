"""The embedded media server with the official Python SDK as its client."""

from __future__ import annotations

import pytest
from livekit import rtc

from meet.media.main import MediaServer
from meet.media.room import LeaveReason, Permission, TrackSource
from tests.e2e.media.conftest import Enter
from tests.e2e.media.sdk import Robot, falls_silent, until


def names(robot: Robot) -> set[str]:
    return set(robot.room.remote_participants)


@pytest.mark.parametrize("single_pc", [True, False], ids=["v1", "v0"])
async def test_two_participants_see_hear_and_write_to_each_other(enter: Enter, single_pc: bool) -> None:
    alice, bob = await enter("alice", single_pc=single_pc), await enter("bob", single_pc=single_pc)
    for robot in (alice, bob):
        await robot.publish_video()
        await robot.publish_audio()
    await until(lambda: alice.frames.get("bob", 0) > 20 and bob.frames.get("alice", 0) > 20)
    await until(lambda: alice.loud.get("bob", 0) > 20 and bob.loud.get("alice", 0) > 20)
    await until(lambda: {"alice", "bob"} <= alice.speakers | bob.speakers)
    big = b"x" * 30_000
    await alice.room.local_participant.publish_data(big, reliable=True, topic="big")
    await bob.room.local_participant.publish_data(b"quick", reliable=False, topic="lossy")
    await until(lambda: alice.data and bob.data)
    assert bob.data == [(big, "big", "alice")]
    assert alice.data == [(b"quick", "lossy", "bob")]


async def test_old_and_new_signalling_meet_in_one_room(enter: Enter) -> None:
    alice, bob = await enter("alice", single_pc=True), await enter("bob", single_pc=False)
    await alice.publish_video()
    await bob.publish_video()
    await until(lambda: alice.frames.get("bob", 0) > 10 and bob.frames.get("alice", 0) > 10)


async def test_late_joiner_and_unpublish(enter: Enter) -> None:
    alice = await enter("alice")
    publication = await alice.publish_video()
    bob = await enter("bob", single_pc=False)
    await until(lambda: bob.frames.get("alice", 0) > 5)
    await alice.room.local_participant.unpublish_track(publication.sid)
    await until(lambda: not bob.room.remote_participants["alice"].track_publications)
    again = await alice.publish_video()
    before = bob.frames["alice"]
    await until(lambda: bob.frames["alice"] > before + 5)
    assert again.sid in bob.room.remote_participants["alice"].track_publications


async def test_mute_is_shown_and_enforced(enter: Enter, media: MediaServer) -> None:
    alice, bob = await enter("alice"), await enter("bob")
    publication = await alice.publish_audio()
    await until(lambda: bob.loud.get("alice", 0) > 10)
    room = media.registry.require("room")
    room.mute_track("alice", publication.sid, True)
    await until(lambda: bob.room.remote_participants["alice"].track_publications[publication.sid].muted)
    await falls_silent(bob, "alice")


async def test_without_the_right_to_publish(enter: Enter, media: MediaServer) -> None:
    alice, bob = await enter("alice", can_publish=False), await enter("bob", can_publish_data=False)
    with pytest.raises((rtc.participant.PublishTrackError, TimeoutError)):
        await alice.publish_video()
    assert not media.registry.require("room").participants["alice"].tracks
    await bob.room.local_participant.publish_data(b"forbidden", reliable=True)
    await alice.room.local_participant.publish_data(b"allowed", reliable=True)
    await until(lambda: bob.data)
    assert alice.data == []


async def test_rights_change_while_media_flows(enter: Enter, media: MediaServer) -> None:
    alice, bob = await enter("alice"), await enter("bob")
    await alice.publish_video()
    await alice.publish_audio()
    await until(lambda: bob.frames.get("alice", 0) > 5 and bob.loud.get("alice", 0) > 5)
    room = media.registry.require("room")
    room.update_participant("alice", permission=Permission(can_publish_sources=frozenset({TrackSource.MICROPHONE})))
    await until(lambda: len(bob.room.remote_participants["alice"].track_publications) == 1)
    room.update_participant("bob", permission=Permission(can_subscribe=False))
    await falls_silent(bob, "alice")


async def test_kicked(enter: Enter, media: MediaServer) -> None:
    alice, bob = await enter("alice"), await enter("bob")
    await until(lambda: names(alice) == {"bob"})
    media.registry.require("room").remove_participant("bob")
    await until(lambda: bob.disconnected)
    assert bob.disconnected == [LeaveReason.PARTICIPANT_REMOVED]
    await until(lambda: names(alice) == set())


async def test_hidden_recorder_sees_and_is_not_seen(enter: Enter) -> None:
    alice = await enter("alice")
    await alice.publish_video()
    recorder = await enter(
        "EG_1", single_pc=False, hidden=True, recorder=True, can_publish=False, can_publish_data=False
    )
    await until(lambda: recorder.frames.get("alice", 0) > 5)
    bob = await enter("bob")
    await until(lambda: names(alice) == {"bob"})
    assert names(bob) == {"alice"}


async def test_hidden_participant_does_not_create_a_room(enter: Enter, media: MediaServer) -> None:
    with pytest.raises(rtc.ConnectError):
        await enter("EG_1", hidden=True, recorder=True)
    assert media.registry.get("room") is None


async def test_packet_loss_is_repaired(enter: Enter, media: MediaServer) -> None:
    """Every 20th media packet is lost in both directions, and the picture still moves."""
    count = 0

    def lose(_outgoing: bool, data: bytes) -> bool:
        nonlocal count
        if 128 <= data[0] < 192 and not 192 <= data[1] <= 223:
            count += 1
            return count % 20 == 0
        return False

    media.mux.drop = lose
    alice, bob = await enter("alice"), await enter("bob")
    await alice.publish_video()
    await until(lambda: bob.frames.get("alice", 0) > 60)
