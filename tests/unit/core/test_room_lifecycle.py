"""Meeting events, lost and doubled, and the expiry job."""

from __future__ import annotations

import json

from tests.unit.core.conftest import World

HOUR_S = 3600


async def test_started_and_finished_are_idempotent(world: World) -> None:
    room = await world.room()
    for _ in range(2):
        await world.core.media_events.room_started(room.room_id, None)
        assert (await world.stored(room.room_id)).status == "active_meeting"
    for _ in range(2):
        await world.core.media_events.room_finished(room.room_id, None)
        assert (await world.stored(room.room_id)).status == "open"


async def test_finished_twice_does_not_reopen_a_closed_room(world: World) -> None:
    room = await world.meeting()
    await world.core.rooms.update_status(world.admin, room.room_id, "closed")
    for _ in range(2):
        await world.end_meeting(room.room_id)
        assert (await world.stored(room.room_id)).status == "closed"


async def test_unknown_and_foreign_rooms_are_ignored(world: World) -> None:
    await world.core.media_events.room_started("nowhere", None)
    await world.core.media_events.room_finished("nowhere", None)
    room = await world.room()
    foreign = json.dumps({"createdBy": "somebody else"})
    await world.core.media_events.room_started(room.room_id, foreign)
    assert (await world.stored(room.room_id)).status == "open"
    ours = json.dumps({"createdBy": world.core.settings.name_id})
    await world.core.media_events.room_started(room.room_id, ours)
    assert (await world.stored(room.room_id)).status == "active_meeting"


async def test_reconcile_finds_lost_events_in_both_directions(world: World) -> None:
    ended, begun = await world.meeting(), await world.room()
    del world.media.rooms[ended.room_id]
    world.media.join(begun.room_id, "bob")
    world.media.join("foreign room", "carol")
    await world.core.lifecycle.reconcile()
    assert (await world.stored(ended.room_id)).status == "active_meeting"
    await world.core.lifecycle.reconcile()
    assert (await world.stored(ended.room_id)).status == "open"
    assert (await world.stored(begun.room_id)).status == "active_meeting"


async def test_meeting_that_survives_a_restart_of_the_media_server_goes_on(world: World) -> None:
    room = await world.meeting()
    await world.core.rooms.delete(world.admin, room.room_id, with_meeting="when_meeting_ends")
    people = world.media.rooms.pop(room.room_id)
    await world.core.lifecycle.reconcile()
    world.media.rooms[room.room_id] = people
    await world.core.lifecycle.reconcile()
    del world.media.rooms[room.room_id]
    await world.core.lifecycle.reconcile()
    assert (await world.stored(room.room_id)).status == "active_meeting"


async def test_reconcile_believes_nothing_while_the_media_server_is_away(world: World) -> None:
    room = await world.meeting()
    world.media.rooms.clear()
    world.media.down = True
    await world.core.lifecycle.reconcile()
    assert (await world.stored(room.room_id)).status == "active_meeting"


async def test_names_are_free_again_after_the_meeting(world: World) -> None:
    room = await world.meeting()
    names = world.repositories.names
    assert await names.reserve(room.room_id, "Bob", world.clock.now, world.clock.now + 1000) == "Bob"
    await world.end_meeting(room.room_id)
    assert await names.reserve(room.room_id, "Bob", world.clock.now, world.clock.now + 1000) == "Bob"


async def test_expiry(world: World) -> None:
    date = world.clock.now + HOUR_S * 1000
    due = await world.room(auto_deletion_date=date)
    later = await world.room(auto_deletion_date=date + 5000)
    busy = await world.meeting(auto_deletion_date=date)
    many = [await world.room(auto_deletion_date=date) for _ in range(105)]
    await world.core.lifecycle.expire()
    assert await world.stored(due.room_id)
    world.clock.advance(HOUR_S + 1)
    await world.core.lifecycle.expire()
    for room in (due, *many):
        assert await world.repositories.rooms.get(room.room_id) is None
    assert await world.stored(later.room_id)
    assert (await world.stored(busy.room_id)).meeting_end_action == "delete"
    await world.end_meeting(busy.room_id)
    assert await world.repositories.rooms.get(busy.room_id) is None
