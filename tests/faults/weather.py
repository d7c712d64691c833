"""A proxy between an S3 client and its server that can be told to be down, forbidding, stormy or slow."""

from __future__ import annotations

import asyncio
import contextlib
import io
from collections.abc import AsyncIterator
from typing import Final, Literal, TypeAlias

import aiohttp
from aiohttp import web

Sky: TypeAlias = Literal["clear", "down", "denied", "storm", "slow"]

_SLOW_S: Final = 0.4
_HOP: Final = {"host", "connection", "transfer-encoding", "content-length", "expect"}


def _error(status: int, code: str) -> web.Response:
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>weather</Message></Error>"
    return web.Response(status=status, text=body, content_type="application/xml")


class Weather:
    """`sky` decides about every request from now on; `seen` lists `METHOD path?query` of those that were passed on."""

    def __init__(self, origin: str) -> None:
        self.sky: Sky = "clear"
        self.seen: list[str] = []
        self._origin = origin
        self._count = 0

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """One request of the client."""
        self._count += 1
        body = await request.read()
        if self.sky == "down":
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        if self.sky == "denied":
            return _error(403, "AccessDenied")
        if self.sky == "storm" and self._count % 8:
            return _error(503, "SlowDown") if self._count % 2 else _error(500, "InternalError")
        # Before the pause: a client that is gone by then must not appear to send later.
        self.seen.append(f"{request.method} {request.path_qs}")
        if self.sky == "slow":
            await asyncio.sleep(_SLOW_S)
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP}
        url = f"{self._origin}{request.raw_path}"
        async with self._session.request(request.method, url, data=io.BytesIO(body), headers=headers) as answer:
            content = await answer.read()
            back = {name: value for name, value in answer.headers.items() if name.lower() not in _HOP}
            if request.method == "HEAD":
                back["Content-Length"] = answer.headers.get("Content-Length", "0")
            return web.Response(status=answer.status, body=content, headers=back)

    def parts_sent(self) -> int:
        """How often a part was uploaded."""
        return sum(line.startswith("PUT") and "partNumber=" in line for line in self.seen)

    @contextlib.asynccontextmanager
    async def blowing(self) -> AsyncIterator[str]:
        """Serve; yields the endpoint."""
        app = web.Application(client_max_size=64 << 20)
        app.router.add_route("*", "/{path:.*}", self.answer)
        runner = web.AppRunner(app, access_log=None)
        async with aiohttp.ClientSession(auto_decompress=False) as self._session:
            await runner.setup()
            try:
                await web.TCPSite(runner, "127.0.0.1", 0).start()
                yield f"http://127.0.0.1:{runner.addresses[0][1]}"
            finally:
                await runner.cleanup()
