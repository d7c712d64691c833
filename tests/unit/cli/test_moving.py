"""`meet recordings move` on a data directory without a server; the bucket that it moves to is a folder."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from click.testing import CliRunner, Result

import storage.config
from meet.cli import main
from meet.core.errors import DatabaseUnavailable
from meet.db import Database
from meet.db.recording_places import SqlRecordingPlaces
from meet.supervisor import address
from meet.supervisor.address import Address
from storage import BlobStore, StorageSettings
from storage.filesystem import FilesystemStore
from tests.unit.db.samples import recording, room

HERE = "s3://new:9000/meetings"


@pytest.fixture(autouse=True)
def _warnings_alone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What the command sets for its process is kept from the tests that come after it in this one."""
    quiet = structlog.make_filtering_bound_logger("warning")
    monkeypatch.setattr("meet.logging.configure", lambda *_, **__: structlog.configure(wrapper_class=quiet))
    yield
    structlog.reset_defaults()


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two recordings in files and one in a bucket that nobody knows; S3 is configured."""
    for name, value in (("BLOB_STORAGE_MODE", "s3"), ("S3_SERVICE_ENDPOINT", "http://new:9000")):
        monkeypatch.setenv(f"MEET_{name}", value)
    monkeypatch.setenv("MEET_S3_BUCKET", "meetings")
    data_dir = tmp_path / "data"
    asyncio.run(_record(data_dir))

    def create(settings: StorageSettings) -> BlobStore:
        return FilesystemStore(tmp_path / "bucket")

    monkeypatch.setattr(storage.config, "create", create)
    return data_dir


async def _record(data_dir: Path) -> None:
    database, store = Database.open(data_dir / "meet.db"), FilesystemStore(data_dir / "storage")
    data, file = database.repositories(), data_dir / "file"
    file.write_bytes(b"recorded")
    await data.rooms.add(room())
    for number, place in enumerate(("fs", "fs", "s3://gone/b")):
        made = recording(number, status="complete", size=8, store=place)
        await data.recordings.create(made)
        if place == "fs":
            await store.put_file(made.key, file, "video/mp4")
    database.close()


def move(data_dir: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["recordings", "move", "--data-dir", str(data_dir), *arguments])


def test_looking_moving_and_removing(data_dir: Path) -> None:
    looked = json.loads(move(data_dir, "--dry-run", "--json").stdout)
    assert looked == {
        "to": HERE,
        "from": [
            {"store": "fs", "recordings": 2, "size": 16, "configured": True},
            {"store": "s3://gone/b", "recordings": 1, "size": 8, "configured": False},
        ],
    }
    assert "s3://gone/b" in move(data_dir, "--dry-run").stdout
    moved = move(data_dir)
    assert moved.exit_code == 1 and moved.stdout == "2 moved\n"
    assert "MEET_S3_FORMER_STORES" in moved.stderr
    removed = move(data_dir, "--from", "fs", "--remove", "--json")
    assert removed.exit_code == 0
    assert json.loads(removed.stdout) == {"to": HERE, "copiesRemoved": 2, "failed": []}
    assert not list((data_dir / "storage").rglob("*.mp4"))
    assert len(list((data_dir.parent / "bucket").rglob("*.mp4"))) == 2
    asked = move(data_dir, "--forget", "s3://gone/b")
    assert asked.exit_code == 2 and "--yes" in asked.stderr
    assert move(data_dir, "--forget", "s3://gone/b", "--yes").stdout == "1 given up\n"
    assert "nothing was to be done" in move(data_dir).stderr


def test_old_copies_in_a_store_that_is_gone(data_dir: Path) -> None:
    assert move(data_dir, "--from", "fs").stdout == "2 moved\n"
    assert "nothing was to be done" in move(data_dir, "--forget", "fs", "--yes").stderr, "they are still there"
    shutil.rmtree(data_dir / "storage")
    assert move(data_dir, "--forget", "fs", "--yes").stdout == "2 old copies given up\n"
    assert "nothing was to be done" in move(data_dir, "--from", "fs", "--remove").stderr


def test_a_database_that_takes_nothing_is_the_end(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(*_given: object, **_more: object) -> bool:
        raise DatabaseUnavailable("its disk is full")

    monkeypatch.setattr(SqlRecordingPlaces, "move", full)
    stopped = move(data_dir, "--from", "fs")
    assert stopped.exit_code == 1 and "its disk is full" in stopped.stderr
    assert isinstance(stopped.exception, SystemExit)


def test_another_store_than_the_servers_is_refused(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    running = Address(1, "http://127.0.0.1:1/meet", "127.0.0.1", 1, None, None, None, None, store="fs")
    monkeypatch.setattr(address, "read", lambda _data_dir: running)
    refused = move(data_dir)
    assert refused.exit_code == 1
    assert "the server stores recordings in fs" in refused.stderr
    assert HERE in refused.stderr


def test_what_cannot_be_moved_at_all(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "there is no server" in move(data_dir / "other").stderr
    assert move(data_dir, "--forget", "x", "--remove").exit_code == 2
    (data_dir / "meet.db").write_bytes(b"")
    assert "start the server with this version" in move(data_dir).stderr
    monkeypatch.setenv("MEET_S3_FORMER_STORES", "{")
    assert "MEET_S3_FORMER_STORES" in move(data_dir).stderr
