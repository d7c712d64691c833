"""Keyset paging: order, missing values, changing data, tokens."""

from __future__ import annotations

import base64
from typing import Any

import orjson
import pytest

from meet.core.errors import ValidationFailed
from meet.core.model.paging import PageRequest, Reach, RecordingFilter, RoomFilter, SortOrder
from meet.db import Database
from tests.unit.db.samples import recording, room


async def walk(database: Database, request: PageRequest, wanted: RoomFilter | None = None) -> list[str]:
    found: list[str] = []
    token = None
    while True:
        step = PageRequest(request.sort_field, request.sort_order, request.max_items, token)
        page = await database.repositories().rooms.page(wanted or RoomFilter(), step)
        assert len(page.items) <= request.max_items
        found += [each.room_id for each in page.items]
        token = page.next_token
        if token is None:
            return found


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
@pytest.mark.parametrize("order", ["asc", "desc"])
async def test_every_row_once_and_missing_values_first_ascending(
    database: Database, order: SortOrder, size: int
) -> None:
    dates = {"a": None, "b": 30, "c": 10, "d": None, "e": 30, "f": 20, "g": None}
    for name, date in dates.items():
        await database.repositories().rooms.add(room(name, auto_deletion_date=date))
    expected = ["a", "d", "g", "c", "f", "b", "e"]
    request = PageRequest("autoDeletionDate", order, size)
    assert await walk(database, request) == (expected if order == "asc" else expected[::-1])


async def test_same_millisecond_keeps_insertion_order(database: Database) -> None:
    names = [f"room-{number}" for number in range(9)]
    for name in names:
        await database.repositories().rooms.add(room(name))
    assert await walk(database, PageRequest("creationDate", "asc", 2)) == names


async def test_text_sorts_by_bytes(database: Database) -> None:
    for name in ("b", "B", "a", "Z", "é"):
        await database.repositories().rooms.add(room(name, room_name=name))
    assert await walk(database, PageRequest("roomName", "asc", 2)) == ["B", "Z", "a", "b", "é"]


async def test_rows_that_come_and_go_disturb_nobody_else(database: Database) -> None:
    rooms = database.repositories().rooms
    for number in range(6):
        await rooms.add(room(f"room-{number}", creation_date=number))
    first = await rooms.page(RoomFilter(), PageRequest("creationDate", "desc", 2))
    await rooms.delete("room-4")
    await rooms.add(room("room-new", creation_date=100))
    rest = await rooms.page(RoomFilter(), PageRequest("creationDate", "desc", 10, first.next_token))
    assert [each.room_id for each in rest.items] == ["room-3", "room-2", "room-1", "room-0"]


async def test_scope_holds_on_later_pages(database: Database) -> None:
    for number in range(10):
        await database.repositories().rooms.add(room(f"room-{number}", owner="me" if number % 2 else "you"))
    wanted = RoomFilter(reach=Reach(owner="me"))
    request = PageRequest("creationDate", "asc", 2)
    assert await walk(database, request, wanted) == [f"room-{number}" for number in (1, 3, 5, 7, 9)]
    assert await walk(database, request, RoomFilter(reach=Reach())) == []


def token(document: Any) -> str:
    return base64.b64encode(orjson.dumps(document)).decode()


@pytest.mark.parametrize(
    "text",
    [
        "%%%",
        "bm90IGpzb24=",
        token([]),
        token({"id": "1"}),
        token({"fieldValue": 1, "id": "x"}),
        token({"fieldValue": "text", "id": "1"}),
        token({"fieldValue": True, "id": "1"}),
        token({"fieldValue": 1, "id": str(2**80)}),
        token({"fieldValue": {}, "id": "1"}),
    ],
)
async def test_tokens_that_are_not_ours(database: Database, text: str) -> None:
    with pytest.raises(ValidationFailed) as caught:
        await database.repositories().rooms.page(RoomFilter(), PageRequest("creationDate", token=text))
    assert caught.value.issues[0].field == "nextPageToken"


async def test_recordings_page_by_missing_duration(database: Database) -> None:
    await database.repositories().rooms.add(room())
    durations = [None, 2.5, None, 1.5]
    for number, duration in enumerate(durations):
        sample = recording(number, status="complete", duration=duration)
        assert await database.repositories().recordings.create(sample)
    found: list[float | None] = []
    next_token = None
    while True:
        page = await database.repositories().recordings.page(
            RecordingFilter(), PageRequest("duration", "desc", 1, next_token)
        )
        found += [each.duration for each in page.items]
        next_token = page.next_token
        if next_token is None:
            break
    assert found == [2.5, 1.5, None, None]


async def test_pages_walk_the_index(database: Database) -> None:
    rows = database.reader.exec_driver_sql(
        "EXPLAIN QUERY PLAN SELECT * FROM rooms ORDER BY creation_date DESC, seq DESC LIMIT 11"
    )
    plan = " ".join(row[-1] for row in rows)
    assert "ix_rooms_creation_date_seq" in plan
    assert "TEMP B-TREE" not in plan
