"""Nothing is lost and nothing happens twice, whoever writes at the same time."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from meet.core.errors import RoomNotFound
from meet.core.model.recording import TERMINAL, RecordingStatus
from meet.core.model.room import Room
from meet.core.ports import RoomStillHasRecordings
from meet.db import Database
from tests.unit.db.samples import recording, room


def count_up(stored: Room) -> Room:
    return replace(stored, roles_updated_at=stored.roles_updated_at + 1)


async def test_no_update_is_lost_between_two_processes_worth_of_connections(database: Database, path: Path) -> None:
    others = [Database.open(path) for _ in range(3)]
    await database.repositories().rooms.add(room(roles_updated_at=0))
    writers = [database, *others]
    await asyncio.gather(*(writers[n % 4].repositories().rooms.modify("room-1", count_up) for n in range(80)))
    stored = await database.repositories().rooms.get("room-1")
    assert stored is not None
    assert stored.roles_updated_at == 80
    for other in others:
        other.close()


async def test_one_lock_for_fifty_from_two_connections(database: Database, path: Path) -> None:
    other = Database.open(path)
    await database.repositories().rooms.add(room())
    tries = [
        (database if n % 2 else other).repositories().recordings.acquire_lock("room-1", f"key-{n}", 1)
        for n in range(50)
    ]
    assert sum(await asyncio.gather(*tries)) == 1
    (lock,) = await database.repositories().recordings.locks()
    recordings = database.repositories().recordings
    assert not await recordings.release_lock("room-1", "somebody else's")
    assert await recordings.release_lock("room-1", lock.key)
    other.close()


@pytest.mark.parametrize(
    ("status", "ended_ms_ago", "free"),
    [("active", 60_000, False), ("ending", 10_000, False), ("ending", 20_000, True)],
)
async def test_a_file_that_is_long_in_coming_does_not_keep_its_room(
    database: Database, status: RecordingStatus, ended_ms_ago: int, free: bool
) -> None:
    recordings = database.repositories().recordings
    await database.repositories().rooms.add(room())
    old = recording(status=status, updated_at=100_000 - ended_ms_ago)
    assert await recordings.create(old)
    tries = [recordings.acquire_lock("room-1", f"key-{n}", 100_000) for n in range(5)]
    assert sum(await asyncio.gather(*tries)) == free
    (lock,) = await recordings.locks()
    assert (lock.key == old.key) is not free
    await recordings.advance(replace(old, status="complete"))
    assert [held.key for held in await recordings.locks()] == ([lock.key] if free else []), "it has its own, or none"


async def test_lock_of_a_room_that_is_gone(database: Database) -> None:
    with pytest.raises(RoomNotFound):
        await database.repositories().recordings.acquire_lock("nowhere", "key", 1)


async def test_one_name_each(database: Database) -> None:
    names = database.repositories().names
    await database.repositories().rooms.add(room())
    got = await asyncio.gather(*(names.reserve("room-1", "Bob", 1, 1000) for _ in range(20)))
    assert sorted(got) == sorted(["Bob", *(f"Bob_{n}" for n in range(1, 20))])
    await names.release("room-1", "bob_7")
    assert await names.reserve("room-1", "BOB_3", 1, 1000) == "BOB_7"
    assert await names.reserve("room-1", "Bob", 1000, 2000) == "Bob"  # everything before has expired


async def test_one_terminal_status_wins(database: Database) -> None:
    recordings = database.repositories().recordings
    await database.repositories().rooms.add(room())
    sample = recording(status="active")
    assert await recordings.create(sample)
    ends: list[RecordingStatus] = sorted(TERMINAL)
    outcomes = await asyncio.gather(*(recordings.advance(replace(sample, status=each)) for each in ends))
    (winner,) = [each for each in outcomes if each is not None]
    assert await recordings.get(sample.recording_id) == winner
    assert await recordings.locks() == []


async def test_one_deletion_wins(database: Database) -> None:
    recordings = database.repositories().recordings
    await database.repositories().rooms.add(room())
    sample = recording(status="complete")
    assert await recordings.create(sample)
    outcomes = await asyncio.gather(*(recordings.begin_delete([sample.recording_id], 1) for _ in range(10)))
    assert sum(len(each) for each in outcomes) == 1
    await recordings.cancel_delete([sample.recording_id])
    assert await recordings.get(sample.recording_id) == sample


async def test_room_is_kept_by_its_recordings(database: Database) -> None:
    repositories = database.repositories()
    await repositories.rooms.add(room())
    assert await repositories.recordings.create(recording(status="complete"))
    with pytest.raises(RoomStillHasRecordings):
        await repositories.rooms.delete("room-1")
    assert not await repositories.recordings.create(recording(2, room_id="nowhere"))
    await repositories.recordings.begin_delete([recording().recording_id], 1)
    await repositories.recordings.finish_delete([recording().recording_id], 1)
    assert await repositories.rooms.delete("room-1")
    assert not await repositories.rooms.delete("room-1")


async def test_active_room_is_not_deleted_by_accident(database: Database) -> None:
    rooms = database.repositories().rooms
    await rooms.add(room(status="active_meeting"))
    assert not await rooms.delete("room-1")
    assert await rooms.delete("room-1", even_active=True)


async def test_abandon_spares_what_became_active(database: Database) -> None:
    recordings = database.repositories().recordings
    await database.repositories().rooms.add(room())
    sample = recording(status="active")
    assert await recordings.create(sample)
    assert await recordings.abandon("room-1", sample.key, 1) == sample
    assert len(await recordings.locks()) == 1
    starting = recording(2)
    assert await recordings.create(starting)
    assert await recordings.abandon("room-1", starting.key, 1) is None
    assert await recordings.get(starting.recording_id) is None
    assert not await recordings.create(starting)
