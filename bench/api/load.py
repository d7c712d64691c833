"""A small keep-alive load generator: raw sockets, one request at a time on each connection."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any


async def drive(port: int, requests: Iterator[bytes], *, status: int, connections: int) -> None:
    """Sends all `requests` over `connections` connections. Raises RuntimeError for an answer other than `status`."""
    await asyncio.gather(*(_one(port, requests, status) for _ in range(connections)))


async def fetch(port: int, request: bytes) -> tuple[int, bytes]:
    """One request on its own connection: status and body."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        return await _answer(reader)
    finally:
        writer.close()


def get(path: str, key: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: bench\r\nX-API-KEY: {key}\r\nAccept: application/json\r\n\r\n".encode()


def post(path: str, key: str, body: dict[str, Any]) -> bytes:
    data = json.dumps(body)
    head = f"POST {path} HTTP/1.1\r\nHost: bench\r\nX-API-KEY: {key}\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(data)}\r\n\r\n{data}".encode()


async def _one(port: int, requests: Iterator[bytes], wanted: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for request in requests:
            writer.write(request)
            status, body = await _answer(reader)
            if status != wanted:
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
