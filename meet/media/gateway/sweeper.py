"""Ends TCP connections that never get to a complete request (slow loris): aiohttp itself would wait for ever."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from aiohttp import web
from aiohttp.typedefs import Handler

FIRST_REQUEST_S: Final = 10.0
_EVERY_S: Final = 1.0


class Sweeper:
    """Use `middleware` in the application, then `watch` its server; `stop` at the end."""

    def __init__(self) -> None:
        self._served: set[object] = set()
        self._seen: dict[object, float] = {}
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
        now = asyncio.get_running_loop().time
        while True:
            await asyncio.sleep(_EVERY_S)
            open_now = server.connections
            self._served.intersection_update(open_now)
            waiting = [c for c in open_now if c not in self._served]
            self._seen = {c: self._seen.get(c, now()) for c in waiting}
            for connection in waiting:
                if now() - self._seen[connection] >= FIRST_REQUEST_S:
                    connection.force_close()
