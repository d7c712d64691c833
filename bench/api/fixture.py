"""A database with any number of rooms, written straight into the file."""

from __future__ import annotations

import sqlite3
from itertools import islice
from pathlib import Path

from meet.core.clock import SystemClock
from meet.core.model.room import Room
from meet.core.model.user import ApiKey, GlobalConfig, User
from meet.core.room_documents import default_access, default_config, default_roles
from meet.db import Database
from meet.db.rooms import room_values

OWNER = "admin"
_BATCH = 5000


async def fill(path: Path, rooms: int, api_key: str) -> None:
    """Creates the database at `path`: our schema, an administrator, an API key and `rooms` rooms."""
    database = Database.open(path)
    await _accounts(database, api_key)
    database.close()
    with sqlite3.connect(path) as connection:
        source = (room_values(room(number)) for number in range(rooms))
        while batch := list(islice(source, _BATCH)):
            columns = ", ".join(batch[0])
            marks = ", ".join(f":{name}" for name in batch[0])
            connection.executemany(f"INSERT INTO rooms ({columns}) VALUES ({marks})", batch)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def room_id(number: int) -> str:
    """Spread over the index as random ids are."""
    return f"bench-{number * 0x9E3779B97F4A7C15 % (1 << 60):015x}"


def room(number: int) -> Room:
    return Room(
        room_id=room_id(number),
        room_name=f"Bench {number}",
        owner=OWNER,
        creation_date=1_700_000_000_000 + number,
        config=default_config(),
        roles=default_roles(),
        access=default_access(),
        status="open",
        roles_updated_at=1_700_000_000_000 + number,
        meeting_end_action="none",
    )


def drop_new(path: Path, rooms: int) -> None:
    """Deletes what a burst of POSTs added, so that the next one finds the size it is about."""
    with sqlite3.connect(path, timeout=30) as connection:
        connection.execute("DELETE FROM rooms WHERE seq > ?", (rooms,))
    connection.close()


async def _accounts(database: Database, api_key: str) -> None:
    now = SystemClock().now_ms()
    admin = User(
        user_id=OWNER, name="Admin", role="admin", registration_date=now, role_updated_at=now, password_hash="-"
    )
    config = GlobalConfig(project_id="openviduMeet-bench", webhooks={"enabled": False}, security={}, rooms={})
    await database.repositories().accounts.initialise(config, admin, ApiKey(api_key, now))
