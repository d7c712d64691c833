"""A line of limited rate and some delay in front of a TCP server."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

_STEP = 16 * 1024


class Line:
    """Everything from the server shares `rate` bytes per second; each direction takes `delay_s`."""

    def __init__(self, port: int, rate: float, delay_s: float) -> None:
        self._port, self._rate, self._delay_s = port, rate, delay_s
        self._free_at = 0.0
        self._busy = set[asyncio.Task[None]]()

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[int]:
        """Listen on loopback; yields the port."""
        server = await asyncio.start_server(self._accepted, "127.0.0.1", 0)
        try:
            yield int(server.sockets[0].getsockname()[1])
        finally:
            server.close()
            for task in self._busy:
                task.cancel()
            await asyncio.gather(*self._busy, return_exceptions=True)

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._busy.add(task)
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self._port)
            async with asyncio.TaskGroup() as both:
                both.create_task(self._carry(reader, back, shared=False))
                both.create_task(self._carry(there, writer, shared=True))
        except* (ConnectionError, asyncio.CancelledError):
            writer.close()  # the browser wanted no more of it, or the measurement is over
        finally:
            self._busy.discard(task)

    async def _carry(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, shared: bool) -> None:
        clock = asyncio.get_running_loop().time
        while data := await source.read(_STEP):
            if shared:
                self._free_at = max(self._free_at, clock()) + len(data) / self._rate
                await asyncio.sleep(self._free_at - clock())
            asyncio.get_running_loop().call_later(self._delay_s, sink.write, data)
            await sink.drain()
        await asyncio.sleep(self._delay_s)
        sink.close()
