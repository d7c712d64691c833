from __future__ import annotations

import pytest

from meet.media.room import (
    LeaveAction,
    LeaveReason,
    Participant,
    ParticipantNotFound,
    ParticipantState,
    Permission,
    RoomFull,
    RoomNotFound,
    RoomOptions,
)
from tests.unit.media.fakes import FakeLink, World, link

HIDDEN = Permission(hidden=True, recorder=True, can_publish=False, can_publish_data=False)


def test_joining_is_told_to_the_others_and_to_listeners() -> None:
    world = World()
    alice = world.join("alice")
    world.join("bob")
    assert ("bob", int(ParticipantState.ACTIVE)) in link(alice).updates
    assert world.names == ["RoomStarted", "ParticipantJoined", "ParticipantJoined"]


def test_versions_only_grow() -> None:
    world = World()
    alice = world.join("alice")
    before = alice.version
    world.room.update_participant("alice", metadata="m")
    assert alice.version > before


def test_same_identity_throws_the_old_one_out_first() -> None:
    world = World()
    old = world.join("alice")
    new = world.join("alice")
    assert link(old).left == (LeaveReason.DUPLICATE_IDENTITY, LeaveAction.DISCONNECT)
    assert world.room.participants == {"alice": new}
    assert new.sid != old.sid


def test_hidden_is_invisible_but_sees() -> None:
    world = World()
    alice = world.join("alice")
    recorder = world.join("EG_1", HIDDEN)
    assert all(identity != "EG_1" for identity, _ in link(alice).updates)
    assert world.room.visible == [alice]
    bob = world.join("bob")
    assert any(identity == "bob" for identity, _ in link(recorder).updates)
    world.room.leave(recorder, LeaveReason.CLIENT_INITIATED)
    assert all(identity != "EG_1" for identity, _ in link(alice).updates + link(bob).updates)


def test_hidden_does_not_keep_the_room_alive() -> None:
    world = World()
    alice = world.join("alice")
    recorder = world.join("EG_1", HIDDEN)
    world.room.leave(alice, LeaveReason.CLIENT_INITIATED)
    world.clock.now += 19
    world.registry.tick()
    assert world.registry.get("room") is world.room
    world.clock.now += 2
    world.registry.tick()
    assert world.registry.get("room") is None
    assert link(recorder).left == (LeaveReason.ROOM_CLOSED, LeaveAction.DISCONNECT)
    assert world.names[-1] == "RoomFinished"


def test_empty_timeout_before_anybody_came() -> None:
    world = World()
    world.clock.now += 299
    world.registry.tick()
    assert world.registry.get("room") is not None
    world.clock.now += 1
    world.registry.tick()
    assert world.registry.get("room") is None


def test_coming_back_in_time_keeps_the_room() -> None:
    world = World()
    world.room.leave(world.join("alice"), LeaveReason.CLIENT_INITIATED)
    world.clock.now += 15
    world.join("alice")
    world.clock.now += 100
    world.registry.tick()
    assert world.registry.get("room") is world.room


def test_delete_disconnects_everybody() -> None:
    world = World()
    alice = world.join("alice")
    world.registry.delete("room")
    assert link(alice).left == (LeaveReason.ROOM_DELETED, LeaveAction.DISCONNECT)
    assert world.names[-2:] == ["ParticipantLeft", "RoomFinished"]
    with pytest.raises(RoomNotFound):
        world.registry.delete("room")


def test_shutdown_asks_clients_to_come_back() -> None:
    world = World()
    alice = world.join("alice")
    world.registry.shutdown()
    assert link(alice).left == (LeaveReason.SERVER_SHUTDOWN, LeaveAction.RECONNECT)


def test_create_again_returns_the_same_room_with_new_options() -> None:
    world = World()
    alice = world.join("alice")
    again = world.registry.create("room", RoomOptions(metadata="new", departure_timeout_s=5))
    assert again is world.room
    assert (again.metadata, again.departure_timeout_s, again.empty_timeout_s) == ("new", 5, 300)
    assert link(alice).rooms == ["new"]


def test_room_full_counts_only_visible_members() -> None:
    world = World()
    world.room.apply(RoomOptions(max_participants=1))
    world.join("EG_1", HIDDEN)
    world.join("alice")
    world.join("alice")
    world.join("EG_2", HIDDEN)
    with pytest.raises(RoomFull):
        world.room.admit(Participant(identity="bob", link=FakeLink()))


def test_remove_participant() -> None:
    world = World()
    alice = world.join("alice")
    world.room.remove_participant("alice")
    assert link(alice).left == (LeaveReason.PARTICIPANT_REMOVED, LeaveAction.DISCONNECT)
    with pytest.raises(ParticipantNotFound):
        world.room.remove_participant("alice")


def test_one_that_never_became_active_is_not_reported_as_left() -> None:
    world = World()
    participant = Participant(identity="alice", link=FakeLink())
    world.room.admit(participant)
    world.room.joined(participant)
    world.room.leave(participant, LeaveReason.JOIN_FAILURE)
    assert world.names == ["RoomStarted"]


def test_a_failing_listener_does_not_stop_the_others() -> None:
    world = World()
    seen: list[object] = []

    def broken(_event: object) -> None:
        raise RuntimeError("listener")

    world.registry.add_listener(broken)
    world.registry.add_listener(seen.append)
    world.join("alice")
    assert len(seen) == 1
