"""200 clients that read slowly: nobody waits for them and nothing piles up."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import httpx
import psutil

from . import s3_origin
from .support import connections_to, media_server, slow_readers

MIB = 1024 * 1024
READERS = 200


async def observe(process: psutil.Process, url: str) -> tuple[int, int]:
    """(growth of resident memory from no readers to 200, growth while those go on reading), in MiB."""
    async with httpx.AsyncClient(timeout=60) as client:
        for _ in range(2):
            answer = await client.get(url, headers={"Range": "bytes=0-33554431"})
            assert len(answer.content) == 32 * MIB
        before = process.memory_info().rss
        async with slow_readers(url, READERS) as got:
            async with asyncio.timeout(120):
                while not all(got):
                    await asyncio.sleep(0.1)
            async with asyncio.timeout(60):
                probe = await client.get(url, headers={"Range": "bytes=0-999"})
            assert probe.status_code == 206
            await asyncio.sleep(1)
            settled = process.memory_info().rss
            peak, served = settled, sum(got)
            for _ in range(15):
                await asyncio.sleep(0.2)
                peak = max(peak, process.memory_info().rss)
            assert sum(got) > served
    return (peak - before) // MIB, (peak - settled) // MIB


async def test_files(tmp_path: Path) -> None:
    with (tmp_path / "f.mp4").open("wb") as file:
        for _ in range(100):
            file.write(os.urandom(MIB))
    with media_server("fs", str(tmp_path)) as (process, url):
        total, growth = await observe(process, f"{url}/media/f.mp4")
    assert growth <= 32
    assert total <= 40  # 200 chunks of 68 KiB and the sockets' own state; a buffered file would be 20,000


async def test_objects() -> None:
    ready: asyncio.Queue[int] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    done = asyncio.Event()

    def origin() -> None:
        async def serve() -> None:
            server, _ = await s3_origin.serve()
            loop.call_soon_threadsafe(ready.put_nowait, server.sockets[0].getsockname()[1])
            async with asyncio.timeout(600):
                while not done.is_set():
                    await asyncio.sleep(0.1)
            server.close()

        asyncio.run(serve())

    thread = asyncio.create_task(asyncio.to_thread(origin))
    endpoint = f"http://127.0.0.1:{await ready.get()}"
    try:
        with media_server("s3", endpoint, "bucket") as (process, url):
            total, growth = await observe(process, f"{url}/media/x/{100 * MIB}")
            async with asyncio.timeout(2):
                while connections_to(process, endpoint) > 22:  # 20 idle ones for HEAD requests stay, and the probe's
                    await asyncio.sleep(0.05)
    finally:
        done.set()
        await thread
    assert growth <= 32
    assert total <= 140  # adds aiohttp's read buffers; unbounded buffering would be 20,000
