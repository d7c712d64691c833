"""Recordings of a database whose files are in two stores; the configured one was changed after they were made."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from meet.core.model.recording import Recording
from meet.core.model.recording_facts import Integrity, RecordingFacts
from meet.core.ports import Repositories
from meet.db import Database
from meet.stores.moving import Mover
from storage import BlobNotFound, Stores
from storage.filesystem import FilesystemStore
from storage.keys import index_key
from storage.names import FILES
from tests.unit.db.samples import recording, room

HERE = "s3://new:9000/meetings"
GONE = "s3://old:9000/meetings"


@dataclass
class House:
    """stores: `current` is a folder that passes for a bucket; the former store is a folder, too."""

    data: Repositories
    stores: Stores
    former: FilesystemStore
    folder: Path
    made: int = 0

    @property
    def current(self) -> FilesystemStore:
        assert isinstance(self.stores.current, FilesystemStore)
        return self.stores.current

    def mover(self, *, reserve: int = 0) -> Mover:
        data = self.data
        scratch = self.folder / "moving"
        return Mover(
            self.stores, data.recordings, data.recording_places, scratch=scratch, prefix="meet", reserve=reserve
        )

    async def record(
        self, store: str | None = FILES, *, into: FilesystemStore | None = None, lost: bool = False, **changes: Any
    ) -> Recording:
        """A finished recording with file and index, by default in the former store."""
        self.made += 1
        content = b"recorded %d " % self.made * 1000
        made = recording(self.made, status="complete", size=len(content), store=store, **changes)
        assert await self.data.recordings.create(made)
        if not lost:
            await self.put(into or self.former, made.key, content)
            await self.put(into or self.former, index_key(made.key), b"index of it")
        return made

    async def put(self, store: FilesystemStore, key: str, content: bytes) -> None:
        file = self.folder / "file"
        file.write_bytes(content)
        await store.put_file(key, file, "video/mp4")

    async def measured(self, made: Recording, sha256: str) -> None:
        facts = Integrity(sha256=sha256, size=made.size or 0, duration_s=1.0)
        assert await self.data.recording_facts.keep(made.recording_id, RecordingFacts(final=True, integrity=facts))

    async def row(self, made: Recording) -> tuple[str | None, tuple[str, ...]] | None:
        """Store and copies as the database has them."""
        found = await self.data.recordings.get(made.recording_id)
        return (found.store, found.copies) if found is not None else None

    async def has(self, store: FilesystemStore, made: Recording) -> bool:
        """Whether the store has file and index; both or none."""
        present = []
        for key in (made.key, index_key(made.key)):
            try:
                await store.head(key)
                present.append(True)
            except BlobNotFound:
                present.append(False)
        assert len(set(present)) == 1
        return present[0]


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated file to copy."""
    path = tmp_path_factory.mktemp("template") / "meet.db"
    Database.open(path).close()
    return path


@pytest.fixture
async def house(tmp_path: Path, empty_database: Path) -> AsyncIterator[House]:
    shutil.copy(empty_database, tmp_path / "meet.db")
    database = Database(tmp_path / "meet.db")
    data = database.repositories()
    await data.rooms.add(room())
    stores = Stores(HERE, FilesystemStore(tmp_path / "here"), folder=tmp_path / "storage")
    former = stores.get(FILES)
    assert isinstance(former, FilesystemStore)
    yield House(data, stores, former, tmp_path)
    await stores.close()
    database.close()
