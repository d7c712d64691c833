"""Messages towards one client, in order, never blocking the caller."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Protocol

_MAX_QUEUED = 1024
_FLUSH_S = 2.0


class Socket(Protocol):
    """The part of a WebSocket that is written to."""

    @property
    def closed(self) -> bool: ...

    async def send_bytes(self, data: bytes) -> None: ...

    async def close(self) -> object: ...


class Outbox:
    """A bounded queue and the task that writes it. A client that does not read is cut off and may resume."""

    def __init__(self, socket: Socket) -> None:
        self._socket = socket
        self._queue: asyncio.Queue[bytes | None] = asyncio.Queue(_MAX_QUEUED)
        self._closing = False
        self._keep_open = False
        self._task = asyncio.create_task(self._write(), name="signal outbox")

    def send(self, data: bytes) -> None:
        if self._closing:
            return
        try:
            self._queue.put_nowait(data)
        except asyncio.QueueFull:
            self._closing = True
            self._task.cancel()

    def finish(self) -> None:
        """Write what is queued, then close the socket."""
        if not self._closing:
            self._closing = True
            with contextlib.suppress(asyncio.QueueFull):
                self._queue.put_nowait(None)

    def discard(self) -> None:
        """Stop without touching the socket any more; someone else goes on with it."""
        self._closing = True
        self._keep_open = True
        self._task.cancel()

    async def drained(self) -> None:
        """Wait for a finished outbox to be written out, a short time at most."""
        with contextlib.suppress(TimeoutError, asyncio.CancelledError):
            await asyncio.wait_for(asyncio.shield(self._task), _FLUSH_S)

    async def _write(self) -> None:
        try:
            while (data := await self._queue.get()) is not None:
                await self._socket.send_bytes(data)
        except (ConnectionError, RuntimeError):
            pass  # the client is gone; its reader notices too
        finally:
            self._closing = True
            if not self._keep_open:
                await self._socket.close()
