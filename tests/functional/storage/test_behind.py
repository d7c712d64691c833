"""Uploads behind a file that still grows, against a real S3 server."""

from __future__ import annotations

import os
import tracemalloc
from io import RawIOBase
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from storage import Behind, StorageUnavailable
from storage.multipart import MultipartUpload, StoredPart
from storage.s3 import S3Store

from .conftest import s3_config

MIB = 1024 * 1024
KEY = "r/growing.mp4"


class File:
    """18 MiB written by somebody who at last comes back to the first bytes, and three more MiB."""

    def __init__(self, folder: Path) -> None:
        self.path, self.note = folder / "f.mp4", folder / "f.upload"
        self.path.write_bytes(os.urandom(18 * MIB))

    def behind(self, store: S3Store) -> Behind:
        made = store.behind(KEY, self.path, "video/mp4", progress=self.note)
        assert made is not None
        return made

    def complete(self) -> None:
        with self.path.open("r+b") as file:
            file.write(b"complete")
            file.seek(0, os.SEEK_END)
            file.write(os.urandom(3 * MIB))

    async def put(self, store: S3Store) -> None:
        await store.put_file(KEY, self.path, "video/mp4", progress=self.note)


@pytest.fixture
def file(tmp_path: Path) -> File:
    return File(tmp_path)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Numbers of the parts sent, in their order."""
    numbers: list[int] = []
    real = MultipartUpload.put

    async def put(self: MultipartUpload, number: int, body: RawIOBase, md5: bytes) -> StoredPart:
        numbers.append(number)
        return await real(self, number, body, md5)

    monkeypatch.setattr(MultipartUpload, "put", put)
    return numbers


async def uploads(store: S3Store) -> list[Any]:
    answer = await (await store._clients.control()).list_multipart_uploads(Bucket="media")
    return list(answer.get("Uploads", []))


async def stored(store: S3Store) -> bytes:
    async with store.open(KEY) as chunks:
        return b"".join([chunk async for chunk in chunks])


async def test_only_the_first_part_and_the_rest_are_sent_at_the_end(
    s3_store: S3Store, file: File, sent: list[int]
) -> None:
    behind = file.behind(s3_store)
    assert await behind.advance(10 * MIB - 1) == 0  # parts of 5 MiB; the second is not there yet
    assert await behind.advance(10 * MIB) == 5 * MIB
    assert await behind.advance(18 * MIB) == 5 * MIB
    assert await behind.advance(18 * MIB) == 0
    assert sent == [2, 3]
    file.complete()
    await file.put(s3_store)
    assert sorted(sent[2:]) == [1, 4, 5]
    assert await stored(s3_store) == file.path.read_bytes()
    assert not file.note.exists()
    assert await uploads(s3_store) == []


async def test_another_process_goes_on_after_comparing(
    s3_store: S3Store, file: File, sent: list[int], moto: str
) -> None:
    behind = file.behind(s3_store)
    while await behind.advance(18 * MIB):
        pass
    file.complete()
    with file.path.open("r+b") as damaged:
        damaged.seek(7 * MIB)
        damaged.write(b"other")
    other = S3Store(s3_config(moto), part_size=5 * MIB)
    try:
        await file.put(other)
    finally:
        await other.close()
    assert sorted(sent[2:]) == [1, 2, 4, 5]  # the second one was of other content
    assert await stored(s3_store) == file.path.read_bytes()
    assert await uploads(s3_store) == []


async def test_an_upload_of_another_file_is_not_gone_on_with(
    s3_store: S3Store, file: File, sent: list[int], moto: str
) -> None:
    await file.behind(s3_store).advance(18 * MIB)
    [first] = await uploads(s3_store)
    file.path.write_bytes(os.urandom(12 * MIB))
    other = S3Store(s3_config(moto), part_size=5 * MIB)
    try:
        await file.put(other)
    finally:
        await other.close()
    assert sorted(sent[1:]) == [1, 2, 3]
    assert await stored(s3_store) == file.path.read_bytes()
    assert first["UploadId"] not in [upload["UploadId"] for upload in await uploads(s3_store)]


async def test_an_abandoned_upload_leaves_nothing(s3_store: S3Store, file: File, sent: list[int]) -> None:
    behind = file.behind(s3_store)
    await behind.advance(18 * MIB)
    assert len(await uploads(s3_store)) == 1
    await behind.abandon()
    assert await uploads(s3_store) == []
    assert not file.note.exists()
    file.path.write_bytes(os.urandom(11 * MIB))
    await file.put(s3_store)
    assert sorted(sent[1:]) == [1, 2, 3]
    assert await stored(s3_store) == file.path.read_bytes()


async def test_what_an_earlier_process_sent_is_dropped_when_a_file_is_begun(s3_store: S3Store, file: File) -> None:
    await file.behind(s3_store).advance(18 * MIB)
    [first] = await uploads(s3_store)
    again = file.behind(s3_store)
    await again.advance(18 * MIB)
    [second] = await uploads(s3_store)
    assert first["UploadId"] != second["UploadId"]
    await again.abandon()


async def test_a_large_part_is_not_held_in_memory(moto: str, tmp_path: Path) -> None:
    path = tmp_path / "large.mp4"
    path.write_bytes(bytes(48 * MIB))
    store = S3Store(s3_config(moto), part_size=40 * MIB)
    await store.check()  # what botocore loads is not meant
    tracemalloc.start()
    try:
        await store.put_file("r/large.mp4", path, "video/mp4")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        await store.close()
    assert peak < 10 * MIB


async def test_an_upload_the_store_has_forgotten_is_begun_anew(
    s3_store: S3Store, file: File, sent: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    behind = file.behind(s3_store)
    await behind.advance(18 * MIB)

    async def forgotten(*_: object) -> StoredPart:  # moto answers 500 here
        raise ClientError(
            {"Error": {"Code": "NoSuchUpload"}, "ResponseMetadata": {"HTTPStatusCode": 404}}, "UploadPart"
        )

    with monkeypatch.context() as patch:
        patch.setattr(MultipartUpload, "put", forgotten)
        with pytest.raises(StorageUnavailable, match="forgotten the upload"):
            await behind.advance(18 * MIB)
    assert await behind.advance(18 * MIB) == 5 * MIB
    assert sent == [2, 2]
    file.complete()
    await file.put(s3_store)
    assert await stored(s3_store) == file.path.read_bytes()


async def test_a_file_that_was_begun_in_another_bucket_is_whole_in_the_new_one(file: File, moto: str) -> None:
    """The settings were changed while it was recorded: what the old bucket has got is worth nothing in the new one."""
    old, new = S3Store(s3_config(moto)), S3Store(s3_config(moto, "renewed"))
    behind = file.behind(old)
    while await behind.advance(18 * MIB):
        pass
    await old.close()
    await (await new._clients.control()).create_bucket(Bucket="renewed")
    file.complete()
    await file.put(new)
    assert (await new.head(KEY)).size == 21 * MIB
    assert not file.note.exists()
    await new.close()
