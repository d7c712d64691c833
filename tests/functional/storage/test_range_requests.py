"""Range requests over a real socket, from both stores, byte for byte."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from storage import BlobStore
from storage.filesystem import FilesystemStore
from storage.s3 import S3Store

from .conftest import BUCKET, s3_config
from .support import media_server

DATA = os.urandom(700_001)
SIZE = len(DATA)


@dataclass
class Served:
    """A running media server and the URL of the test file."""

    client: httpx.Client
    url: str


async def fill(store: BlobStore, folder: Path) -> None:
    for name, data in (("a.mp4", DATA), ("empty.mp4", b"")):
        (folder / name).write_bytes(data)
        await store.put_file(f"r/{name}", folder / name, "video/mp4")
    await store.close()


@pytest.fixture(params=["fs", "s3"])
async def arguments(request: pytest.FixtureRequest, tmp_path: Path) -> list[str]:
    if request.param == "fs":
        await fill(FilesystemStore(tmp_path / "store"), tmp_path)
        return ["fs", str(tmp_path / "store")]
    endpoint = request.getfixturevalue("moto")
    await fill(S3Store(s3_config(endpoint)), tmp_path)
    return ["s3", endpoint, BUCKET]


@pytest.fixture
def served(arguments: list[str]) -> Iterator[Served]:
    with media_server(*arguments) as (_, url), httpx.Client(timeout=20) as client:
        yield Served(client, f"{url}/media/r/a.mp4")


PARTS = [
    ("bytes=0-0", 0, 0),
    ("bytes=0-65535", 0, 65535),
    ("bytes=1-700000", 1, SIZE - 1),
    ("bytes=69631-69633", 69631, 69633),
    ("bytes=500000-", 500_000, SIZE - 1),
    ("bytes=700000-", SIZE - 1, SIZE - 1),
    ("bytes=0-99999999", 0, SIZE - 1),
    ("bytes=-1", SIZE - 1, SIZE - 1),
    ("bytes=-300000", SIZE - 300_000, SIZE - 1),
    ("bytes=-99999999", 0, SIZE - 1),
]
WHOLE = [None, "bytes=0-1,5-6", "bytes=5-2", "items=0-5", "bytes=x-y", "bytes=-"]
OUTSIDE = ["bytes=700001-", "bytes=9999999-99999999", "bytes=-0"]


def test_the_table_of_ranges(served: Served) -> None:
    for value, start, end in PARTS:
        answer = served.client.get(served.url, headers={"Range": value})
        assert answer.status_code == 206, value
        assert answer.content == DATA[start : end + 1], value
        assert answer.headers["content-range"] == f"bytes {start}-{end}/{SIZE}"
        assert answer.headers["content-length"] == str(end - start + 1)
    for whole in WHOLE:
        answer = served.client.get(served.url, headers={"Range": whole} if whole else {})
        assert answer.status_code == 200, whole
        assert answer.content == DATA
        assert "content-range" not in answer.headers
        assert answer.headers["content-length"] == str(SIZE)
        assert answer.headers["accept-ranges"] == "bytes"
    for value in OUTSIDE:
        answer = served.client.get(served.url, headers={"Range": value})
        assert answer.status_code == 416, value
        assert answer.headers["content-range"] == f"bytes */{SIZE}"
        assert answer.json() == {"error": "Recording Error", "message": f"Size: {SIZE}"}


def test_validators_and_if_range(served: Served) -> None:
    head = served.client.head(served.url, headers={"Range": "bytes=0-5"})
    get = served.client.get(served.url)
    assert head.status_code == 200
    assert head.content == b""
    volatile = {"date", "server"}
    assert {k: v for k, v in head.headers.items() if k not in volatile} == {
        k: v for k, v in get.headers.items() if k not in volatile
    }
    assert head.headers["content-type"] == "video/mp4"
    assert head.headers["cache-control"] == "public, max-age=3600"
    etag, date = head.headers["etag"], head.headers["last-modified"]
    for validator, status in [
        (etag, 206),
        (date, 206),
        (f"W/{etag}", 200),
        ('"other"', 200),
        ("Mon, 01 Jan 2001 00:00:00 GMT", 200),
    ]:
        answer = served.client.get(served.url, headers={"Range": "bytes=10-19", "If-Range": validator})
        assert answer.status_code == status, validator
        assert answer.content == (DATA[10:20] if status == 206 else DATA)
    known = served.client.get(served.url, headers={"If-None-Match": etag})
    assert (known.status_code, known.content, known.headers["etag"]) == (304, b"", etag)
    assert not {"content-length", "transfer-encoding"} & set(known.headers)
    assert served.client.get(served.url, headers={"If-Match": f"W/{etag}"}).status_code == 412


def test_empty_and_missing_files(served: Served) -> None:
    empty = served.client.get(served.url.replace("a.mp4", "empty.mp4"))
    assert (empty.status_code, empty.content, empty.headers["content-length"]) == (200, b"", "0")
    missing = served.client.get(served.url.replace("a.mp4", "missing.mp4"))
    assert missing.status_code == 404
