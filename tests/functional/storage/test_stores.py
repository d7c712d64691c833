"""What both stores promise, on a real directory and a real S3 API (moto)."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from storage import BlobChanged, BlobInfo, BlobNotFound, BlobStore, RangeOutside

KEY = "sub/recordings/room-1/room-1--ü 1.mp4"


def make(folder: Path, size: int) -> tuple[Path, bytes]:
    data = os.urandom(size)
    path = folder / "source.bin"
    path.write_bytes(data)
    return path, data


async def read(
    store: BlobStore, key: str, start: int = 0, end: int | None = None, if_match: str | None = None
) -> bytes:
    async with store.open(key, start, end, if_match=if_match) as chunks:
        return b"".join([chunk async for chunk in chunks])


@pytest.mark.parametrize("size", [0, 1, 300_000, 5 * 1024 * 1024, 5 * 1024 * 1024 + 1, 12_000_000])
async def test_a_stored_file_reads_back(store: BlobStore, tmp_path: Path, size: int) -> None:
    path, data = make(tmp_path, size)
    await store.check()
    info = await store.put_file(KEY, path, "video/mp4")
    assert path.exists()
    assert (info.key, info.size, info.content_type) == (KEY, size, "video/mp4")
    assert info.etag.startswith('"')
    assert info.etag.endswith('"')
    assert abs(datetime.now(UTC) - info.last_modified) < timedelta(minutes=5)
    assert info.last_modified.utcoffset() == timedelta(0)
    assert await store.head(KEY) == info
    assert await read(store, KEY, if_match=info.etag) == data


async def test_ranges_are_slices(store: BlobStore, tmp_path: Path) -> None:
    path, data = make(tmp_path, 200_000)
    await store.put_file(KEY, path, "video/mp4")
    for start, end in [(0, 0), (0, 99), (1, 1), (70_000, 140_000), (199_999, 199_999), (199_999, None), (5, None)]:
        assert await read(store, KEY, start, end) == data[start : None if end is None else end + 1]
    assert await read(store, KEY, 199_000, 10**9) == data[199_000:]
    with pytest.raises(RangeOutside):
        await read(store, KEY, 200_000)


async def test_a_replaced_blob_is_noticed(store: BlobStore, tmp_path: Path) -> None:
    first = await store.put_file(KEY, make(tmp_path, 10)[0], "video/mp4")
    path, data = make(tmp_path, 10)
    second = await store.put_file(KEY, path, "video/mp4")
    assert first.etag != second.etag
    with pytest.raises(BlobChanged):
        await read(store, KEY, if_match=first.etag)
    assert await read(store, KEY, if_match=second.etag) == data


async def test_missing_blobs(store: BlobStore) -> None:
    with pytest.raises(BlobNotFound):
        await store.head("sub/none.mp4")
    with pytest.raises(BlobNotFound):
        await read(store, "sub/none.mp4", if_match='"x"')
    await store.delete(["sub/none.mp4"])
    await store.delete([])


async def test_delete_many(store: BlobStore, tmp_path: Path) -> None:
    path, _ = make(tmp_path, 10)
    infos: list[BlobInfo] = [await store.put_file(f"sub/r/{n}.mp4", path, "video/mp4") for n in range(4)]
    await store.delete(["sub/r/0.mp4"])
    await store.delete([info.key for info in infos[:3]] + ["sub/r/never.mp4"])
    for info in infos[:3]:
        with pytest.raises(BlobNotFound):
            await store.head(info.key)
    assert (await store.head("sub/r/3.mp4")).size == 10
