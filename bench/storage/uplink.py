"""A slow line in front of an S3 server."""

from __future__ import annotations

import asyncio
import time
from typing import Final

from aiohttp import web

from tests.support.proxy import Proxy

_STEP: Final = 64 * 1024


class Uplink(Proxy):
    """Passes requests on; their bodies share `rate` bytes per second."""

    def __init__(self, origin: str, rate: float) -> None:
        super().__init__(origin, cancels=True)
        self._rate = rate
        self._free_at = 0.0

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """One request of the client, as slow as the line."""
        body = bytearray()
        async for chunk in request.content.iter_chunked(_STEP):
            self._free_at = max(self._free_at, time.monotonic()) + len(chunk) / self._rate
            await asyncio.sleep(self._free_at - time.monotonic())
            body += chunk
        return await self.forward(request, body)
