"""Opening, pragmas, transactions, survival."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from meet.core.model.room import Room
from meet.db import Database
from tests.unit.db.samples import room


def test_pragmas(database: Database) -> None:
    def pragma(name: str) -> object:
        return database.reader.exec_driver_sql(f"PRAGMA {name}").scalar()

    assert pragma("journal_mode") == "wal"
    assert pragma("synchronous") == 2  # FULL
    assert pragma("foreign_keys") == 1
    assert pragma("busy_timeout") == 5000


async def test_failed_work_is_rolled_back(database: Database) -> None:
    rooms = database.repositories().rooms

    def change(stored: Room) -> Room:
        raise RuntimeError("no")

    await rooms.add(room())
    with pytest.raises(RuntimeError, match="no"):
        await rooms.modify("room-1", change)
    with pytest.raises(IntegrityError) as caught:
        await rooms.add(room(owner="not for the log"))
    assert "not for the log" not in str(caught.value)
    assert await rooms.get("room-1") is not None


async def test_reader_sees_commits_of_another_connection(database: Database, path: Path) -> None:
    rooms = database.repositories().rooms
    assert await rooms.get("room-1") is None
    other = Database.open(path)
    await other.repositories().rooms.add(room())
    assert await rooms.get("room-1") is not None
    other.close()


async def test_reads_from_several_threads(database: Database) -> None:
    await database.repositories().rooms.add(room())

    def read() -> Room | None:
        return asyncio.run(database.repositories().rooms.get("room-1"))

    found = await asyncio.gather(*(asyncio.to_thread(read) for _ in range(20)))
    assert all(each is not None for each in found)


async def test_cancelled_writer_still_commits(database: Database) -> None:
    rooms = database.repositories().rooms
    writing = asyncio.create_task(rooms.add(room()))
    await asyncio.sleep(0)
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)
    await rooms.add(room("room-2"))  # behind the first one on the writer's queue
    assert await rooms.get("room-2") is not None


def test_what_was_answered_survives_sigkill(path: Path) -> None:
    script = (
        "import asyncio, os, signal, sys; from pathlib import Path; from meet.db import Database\n"
        "from tests.unit.db.samples import room\n"
        "database = Database.open(Path(sys.argv[1]))\n"
        "asyncio.run(database.repositories().rooms.add(room()))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    root = Path(__file__).parents[3]
    done = subprocess.run([sys.executable, "-c", script, str(path)], cwd=root, timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL
    reopened = Database.open(path)
    assert asyncio.run(reopened.repositories().rooms.get("room-1")) is not None
    reopened.close()
