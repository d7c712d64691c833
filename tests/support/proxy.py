"""A proxy between an S3 client and its server, for what may happen to requests on the way."""

from __future__ import annotations

import contextlib
import io
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from typing import Final

import aiohttp
from aiohttp import web

_HOP: Final = {"host", "connection", "transfer-encoding", "content-length", "expect"}


class Proxy(ABC):
    """Subclasses answer requests, most of them by `forward`.

    cancels: an answer that is under way ends when its client has gone, instead of running to its end."""

    def __init__(self, origin: str, *, cancels: bool = False) -> None:
        self._origin = origin
        self._cancels = cancels

    @abstractmethod
    async def answer(self, request: web.Request) -> web.StreamResponse:
        """One request of the client."""

    async def forward(self, request: web.Request, body: bytes | bytearray) -> web.StreamResponse:
        """The server's answer to this request with this body."""
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP}
        url = f"{self._origin}{request.raw_path}"
        async with self._session.request(request.method, url, data=io.BytesIO(body), headers=headers) as answer:
            content = await answer.read()
            back = {name: value for name, value in answer.headers.items() if name.lower() not in _HOP}
            if request.method == "HEAD":
                back["Content-Length"] = answer.headers.get("Content-Length", "0")
            return web.Response(status=answer.status, body=content, headers=back)

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        """Serve on loopback; yields the endpoint."""
        app = web.Application(client_max_size=1 << 30)
        app.router.add_route("*", "/{path:.*}", self.answer)
        runner = web.AppRunner(app, access_log=None, handler_cancellation=self._cancels)
        async with aiohttp.ClientSession(auto_decompress=False) as self._session:
            await runner.setup()
            try:
                await web.TCPSite(runner, "127.0.0.1", 0).start()
                yield f"http://127.0.0.1:{runner.addresses[0][1]}"
            finally:
                await runner.cleanup()
