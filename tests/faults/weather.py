"""A proxy between an S3 client and its server that can be told to be down, forbidding, stormy or slow."""

from __future__ import annotations

import asyncio
from typing import Final, Literal, TypeAlias

from aiohttp import web

from tests.support.proxy import Proxy

Sky: TypeAlias = Literal["clear", "down", "denied", "storm", "slow"]

_SLOW_S: Final = 0.4


def _error(status: int, code: str) -> web.Response:
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>weather</Message></Error>"
    return web.Response(status=status, text=body, content_type="application/xml")


class Weather(Proxy):
    """`sky` decides about every request from now on; `seen` lists `METHOD path?query` of those that were passed on."""

    def __init__(self, origin: str) -> None:
        super().__init__(origin)
        self.sky: Sky = "clear"
        self.seen: list[str] = []
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
        return await self.forward(request, body)

    def parts_sent(self) -> int:
        """How often a part was uploaded."""
        return sum(line.startswith("PUT") and "partNumber=" in line for line in self.seen)
