"""Transactions that are committed together stay transactions of their own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from meet.db import Database
from tests.unit.db.samples import room


def add(connection: Connection, room_id: str) -> None:
    connection.execute(
        text("INSERT INTO recording_tombstones (object_key, deleted_at) VALUES (:key, 1)"), {"key": room_id}
    )


def keys(database: Database) -> set[str]:
    return set(database.reader.execute(text("SELECT object_key FROM recording_tombstones")).scalars())


async def together(database: Database, *works: Callable[[Connection], Any]) -> list[Any]:
    """All of `works` in one batch: the writer is held up until they are queued."""
    begun, gate = threading.Event(), threading.Event()

    def hold(_: Connection) -> bool:
        begun.set()
        return gate.wait(10)

    held = asyncio.create_task(database.write(hold))
    assert await asyncio.to_thread(begun.wait, 10)
    waiting: list[asyncio.Task[Any]] = [asyncio.create_task(database.write(work)) for work in works]
    await asyncio.sleep(0)
    gate.set()
    await held
    answers: list[Any] = await asyncio.gather(*waiting, return_exceptions=True)
    return answers


async def test_one_failure_undoes_nothing_else(database: Database) -> None:
    def fails(connection: Connection) -> None:
        add(connection, "undone")
        raise RuntimeError("no")

    answers = await together(
        database,
        lambda connection: add(connection, "first"),
        fails,
        lambda connection: add(connection, "first"),
        lambda connection: add(connection, "last"),
    )
    assert answers[0] is None
    assert isinstance(answers[1], RuntimeError)
    assert isinstance(answers[2], IntegrityError)
    assert answers[3] is None
    assert keys(database) == {"first", "last"}


async def test_later_work_of_a_batch_sees_the_earlier(database: Database) -> None:
    def look(connection: Connection) -> int | None:
        found: int | None = connection.execute(text("SELECT count(*) FROM recording_tombstones")).scalar()
        return found

    answers = await together(database, lambda connection: add(connection, "a"), look)
    assert answers[1] == 1


async def test_when_the_transaction_is_lost_nobody_is_told_otherwise(database: Database) -> None:
    def lose(connection: Connection) -> None:
        connection.exec_driver_sql("ROLLBACK")  # what SQLite does by itself when the disk is full
        raise RuntimeError("gone")

    answers = await together(database, lambda connection: add(connection, "a"), lose)
    assert [type(answer) for answer in answers] == [RuntimeError, RuntimeError]
    assert keys(database) == set()
    await database.repositories().rooms.add(room())
    assert await database.repositories().rooms.get("room-1") is not None


async def test_nothing_is_written_after_closing(database: Database) -> None:
    database.close()
    with pytest.raises(RuntimeError, match="closed"):
        await database.write(lambda connection: add(connection, "late"))


async def test_credentials_are_remembered_across_other_writes(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("meet.db.engine._OTHERS_S", 3600)
    loads: list[int] = []

    def load() -> str:
        loads.append(1)
        return "kept"

    database.cached("key", load)
    await database.repositories().rooms.add(room())
    database.cached("key", load)
    assert len(loads) == 1
    await database.write(lambda connection: add(connection, "x"))
    database.cached("key", load)
    assert len(loads) == 2


async def test_settled_waits_for_what_was_asked_for(database: Database) -> None:
    writing = asyncio.create_task(database.write(lambda connection: add(connection, "asked for")))
    await asyncio.sleep(0)
    await database.settled()
    assert keys(database) == {"asked for"}
    await writing


async def test_nothing_to_wait_for_is_no_transaction(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    cancelled = asyncio.create_task(database.write(lambda connection: add(connection, "a")))
    await asyncio.sleep(0)
    cancelled.cancel()
    with pytest.raises(IntegrityError):
        await database.write(lambda connection: add(connection, "a"))
    monkeypatch.setattr(database._writer, "run", None)
    await database.settled()
