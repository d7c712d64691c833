"""What an operator got wrong, and answers that never came: told apart, and lost by nobody."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import RawIOBase
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from botocore.exceptions import ClientError, ReadTimeoutError

from storage import StorageError, StorageMisconfigured, StorageUnavailable, multipart
from storage.multipart import MultipartUpload, StoredPart
from storage.s3 import S3Store

from .conftest import s3_config

MIB = 1024 * 1024
KEY = "r/a.mp4"
DENIED = "<?xml version='1.0'?><Error><Code>AccessDenied</Code><Message>arn:aws:iam::1:user/x</Message></Error>"
NOT_DELETED = "".join(
    ["<?xml version='1.0'?><DeleteResult>"]
    + [
        f"<Error><Key>{key}</Key><Code>{code}</Code><Message>arn:aws:iam::1:user/x</Message></Error>"
        for key, code in (("r/a.mp4", "AccessDenied"), ("r/b.mp4", "AccessDenied"), ("r/c.mp4", "NoSuchKey"))
    ]
    + ["</DeleteResult>"]
)


@asynccontextmanager
async def reading_only() -> AsyncIterator[S3Store]:
    """A store over a bucket that may be listed and read, and nothing else."""

    async def answer(request: web.Request) -> web.Response:
        if request.method in ("GET", "HEAD"):
            return web.Response()
        deleting = "delete" in request.query
        text = NOT_DELETED if deleting else DENIED
        return web.Response(status=200 if deleting else 403, text=text, content_type="application/xml")

    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    store = S3Store(s3_config(f"http://127.0.0.1:{runner.addresses[0][1]}"))
    try:
        yield store
    finally:
        await store.close()
        await runner.cleanup()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "f.mp4"
    made.write_bytes(os.urandom(12 * MIB))
    return made


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    numbers: list[int] = []
    real = MultipartUpload.put

    async def put(self: MultipartUpload, number: int, body: RawIOBase, md5: bytes) -> StoredPart:
        numbers.append(number)
        return await real(self, number, body, md5)

    monkeypatch.setattr(MultipartUpload, "put", put)
    return numbers


async def uploads(store: S3Store) -> list[Any]:
    answer = await (await store._clients.control()).list_multipart_uploads(Bucket="media")
    return [each for each in answer.get("Uploads", []) if each["Key"].startswith(("r/", "refusals/"))]


async def test_a_bucket_that_takes_nothing_is_found_out_by_who_asks_for_it(path: Path) -> None:
    async with reading_only() as store:
        await store.check()
        behind = store.behind(KEY, path, "video/mp4", progress=path.with_suffix(".upload"))
        assert behind is not None
        for refused, operation in (
            (store.check(writing=True), "CreateMultipartUpload"),
            (behind.ask(), "CreateMultipartUpload"),
            (store.delete([KEY]), "DeleteObject"),
            (store.delete([KEY, "r/b.mp4", KEY]), "DeleteObject"),
        ):
            with pytest.raises(StorageMisconfigured) as caught:
                await refused
            assert str(caught.value) == (
                "The object store refused access to bucket 'media' with these S3 credentials (MEET_S3_*):"
                f" {operation} is not allowed."
            )
        assert await store.delete([KEY, "r/b.mp4", "r/c.mp4", "r/d.mp4"]) == {KEY, "r/b.mp4"}


async def test_a_missing_bucket_is_not_a_missing_file(moto: str) -> None:
    store = S3Store(s3_config(moto, "absent"))
    try:
        with pytest.raises(StorageMisconfigured, match="'absent' does not exist"):
            await store.head(KEY)
    finally:
        await store.close()


async def test_asking_leaves_nothing_behind(s3_store: S3Store, path: Path) -> None:
    await s3_store.check(writing=True)
    note = path.with_suffix(".upload")
    path.write_bytes(b"small")
    behind = s3_store.behind(KEY, path, "video/mp4", progress=note)
    assert behind is not None
    await behind.ask()
    assert len(await uploads(s3_store)) == 1
    await behind.ask()
    await s3_store.put_file(KEY, path, "video/mp4", progress=note)
    assert await uploads(s3_store) == []
    assert not note.exists()


async def test_what_was_asked_for_is_gone_on_with(s3_store: S3Store, path: Path, sent: list[int]) -> None:
    note = path.with_suffix(".upload")
    behind = s3_store.behind(KEY, path, "video/mp4", progress=note)
    assert behind is not None
    await behind.ask()
    [begun] = await uploads(s3_store)
    assert await behind.advance(12 * MIB) == 5 * MIB
    assert [each["UploadId"] for each in await uploads(s3_store)] == [begun["UploadId"]]
    await s3_store.put_file(KEY, path, "video/mp4", progress=note)
    assert sorted(sent) == [1, 2, 3]
    assert await uploads(s3_store) == []


async def test_an_upload_is_asked_for(s3_store: S3Store, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    behind = s3_store.behind(KEY, path, "video/mp4", progress=path.with_suffix(".upload"))
    assert behind is not None
    await behind.ask()
    [begun] = await uploads(s3_store)

    def refusing(code: str) -> Any:
        async def ask(_: MultipartUpload) -> None:
            raise ClientError({"Error": {"Code": code}}, "ListParts")

        return ask

    with monkeypatch.context() as patch:
        patch.setattr(MultipartUpload, "ask", refusing("AccessDenied"))
        await behind.ask()
        patch.setattr(MultipartUpload, "ask", refusing("NotImplemented"))
        await behind.ask()
        patch.setattr(MultipartUpload, "ask", refusing("SlowDown"))
        for _ in range(5):
            with pytest.raises(StorageUnavailable):
                await behind.ask()
        patch.setattr(MultipartUpload, "ask", refusing("InvalidAccessKeyId"))
        with pytest.raises(StorageMisconfigured, match="S3 credentials"):
            await behind.ask()
        patch.setattr(MultipartUpload, "ask", refusing("NoSuchUpload"))
        with pytest.raises(StorageUnavailable, match="NoSuchUpload"):
            await behind.ask()
    assert await uploads(s3_store) == [], "only what is forgotten begins anew"
    await behind.ask()
    [again] = await uploads(s3_store)
    assert again["UploadId"] != begun["UploadId"]
    await behind.abandon()


async def test_a_completion_whose_answer_was_lost_is_not_sent_again(
    s3_store: S3Store, path: Path, sent: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    note = path.with_suffix(".upload")
    real = MultipartUpload.complete

    async def lost(self: MultipartUpload, parts: Any) -> str:
        await real(self, parts)
        raise ReadTimeoutError(endpoint_url="http://h")

    with monkeypatch.context() as patch:
        patch.setattr(MultipartUpload, "complete", lost)
        with pytest.raises(StorageUnavailable):
            await s3_store.put_file("refusals/lost.mp4", path, "video/mp4", progress=note)
    assert note.exists()
    info = await s3_store.put_file("refusals/lost.mp4", path, "video/mp4", progress=note)
    assert info.size == path.stat().st_size
    assert sorted(sent) == [1, 2, 3]
    assert not note.exists()


async def test_a_store_with_etags_of_its_own_is_read_back(
    s3_store: S3Store, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(multipart, "expected_etag", lambda _parts: '"0123456789abcdef0123456789abcdef-3"')
    assert (await s3_store.put_file("refusals/own.mp4", path, "video/mp4")).size == 12 * MIB
    real = MultipartUpload.put

    async def other(self: MultipartUpload, number: int, body: RawIOBase, md5: bytes) -> StoredPart:
        stored = await real(self, number, body, md5)
        return StoredPart(number, stored.etag, "0" * 32) if number == 2 else stored

    monkeypatch.setattr(MultipartUpload, "put", other)
    with pytest.raises(StorageError, match="holds other bytes"):
        await s3_store.put_file("refusals/own.mp4", path, "video/mp4")
