"""Responses whose body is produced while it is sent: bounded memory, released on disconnect, short when broken."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Literal

import structlog

log = structlog.get_logger(__name__)

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Source = Callable[[], AbstractAsyncContextManager[AsyncIterator[bytes]]]
"""Opens the body; leaving the block gives back whatever the bytes come from."""


class StreamResponse:
    """A raw ASGI response of exactly `length` bytes from `source`.

    The source is opened before the status line goes out: an exception raised by opening leaves `__call__` with
    `started` still False, so the caller can answer with an error instead. A failure after that is logged and ends the
    connection short of Content-Length, which every client notices. `outcome` and `sent` (body bytes) tell afterwards.

    Cost of a slow client: one chunk. The next one is asked for only after the server has written the last.
    Must be awaited after the request body was read; it uses `receive` for nothing but the disconnect.
    """

    def __init__(
        self, status: int, headers: Mapping[str, str], source: Source | None, length: int, *, label: str = ""
    ) -> None:
        self.status = status
        self.headers: dict[str, str] = {**headers, "content-length": str(length)}
        self.length = length
        self.label = label
        self.started = False
        self.sent = 0
        self.outcome: Literal["pending", "complete", "disconnected", "failed"] = "pending"
        self._source = source

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["method"] == "HEAD" or self._source is None or self.length == 0:
            await self._start(send)
            await send({"type": "http.response.body", "body": b""})
            self.outcome = "complete"
            return
        pump = asyncio.ensure_future(self._pump(self._source, send))
        # After a disconnect ASGI servers make send() a silent no-op: without a watcher the whole object would be read
        # from storage for nobody.
        watcher = asyncio.ensure_future(_disconnect(receive))
        try:
            await asyncio.wait((pump, watcher), return_when=asyncio.FIRST_COMPLETED)
            if not pump.done():
                self.outcome = "disconnected"
        finally:
            watcher.cancel()
            pump.cancel()
            await asyncio.wait((pump, watcher))
            if not watcher.cancelled():
                watcher.exception()  # a receive() that fails is a client that is gone
        self._judge(pump)

    def _judge(self, pump: asyncio.Future[None]) -> None:
        error = None if pump.cancelled() else pump.exception()
        if error is None:
            if self.outcome == "pending":
                self.outcome = "complete"
        elif not self.started:
            self.outcome = "failed"
            raise error
        elif self.outcome == "pending":
            # Returning before the last byte makes the server close the connection: the client sees a short body.
            self.outcome = "failed"
            log.error("stream_failed", label=self.label, error=str(error), sent=self.sent, length=self.length)

    async def _start(self, send: Send) -> None:
        headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in self.headers.items()]
        self.started = True
        await send({"type": "http.response.start", "status": self.status, "headers": headers})

    async def _pump(self, source: Source, send: Send) -> None:
        async with source() as chunks:
            await self._start(send)
            async for chunk in chunks:
                self.sent += len(chunk)
                if self.sent > self.length:
                    raise BodyLengthError(f"the body is longer than the announced {self.length} bytes")
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
                # An empty message waits until the server's buffer is drained. Without it the next chunk would be read
                # first and wait in memory beside the one in that buffer: twice the memory for a slow client.
                await send({"type": "http.response.body", "body": b"", "more_body": True})
            if self.sent != self.length:
                raise BodyLengthError(f"the body ended after {self.sent} of {self.length} bytes")
        await send({"type": "http.response.body", "body": b""})


class BodyLengthError(Exception):
    """The source gave more or fewer bytes than Content-Length had promised."""


async def _disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
