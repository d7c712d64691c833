"""What only an S3 store can get wrong: settings, aborted uploads, lost connections."""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
from io import RawIOBase
from pathlib import Path
from typing import Any, cast

import pytest

from storage import BlobNotFound, S3Config, StorageMisconfigured, StorageUnavailable
from storage.multipart import MultipartUpload, StoredPart
from storage.s3 import S3Store
from storage.slice import Slice
from tests.support.ports import free_port

from . import s3_origin
from .conftest import s3_config

MIB = 1024 * 1024


async def check(config: S3Config) -> None:
    store = S3Store(config)
    try:
        await store.check()
    finally:
        await store.close()


async def uploads(store: S3Store) -> list[Any]:
    client = await store._clients.control()
    answer = await client.list_multipart_uploads(Bucket="media")
    return list(answer.get("Uploads", []))


async def test_a_wrong_bucket_is_one_clear_sentence(moto: str) -> None:
    with pytest.raises(StorageMisconfigured) as caught:
        await check(s3_config(moto, "absent"))
    assert str(caught.value) == "The S3 bucket 'absent' does not exist (MEET_S3_BUCKET)."


async def test_refused_credentials_are_one_clear_sentence() -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        endpoint = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with pytest.raises(StorageMisconfigured) as caught:
            await check(S3Config("media", endpoint, "AKIAWRONG", "hunter2"))
    assert "refused access to bucket 'media'" in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert "AKIAWRONG" not in str(caught.value)


async def test_a_dead_endpoint_is_unavailable() -> None:
    with pytest.raises(StorageUnavailable, match="does not answer"):
        await check(s3_config(f"http://127.0.0.1:{free_port()}"))


@pytest.mark.parametrize("endpoint", ["not a url", "ftp://x"])
async def test_a_nonsense_endpoint_is_a_storage_error(endpoint: str) -> None:
    with pytest.raises((StorageMisconfigured, StorageUnavailable)):
        await check(s3_config(endpoint))


async def test_a_failed_upload_is_aborted_and_invisible(
    s3_store: S3Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "f"
    path.write_bytes(os.urandom(12 * MIB))
    put = MultipartUpload.put

    async def fail_third(self: MultipartUpload, number: int, data: RawIOBase, md5: bytes) -> StoredPart:
        if number == 3:
            raise ConnectionResetError
        return await put(self, number, data, md5)

    monkeypatch.setattr(MultipartUpload, "put", fail_third)
    with pytest.raises(StorageUnavailable):
        await s3_store.put_file("sub/failed.mp4", path, "video/mp4")
    assert await uploads(s3_store) == []
    with pytest.raises(BlobNotFound):
        await s3_store.head("sub/failed.mp4")


async def test_a_cancelled_upload_is_aborted(
    s3_store: S3Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "f"
    path.write_bytes(os.urandom(12 * MIB))
    reached = asyncio.Event()

    async def hang(self: MultipartUpload, number: int, data: RawIOBase, md5: bytes) -> StoredPart:
        reached.set()
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(MultipartUpload, "put", hang)
    task = asyncio.create_task(s3_store.put_file("sub/cancelled.mp4", path, "video/mp4"))
    await reached.wait()
    assert len(await uploads(s3_store)) == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await uploads(s3_store) == []


async def test_bytes_damaged_on_the_way_are_noticed(
    s3_store: S3Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "f"
    path.write_bytes(os.urandom(6 * MIB))
    real = MultipartUpload.put

    async def damage(self: MultipartUpload, number: int, data: RawIOBase, md5: bytes) -> StoredPart:
        zeros = bytes(len(cast(Slice, data)))
        stored = await real(self, number, cast(RawIOBase, io.BytesIO(zeros)), hashlib.md5(zeros).digest())
        return StoredPart(stored.number, f'"{md5.hex()}"', md5.hex())

    monkeypatch.setattr(MultipartUpload, "put", damage)
    with pytest.raises(StorageUnavailable, match="InvalidPart"):
        await s3_store.put_file("sub/damaged.mp4", path, "video/mp4")


async def test_a_connection_lost_half_way_is_resumed_with_the_same_etag() -> None:
    server, requests = await s3_origin.serve(cut_after=300_000)
    store = S3Store(s3_config(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"))
    try:
        async with store.open("x/1000000", 100) as chunks:
            data = b"".join([chunk async for chunk in chunks])
    finally:
        await store.close()
        server.close()
    assert data == s3_origin.pattern(100, 999_999)
    first, second = requests
    assert first == "GET bytes=100- -"
    offset = int(second.removeprefix("GET bytes=").partition("-")[0])
    assert 100 < offset <= 300_100
    assert second == f'GET bytes={offset}-999999 "fixed"'
