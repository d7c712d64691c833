from __future__ import annotations

from pathlib import Path

import pytest

from meet.fragments.index import FragmentIndex
from meet.recorder import finish
from meet.recorder.upload.indexes import WithIndexes
from storage import BlobNotFound
from storage.filesystem import FilesystemStore
from storage.keys import index_key
from tests.unit.fragments.movie import make

KEY = "meet/recordings/daily/daily--1.mp4"


async def store(files: FilesystemStore, path: Path) -> None:
    def trouble(text: str) -> None:
        raise AssertionError(text)

    await finish.store(files, KEY, path, path.stat().st_size, "video/mp4", trouble)


async def test_an_index_is_stored_and_deleted_with_its_recording(tmp_path: Path) -> None:
    files = FilesystemStore(tmp_path / "store")
    path = make(tmp_path / "composite.mp4", 3)
    await store(files, path)
    assert index_key(KEY) == f"{KEY}.index"
    async with files.open(index_key(KEY)) as chunks:
        index = FragmentIndex.from_bytes(b"".join([chunk async for chunk in chunks]))
    assert index == FragmentIndex.of(path)
    await WithIndexes(files).delete([KEY])
    for key in (KEY, index_key(KEY)):
        with pytest.raises(BlobNotFound):
            await files.head(key)
    assert not (tmp_path / "store" / "meet").exists()


async def test_a_recording_without_fragments_is_stored_alone(tmp_path: Path) -> None:
    files = FilesystemStore(tmp_path / "store")
    await store(files, make(tmp_path / "composite.mp4", 1, codec="libvpx"))
    assert (await files.head(KEY)).size
    with pytest.raises(BlobNotFound):
        await files.head(index_key(KEY))
    await WithIndexes(files).delete([KEY, "x" * 255])  # too long to have had one
    with pytest.raises(BlobNotFound):
        await files.head(KEY)
