"""Ends TCP connections that never get to a complete request (slow loris), and the oldest of too many of them.

aiohttp itself would wait for ever, and for any number.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

from aiohttp import web
from aiohttp.typedefs import Handler

from meet.media.transport.waiting import Waiting

FIRST_REQUEST_S: Final = 10.0
_EVERY_S: Final = 0.25


class Sweeper:
    """Use `middleware` in the application, then `watch` its server; `stop` at the end."""

    def __init__(self, on_ended: Callable[[], None] = lambda: None) -> None:
        self._on_ended = on_ended
        self._served: set[object] = set()
        self._seen: dict[object, float] = {}
        self._waiting: Waiting[Any] = Waiting()
        self._task: asyncio.Task[None] | None = None

    @property
    def middleware(self) -> Any:
        """Notes which connections have sent a whole request; later ones are under the keep-alive timeout."""

        @web.middleware
        async def note(request: web.Request, handler: Handler) -> web.StreamResponse:
            self._served.add(request.protocol)
            return await handler(request)

        return note

    def watch(self, server: web.Server) -> None:
        self._task = asyncio.create_task(self._run(server), name="connection sweeper")

    def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _run(self, server: web.Server) -> None:
        while True:
            await asyncio.sleep(_EVERY_S)
            self._sweep(server.connections, asyncio.get_running_loop().time())

    def _sweep(self, open_now: list[Any], now: float) -> None:
        self._served.intersection_update(open_now)
        waiting = [c for c in open_now if c not in self._served]
        self._seen = {c: self._seen.get(c, now) for c in waiting}
        for known in self._waiting:
            if known not in self._seen:
                self._waiting.discard(known)
        for connection in waiting:
            for over in self._waiting.add(connection, _host(connection)):
                self._end(over)
            if now - self._seen[connection] >= FIRST_REQUEST_S:
                self._end(connection)

    def _end(self, connection: Any) -> None:
        self._on_ended()
        connection.force_close()


def _host(connection: Any) -> str | None:
    transport = connection.transport
    peer = transport.get_extra_info("peername") if transport is not None else None
    return peer[0] if isinstance(peer, tuple) else None
