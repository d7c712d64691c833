"""Clients and stores that go away in the middle."""

from __future__ import annotations

import asyncio
import os
import subprocess
from pathlib import Path

import httpx
import pytest

from storage.s3 import S3Store

from .conftest import BUCKET, s3_config
from .support import connections_to, media_server, slow_readers

SIZE = 48 * 1024 * 1024
KEY = "r/big.mp4"


@pytest.fixture
async def endpoint(mortal_moto: tuple[subprocess.Popen[bytes], str], tmp_path: Path) -> str:
    """An S3 server with one object larger than all socket buffers on the way."""
    path = tmp_path / "big"
    path.write_bytes(os.urandom(1024 * 1024) * (SIZE // 1024 // 1024))
    store = S3Store(s3_config(mortal_moto[1]))
    await store.put_file(KEY, path, "video/mp4")
    await store.close()
    return mortal_moto[1]


@pytest.mark.parametrize("path", [f"/media/{KEY}", f"/zip?key={KEY}&key={KEY}"])
async def test_a_disconnect_frees_the_storage_connection_within_two_seconds(endpoint: str, path: str) -> None:
    with media_server("s3", endpoint, BUCKET) as (process, url):
        async with httpx.AsyncClient(timeout=30) as client:
            await client.head(f"{url}/media/{KEY}")
        async with slow_readers(url + path, 12) as got:
            async with asyncio.timeout(30):
                # A ZIP's first bytes are its own: they come before the store is asked.
                while not all(got) or connections_to(process, endpoint) < 12:
                    await asyncio.sleep(0.05)
            idle = connections_to(process, endpoint) - 12
        async with asyncio.timeout(2):
            while connections_to(process, endpoint) > idle:
                await asyncio.sleep(0.05)


@pytest.mark.parametrize("path", [f"/media/{KEY}", f"/zip?key={KEY}&key={KEY}"])
async def test_a_store_killed_half_way_is_seen_by_the_client(
    mortal_moto: tuple[subprocess.Popen[bytes], str], endpoint: str, path: str
) -> None:
    with media_server("s3", endpoint, BUCKET) as (_, url):
        async with httpx.AsyncClient(timeout=30) as client, client.stream("GET", url + path) as answer:
            assert answer.status_code == 200
            announced = int(answer.headers["content-length"])
            got = 0
            with pytest.raises(httpx.RemoteProtocolError):
                async for chunk in answer.aiter_raw():
                    if got == 0:
                        mortal_moto[0].kill()
                        await asyncio.to_thread(mortal_moto[0].wait, 10)
                    got += len(chunk)
        assert 0 < got < announced
        async with httpx.AsyncClient(timeout=30) as client:
            after = await client.get(f"{url}/media/{KEY}")
        assert after.status_code == 503
        assert after.json()["error"] == "StorageUnavailable"


async def test_a_file_truncated_while_it_is_sent_is_seen_by_the_client(tmp_path: Path) -> None:
    path = tmp_path / "f.mp4"
    path.write_bytes(bytes(SIZE))
    with media_server("fs", str(tmp_path)) as (_, url):
        async with httpx.AsyncClient(timeout=30) as client, client.stream("GET", f"{url}/media/f.mp4") as answer:
            got = 0
            with pytest.raises(httpx.RemoteProtocolError):
                async for chunk in answer.aiter_raw():
                    if got == 0:
                        os.truncate(path, 1000)
                    got += len(chunk)
            assert 0 < got < SIZE
