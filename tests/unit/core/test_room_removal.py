"""Deletion carried out: effects, bulk results, the end of meetings."""

from __future__ import annotations

import asyncio

import pytest

from meet.core.errors import InsufficientPermissions, RoomDeletionRefused, RoomNotFound
from meet.core.model.recording import Recording
from meet.core.model.room import NewRoom, Room
from tests.unit.core.conftest import World


async def recorded(world: World, room: Room) -> Recording:
    """A finished recording of a room with a meeting."""
    recording = await world.core.recordings.start(world.admin, room.room_id)
    await world.core.media_events.egress_changed(world.media.complete(recording.egress_id))
    world.blobs.keys.add(recording.key)
    return recording


async def test_idle_room_goes_at_once(world: World) -> None:
    room = await world.room()
    done = await world.core.rooms.delete(world.admin, room.room_id)
    assert (done.success_code, done.room, done.deferred) == ("room_deleted", None, False)
    assert done.message == f"Room '{room.room_id}' deleted successfully"
    assert await world.repositories.rooms.get(room.room_id) is None
    with pytest.raises(RoomNotFound):
        await world.core.rooms.delete(world.admin, room.room_id)


async def test_only_owner_and_admin_delete(world: World) -> None:
    room = await world.room(access={"user": {"enabled": True}})
    with pytest.raises(InsufficientPermissions):
        await world.core.rooms.delete(await world.user("plain1", "room_manager"), room.room_id)
    assert await world.stored(room.room_id)


async def test_refusal_changes_nothing(world: World) -> None:
    room = await world.meeting()
    with pytest.raises(RoomDeletionRefused) as caught:
        await world.core.rooms.delete(world.admin, room.room_id)
    assert caught.value.code == "room_has_active_meeting"
    assert caught.value.message == f"Room '{room.room_id}' cannot be deleted because it has an active meeting."
    assert await world.stored(room.room_id) == room


async def test_recordings_go_with_their_files(world: World) -> None:
    room = await world.meeting()
    await recorded(world, room)
    await world.end_meeting(room.room_id)
    with pytest.raises(RoomDeletionRefused, match="because it has recordings"):
        await world.core.rooms.delete(world.admin, room.room_id)
    done = await world.core.rooms.delete(world.admin, room.room_id, with_recordings="force")
    assert done.success_code == "room_and_recordings_deleted"
    assert world.blobs.keys == set()
    assert await world.repositories.recordings.of_room(room.room_id) == []
    assert await world.repositories.rooms.get(room.room_id) is None


async def test_close_instead_of_delete(world: World) -> None:
    room = await world.meeting()
    recording = await recorded(world, room)
    await world.end_meeting(room.room_id)
    done = await world.core.rooms.delete(world.admin, room.room_id, with_recordings="close")
    assert done.success_code == "room_closed"
    assert done.room is not None
    assert done.room.status == "closed"
    assert world.blobs.keys == {recording.key}


async def test_force_ends_the_meeting_and_the_event_deletes(world: World) -> None:
    room = await world.meeting()
    done = await world.core.rooms.delete(world.admin, room.room_id, with_meeting="force")
    assert (done.success_code, done.room) == ("room_with_active_meeting_deleted", None)
    assert room.room_id not in world.media.rooms
    await world.core.media_events.room_finished(room.room_id, None)
    assert await world.repositories.rooms.get(room.room_id) is None


@pytest.mark.parametrize("several", [False, True])
async def test_who_is_told_that_it_was_deleted_finds_none(world: World, several: bool) -> None:
    room, other = await world.meeting(), await world.meeting()
    world.core.rooms._removal._ending_grace_s = 60

    async def event(room_id: str) -> None:
        while room_id in world.media.rooms:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)  # on its way here
        await world.core.media_events.room_finished(room_id, None)

    events = asyncio.gather(event(room.room_id), event(other.room_id))
    if several:
        ids = [room.room_id, other.room_id]
        assert len((await world.core.rooms.delete_many(world.admin, ids, with_meeting="force")).deleted) == 2
    else:
        for each in (room, other):
            await world.core.rooms.delete(world.admin, each.room_id, with_meeting="force")
    assert await world.repositories.rooms.get(room.room_id) is None
    assert await world.repositories.rooms.get(other.room_id) is None
    await events


async def test_scheduled_deletion_takes_running_recordings_along(world: World) -> None:
    room = await world.meeting()
    recording = await world.core.recordings.start(world.admin, room.room_id)
    world.blobs.keys.add(recording.key)
    done = await world.core.rooms.delete(
        world.admin, room.room_id, with_meeting="when_meeting_ends", with_recordings="force"
    )
    assert done.deferred
    assert done.room is not None
    assert done.room.meeting_end_action == "delete"
    await world.end_meeting(room.room_id)
    assert world.media.stopped == [recording.egress_id]
    assert await world.repositories.rooms.get(room.room_id) is None
    assert world.blobs.keys == set()
    # The recorder finishes its file afterwards: it goes, too, and nothing comes back.
    world.blobs.keys.add(recording.key)
    await world.core.media_events.egress_changed(world.media.complete(recording.egress_id))
    assert world.blobs.keys == set()
    assert await world.repositories.recordings.get(recording.recording_id) is None


async def test_forced_close_during_a_meeting(world: World) -> None:
    room = await world.meeting()
    await recorded(world, room)
    done = await world.core.rooms.delete(world.admin, room.room_id, with_meeting="force", with_recordings="close")
    assert done.room is not None
    assert (done.room.status, done.room.meeting_end_action) == ("active_meeting", "close")
    await world.core.media_events.room_finished(room.room_id, None)
    assert (await world.stored(room.room_id)).status == "closed"


async def test_failing_store_keeps_the_room_and_the_next_run_finishes(world: World) -> None:
    room = await world.meeting()
    recording = await recorded(world, room)
    await world.core.rooms.delete(world.admin, room.room_id, with_meeting="force", with_recordings="force")
    world.blobs.broken = True
    with pytest.raises(ConnectionError):
        await world.core.media_events.room_finished(room.room_id, None)
    assert await world.stored(room.room_id)
    assert await world.repositories.recordings.get(recording.recording_id) is not None
    world.blobs.broken = False
    for _ in range(2):
        await world.core.lifecycle.reconcile()
    assert await world.repositories.rooms.get(room.room_id) is None
    assert world.blobs.keys == set()


async def test_bulk(world: World) -> None:
    manager = await world.user("manny", "room_manager")
    foreign = await world.room()
    idle = await world.core.rooms.create(manager, NewRoom())
    busy = await world.core.rooms.create(manager, NewRoom())
    await world.core.media_events.room_started(busy.room_id, None)
    asked = [busy.room_id, idle.room_id, foreign.room_id, "nowhere", idle.room_id]
    result = await world.core.rooms.delete_many(manager, asked)
    assert [each.room_id for each in result.deleted] == [idle.room_id]
    assert [(each.room_id, each.error) for each in result.failed] == [
        (foreign.room_id, "Authorization Error"),
        ("nowhere", "Room Error"),
        (busy.room_id, "room_has_active_meeting"),
    ]
    result = await world.core.rooms.delete_many(world.admin, [busy.room_id, "nowhere"])
    assert [each.room_id for each in result.failed] == [busy.room_id, "nowhere"]


async def test_bulk_goes_on_after_a_failing_store(world: World) -> None:
    room = await world.meeting()
    await recorded(world, room)
    await world.end_meeting(room.room_id)
    idle = await world.room()
    world.blobs.broken = True
    result = await world.core.rooms.delete_many(world.admin, [room.room_id, idle.room_id], with_recordings="force")
    assert [each.room_id for each in result.deleted] == [idle.room_id]
    (failed,) = result.failed
    assert (failed.room_id, failed.error) == (room.room_id, "Internal Server Error")


async def test_racing_deletions_agree(world: World) -> None:
    room = await world.meeting()
    await recorded(world, room)
    await world.end_meeting(room.room_id)
    attempts = [world.core.rooms.delete(world.admin, room.room_id, with_recordings="force") for _ in range(10)]
    outcomes = await asyncio.gather(*attempts, return_exceptions=True)
    assert await world.repositories.rooms.get(room.room_id) is None
    assert any(not isinstance(outcome, BaseException) for outcome in outcomes)
    assert {type(outcome) for outcome in outcomes if isinstance(outcome, BaseException)} <= {RoomNotFound}
