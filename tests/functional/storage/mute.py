"""An S3 server that falls silent: it takes connections, and stops wherever it is told to."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Literal, TypeAlias

Silence: TypeAlias = Literal["at once", "unread", "mid-body", "none"]

SIZE = 2 * 1024 * 1024
_SENT = 300_000
_HEAD = (
    'ETag: "fixed"\r\nContent-Type: video/mp4\r\nLast-Modified: Wed, 01 Jul 2026 10:00:00 GMT\r\n'
    "Accept-Ranges: bytes\r\n"
)


class Mute:
    """`silence`: "at once" (requests are read, nothing is said), "unread" (nothing is even read), "mid-body" (the
    bytes of a GET stop after 300 000, and who asks for the rest is not answered), "none".

    `open` counts the connections that clients hold, `requests` has the methods seen; `pause_s` is between two pieces
    of 64 KiB of a body."""

    def __init__(self, silence: Silence) -> None:
        self.silence = silence
        self.open = 0
        self.pause_s = 0.0
        self.requests: list[str] = []

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        """The endpoint."""
        server = await asyncio.start_server(self._handle, "127.0.0.1", 0, limit=64 * 1024)
        try:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        finally:
            server.close()

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        try:
            while self.silence == "unread":
                await asyncio.sleep(0.05)
            while head := await reader.readuntil(b"\r\n\r\n"):
                await self._answer(head.decode("latin-1"), reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.open -= 1
            writer.close()

    async def _answer(self, head: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first, *lines = head.split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        method = first.partition(" ")[0]
        self.requests.append(method)
        left = int(headers.get("content-length", 0))
        while left and (data := await reader.read(min(left, 64 * 1024))):
            left -= len(data)
        span = headers.get("range", "").removeprefix("bytes=")
        if self.silence == "at once" or (self.silence == "mid-body" and span):
            await reader.read()  # until the client gives up
            raise ConnectionResetError
        start, end = 0, SIZE - 1
        if span:
            first_byte, _, last_byte = span.partition("-")
            start, end = int(first_byte), int(last_byte or end)
        extra = f"Content-Range: bytes {start}-{end}/{SIZE}\r\n" if span else ""
        length = end - start + 1 if method in ("GET", "HEAD") else 0
        status = "206 Partial" if span else "200 OK"
        writer.write(f"HTTP/1.1 {status}\r\n{_HEAD}{extra}Content-Length: {length}\r\n\r\n".encode())
        if method == "GET":
            await self._body(length, reader, writer)

    async def _body(self, length: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        stop = _SENT if self.silence == "mid-body" else length
        for at in range(0, stop, 64 * 1024):
            writer.write(bytes(min(64 * 1024, stop - at)))
            await writer.drain()
            await asyncio.sleep(self.pause_s)
        if stop < length:
            await reader.read()
            raise ConnectionResetError
