"""A tiny S3 server that streams: HEAD and GET with ranges of one endless-looking object per size, constant memory.

moto keeps objects in memory and gives each connection a thread, which says nothing about 200 slow readers. The key
is the size: `/<bucket>/<anything>/<bytes>` holds that many bytes of `pattern`.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable

BLOCK = bytes(range(256)) * 1024


def pattern(start: int, end: int) -> bytes:
    """Bytes `start` to `end` inclusive of every object."""
    offset = start % 256
    whole = BLOCK * ((end - start + offset) // len(BLOCK) + 1)
    return whole[offset : offset + end - start + 1]


async def serve(cut_after: int | None = None) -> tuple[asyncio.Server, list[str]]:
    """Start on a free port; returns the server and the list of requests it got (`GET bytes=0-5 etag`).

    With `cut_after`, the first GET's connection is closed after that many body bytes.
    """
    requests: list[str] = []
    cuts = [] if cut_after is None else [cut_after]

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                await _answer(head.decode("latin-1"), writer, requests, cuts)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    handler: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]] = handle
    return await asyncio.start_server(handler, "127.0.0.1", 0, backlog=512), requests


async def _answer(head: str, writer: asyncio.StreamWriter, requests: list[str], cuts: list[int]) -> None:
    lines = head.split("\r\n")
    method, path, _ = lines[0].split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    size = int(path.rpartition("/")[2])
    span = re.fullmatch(r"bytes=(\d+)-(\d*)", headers.get("range", ""))
    start, end = (int(span[1]), min(int(span[2] or size - 1), size - 1)) if span else (0, size - 1)
    requests.append(f"{method} {headers.get('range', '-')} {headers.get('if-match', '-')}")
    extra = f"Content-Range: bytes {start}-{end}/{size}\r\n" if span else ""
    writer.write(
        f"HTTP/1.1 {206 if span else 200} X\r\nContent-Length: {end - start + 1}\r\n{extra}"
        f'ETag: "fixed"\r\nContent-Type: video/mp4\r\nLast-Modified: Wed, 01 Jul 2026 10:00:00 GMT\r\n\r\n'.encode()
    )
    if method == "GET":
        stop = start + cuts.pop() if cuts else end + 1
        while start < stop:
            step = min(len(BLOCK) // 2, stop - start)
            writer.write(pattern(start, start + step - 1))
            await writer.drain()
            start += step
        if start <= end:
            raise ConnectionResetError
