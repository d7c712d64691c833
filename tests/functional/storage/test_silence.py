"""A store that keeps connections open and says nothing, and one that is only slow."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from storage import StorageUnavailable
from storage.multipart import PART_SIZE
from storage.patience import Patience
from storage.s3 import S3Store

from .conftest import s3_config
from .mute import SIZE, Mute, Silence

QUICK = Patience(answer=10.0, body=2.0, upload=2.5)


@asynccontextmanager
async def falling(
    silence: Silence, part_size: int = PART_SIZE, patience: Patience = QUICK
) -> AsyncIterator[tuple[Mute, S3Store]]:
    server = Mute(silence)
    async with server.serving() as endpoint:
        store = S3Store(s3_config(endpoint), part_size=part_size, patience=patience)
        await store._clients.control()  # what botocore loads takes longer than this patience
        try:
            yield server, store
        finally:
            await store.close()


async def _read(store: S3Store) -> None:
    async with store.open("r/a.mp4") as chunks:
        async for _ in chunks:
            raise AssertionError("bytes of a store that says nothing")


async def test_who_waits_for_a_silent_store_is_told_in_time() -> None:
    impatient = Patience(answer=1.0, body=3.0, upload=3.0)  # less than one try of the client lasts
    async with falling("at once", patience=impatient) as (server, store):

        async def asked(request: Awaitable[Any]) -> None:
            with pytest.raises(StorageUnavailable, match="does not answer"):
                await request

        several = ["r/a.mp4", "r/b.mp4", "r/c.mp4"]
        async with asyncio.timeout(20):  # three tries of a read timeout each, without the limit
            await asyncio.gather(
                asked(store.check()),
                asked(store.head("r/a.mp4")),
                asked(store.delete(several[:1])),
                asked(store.delete(several)),
                asked(_read(store)),
            )
        assert sorted(server.requests) == ["DELETE", "GET", "HEAD", "HEAD", "POST"]  # each of them once
        await until(lambda: server.open == 0)


async def test_an_upload_that_nobody_takes_is_given_up(tmp_path: Path) -> None:
    """More than the socket buffers hold: here neither aiohttp nor the kernel would ever time out."""
    path = tmp_path / "f"
    with path.open("wb") as file:
        file.truncate(48 << 20)
    async with falling("unread", part_size=64 << 20) as (server, store):
        async with asyncio.timeout(20):
            with pytest.raises(StorageUnavailable, match="does not answer"):
                await store.put_file("r/a.mp4", path, "video/mp4")
        server.silence = "none"
        await until(lambda: server.open == 0)


async def test_bodies_are_judged_by_silence() -> None:
    """All at once, because each of them takes a while."""
    await asyncio.gather(_coming_slowly(), _read_slowly(), _fifty_that_fall_silent())


async def _coming_slowly() -> None:
    async with falling("none") as (server, store):
        server.pause_s = 2 * QUICK.body / 32  # 32 pieces
        got = 0
        async with store.open("r/a.mp4") as chunks:
            async for chunk in chunks:
                got += len(chunk)
        assert got == SIZE
        assert server.requests == ["GET"]


async def _read_slowly() -> None:
    """That is not the store's silence."""
    async with falling("none") as (server, store):
        got = 0
        async with store.open("r/a.mp4") as chunks:
            async for chunk in chunks:
                if not got:
                    await asyncio.sleep(2 * QUICK.body)
                got += len(chunk)
        assert got == SIZE
        assert server.requests == ["GET"]


async def _fifty_that_fall_silent() -> None:
    async with falling("mid-body") as (server, store):

        async def watch() -> None:
            got = 0
            with pytest.raises(StorageUnavailable):
                async with store.open("r/a.mp4", if_match='"fixed"') as chunks:
                    async for chunk in chunks:
                        got += len(chunk)
            assert got < SIZE

        threads = threading.active_count()
        async with asyncio.timeout(60):
            watching = [asyncio.create_task(watch()) for _ in range(50)]
            await until(lambda: server.open >= 50)
            await asyncio.gather(*watching)
        await until(lambda: server.open == 0)
        names = {task.get_coro().__qualname__ for task in asyncio.all_tasks()}  # type: ignore[union-attr]
        assert not {name for name in names if "watch" in name or "ClientRe" in name}
        assert threading.active_count() <= threads + 8  # the default executor's


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.02)
