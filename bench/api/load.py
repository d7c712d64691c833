"""A small keep-alive load generator: raw sockets, one request at a time on each connection."""

from __future__ import annotations

import asyncio
import time


async def drive(port: int, request: bytes, *, connections: int, requests: int) -> float:
    """Sends `requests` copies of `request` over `connections` connections. Returns the wall time in seconds.

    Raises RuntimeError for any answer but 200.
    """
    share = requests // connections
    started = time.perf_counter()
    await asyncio.gather(*(_one(port, request, share) for _ in range(connections)))
    return time.perf_counter() - started


async def fetch(port: int, request: bytes) -> tuple[int, bytes]:
    """One request on its own connection: status and body."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        return await _answer(reader)
    finally:
        writer.close()


async def _one(port: int, request: bytes, count: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for _ in range(count):
            writer.write(request)
            status, body = await _answer(reader)
            if status != 200:
                raise RuntimeError(f"answered {status}: {body[:200]!r}")
    finally:
        writer.close()


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    status = int(head[9:12])
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return status, await reader.readexactly(int(line[15:]))
    raise RuntimeError("the answer has no content-length")
