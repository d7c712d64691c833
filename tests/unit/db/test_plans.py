"""No list reads a whole table: SQLite's own plan for every statement that requests cause, on tables of some size."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event

from meet.core.model.paging import PageRequest, RecordingFilter, RoomFilter, TextMatch
from meet.db import Database
from tests.unit.db.samples import recording, room

EXACT, FOLDED = TextMatch("Room 7"), TextMatch("room 7", ignore_case=True)
PREFIX, FOLDED_PREFIX = TextMatch("Room 1", "prefix"), TextMatch("room 1", "prefix", ignore_case=True)


@pytest.fixture
async def full(database: Database) -> Database:
    data = database.repositories()
    for number in range(60):
        await data.rooms.add(room(f"room-{number}", room_name=f"Room {number}", creation_date=number))
        made = recording(number, f"room-{number}", start_date=number, room_name=f"Room {number}", status="complete")
        await data.recordings.create(made)
    return database


@contextmanager
def statements(database: Database) -> Iterator[list[tuple[str, Any]]]:
    """What reaches the driver, whichever way it is sent."""
    seen: list[tuple[str, Any]] = []

    def through_sqlalchemy(_connection: Any, _cursor: Any, text: str, values: Any, *_: Any) -> None:
        seen.append((text, values))

    driver = database.reader.connection.driver_connection
    assert driver is not None
    driver.set_trace_callback(lambda text: seen.append((text, ())))
    event.listen(database._engine, "before_cursor_execute", through_sqlalchemy)
    try:
        yield seen
    finally:
        driver.set_trace_callback(None)
        event.remove(database._engine, "before_cursor_execute", through_sqlalchemy)


def plans(database: Database, seen: list[tuple[str, Any]]) -> list[str]:
    """The steps of the SELECTs among `seen`. The trace shows them with their values filled in."""
    driver: Any = database.reader.connection.driver_connection
    found = []
    for text, values in seen:
        if text.lstrip().upper().startswith("SELECT") and "?" not in text:
            found += [row[3] for row in driver.execute(f"EXPLAIN QUERY PLAN {text}", values)]
    assert found
    return found


def indexed(steps: list[str]) -> bool:
    """Every table is reached through an index, and a scan goes along an index in the order of the answer."""
    return not any(step.startswith("SCAN") and "USING" not in step for step in steps)


ROOM_FILTERS = {
    "all": RoomFilter(),
    "status": RoomFilter(status="open"),
    "exact": RoomFilter(name=EXACT),
    "folded": RoomFilter(name=FOLDED),
    "prefix": RoomFilter(name=PREFIX),
    "folded prefix": RoomFilter(name=FOLDED_PREFIX),
    "expired": RoomFilter(expired_before=5),
}
RECORDING_FILTERS = {
    "all": RecordingFilter(),
    "room": RecordingFilter(room_id="room-3"),
    "status": RecordingFilter(status="complete"),
    "exact": RecordingFilter(name=EXACT),
    "folded prefix": RecordingFilter(name=FOLDED_PREFIX),
}


@pytest.mark.parametrize("sort", ["creationDate", "roomName", "autoDeletionDate"])
@pytest.mark.parametrize("name", ROOM_FILTERS)
@pytest.mark.parametrize("order", ["asc", "desc"])
async def test_rooms(full: Database, name: str, sort: str, order: Any) -> None:
    request = PageRequest(sort, order, max_items=5)
    rooms = full.repositories().rooms
    with statements(full) as seen:
        page = await rooms.page(ROOM_FILTERS[name], request)
        if page.next_token:
            await rooms.page(ROOM_FILTERS[name], replace(request, token=page.next_token))
    steps = plans(full, seen)
    assert indexed(steps), steps


@pytest.mark.parametrize("sort", ["startDate", "roomName", "duration", "size"])
@pytest.mark.parametrize("name", RECORDING_FILTERS)
async def test_recordings(full: Database, name: str, sort: str) -> None:
    request = PageRequest(sort, "desc", max_items=5)
    recordings = full.repositories().recordings
    with statements(full) as seen:
        page = await recordings.page(RECORDING_FILTERS[name], request)
        if page.next_token:
            await recordings.page(RECORDING_FILTERS[name], replace(request, token=page.next_token))
    steps = plans(full, seen)
    assert indexed(steps), steps


async def test_the_default_list_begins_where_its_cursor_says(full: Database) -> None:
    request = PageRequest("creationDate", "desc", max_items=20)
    rooms = full.repositories().rooms
    first = await rooms.page(RoomFilter(), request)
    with statements(full) as seen:
        await rooms.page(RoomFilter(), replace(request, token=first.next_token))
    steps = plans(full, seen)
    assert steps == [step for step in steps if step.startswith("SEARCH") and "ix_rooms_creation_date_seq" in step], (
        steps
    )


async def test_a_status_is_read_in_the_order_of_the_list(full: Database) -> None:
    with statements(full) as seen:
        await full.repositories().rooms.page(RoomFilter(status="open"), PageRequest("creationDate"))
    steps = plans(full, seen)
    assert all("ix_rooms_status_creation_date_seq" in step for step in steps), steps


async def test_points(full: Database) -> None:
    data = full.repositories()
    with statements(full) as seen:
        await data.rooms.get("room-3")
        await data.rooms.ids_with_status("open")
        await data.recordings.get(recording(3, "room-3").recording_id)
        await data.members.get("room-3", "ana")
        await data.accounts.get_user("admin")
    steps = plans(full, seen)
    assert all(step.startswith("SEARCH") for step in steps), steps


async def test_recordings_without_facts(full: Database) -> None:
    """A job asks every ten seconds: it must not read those that have theirs."""
    facts = full.repositories().recording_facts
    with statements(full) as seen:
        assert len(await facts.missing(0, 60)) == 60
    steps = plans(full, seen)
    assert any("ix_recordings_without_facts" in step for step in steps), steps


async def test_recordings_by_store(full: Database) -> None:
    """Counted along an index, without a look at the recordings."""
    places = full.repositories().recording_places
    with statements(full) as seen:
        assert [(held.store, held.count) for held in await places.holdings()] == [(None, 60)]
    steps = plans(full, seen)
    assert steps[0].startswith("SEARCH recordings USING COVERING INDEX ix_recordings_status_store"), steps
    with statements(full) as seen:
        assert len(await places.in_stores(["fs", None], after=0, limit=5)) == 5
    assert indexed(plans(full, seen))


async def test_where_recordings_are(full: Database) -> None:
    places, recordings = full.repositories().recording_places, full.repositories().recordings
    with statements(full) as seen:
        await places.in_stores([None], after=3, limit=5)
        await places.in_stores(["fs"], after=3, limit=5)
        await recordings.unfinished_deletes([recording(3, "room-3").recording_id])
    steps = [step for step in plans(full, seen) if "TEMP B-TREE" not in step]
    one = "SEARCH recordings USING INDEX ix_recordings_status_store (status=? AND store=? AND rowid>?)"
    assert steps[:2] == [one, one] and steps[2].endswith("(recording_id=?)") and len(steps) == 3, steps
