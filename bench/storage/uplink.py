"""A slow line in front of an S3 server."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

import aiohttp
from aiohttp import web

_STEP = 64 * 1024
_HOP = {"host", "connection", "transfer-encoding", "content-length", "expect"}


class Uplink:
    """Passes requests on; their bodies share `rate` bytes per second."""

    def __init__(self, origin: str, rate: float) -> None:
        self._origin, self._rate = origin, rate
        self._free_at = 0.0

    async def _pass(self, request: web.Request) -> web.StreamResponse:
        body = bytearray()
        async for chunk in request.content.iter_chunked(_STEP):
            self._free_at = max(self._free_at, time.monotonic()) + len(chunk) / self._rate
            await asyncio.sleep(self._free_at - time.monotonic())
            body += chunk
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP}
        url = f"{self._origin}{request.raw_path}"
        async with self._session.request(request.method, url, data=bytes(body), headers=headers) as answer:
            content = await answer.read()
            back = {name: value for name, value in answer.headers.items() if name.lower() not in _HOP}
            if request.method == "HEAD":
                back["Content-Length"] = answer.headers.get("Content-Length", "0")
            return web.Response(status=answer.status, body=content, headers=back)

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[str]:
        """Serve on loopback; yields the endpoint."""
        app = web.Application(client_max_size=1 << 30)
        app.router.add_route("*", "/{path:.*}", self._pass)
        runner = web.AppRunner(app, access_log=None, handler_cancellation=True)
        async with aiohttp.ClientSession(auto_decompress=False) as self._session:
            await runner.setup()
            try:
                await web.TCPSite(runner, "127.0.0.1", 0).start()
                yield f"http://127.0.0.1:{runner.addresses[0][1]}"
            finally:
                await runner.cleanup()
