"""A disk that takes nothing: the domain's error, and everything as before once it takes something again."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError, OperationalError

from meet.core.errors import DatabaseUnavailable
from meet.db import Database


def add(connection: Connection, key: str) -> None:
    statement = text("INSERT INTO recording_tombstones (object_key, deleted_at) VALUES (:key, 1)")
    connection.execute(statement, {"key": key})


def limit(connection: Connection, pages: int) -> None:
    """SQLite's own way of having a full disk."""
    connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")


async def test_a_full_disk(database: Database) -> None:
    await database.write(lambda connection: limit(connection, 1))  # what there is stays
    with pytest.raises(DatabaseUnavailable, match="its disk is full"):
        await database.write(lambda connection: add(connection, "x" * 500_000))
    await database.write(lambda connection: limit(connection, 1_000_000))
    await database.write(lambda connection: add(connection, "small"))
    assert database.reader.execute(text("SELECT object_key FROM recording_tombstones")).scalars().all() == ["small"]


async def test_a_disk_that_may_only_be_read(database: Database) -> None:
    await database.write(lambda connection: connection.exec_driver_sql("PRAGMA query_only=1"))
    with pytest.raises(DatabaseUnavailable, match="may only be read"):
        await database.write(lambda connection: add(connection, "x"), credentials=False)


async def test_another_program_that_writes(database: Database, path: Path) -> None:
    await database.write(lambda connection: None)  # the writer's connection is there

    def impatient(connection: Connection) -> None:
        connection.exec_driver_sql("PRAGMA busy_timeout=1")

    await database.write(impatient)
    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseUnavailable, match="another program"):
            await database.write(lambda connection: add(connection, "x"))
    await database.write(lambda connection: add(connection, "x"))


async def test_other_errors_stay_what_they_are(database: Database) -> None:
    await database.write(lambda connection: add(connection, "x"))
    with pytest.raises(IntegrityError):
        await database.write(lambda connection: add(connection, "x"))
    with pytest.raises(OperationalError):
        await database.write(lambda connection: connection.exec_driver_sql("SELECT nothing"))
