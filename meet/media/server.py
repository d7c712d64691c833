"""The HTTP application of the media server: signalling, health, and whatever routes the process adds."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from meet.media.gateway.handshake import Gateway

MAX_LINE = 64 * 1024
"""Longest request line accepted: v1 join URLs carry a whole SDP offer and were seen up to 2.7 kB."""


async def _health(_request: web.Request) -> web.Response:
    return web.Response(text="OK")


def build_app(
    gateway: Gateway, *, extra_routes: Iterable[web.AbstractRouteDef] = (), middlewares: Iterable[Any] = ()
) -> web.Application:
    """Routes: `/rtc`, `/rtc/v1` (WebSocket), their `/validate`, `/` (health), and `extra_routes`."""
    app = web.Application(client_max_size=1 << 20, middlewares=tuple(middlewares))
    app.router.add_get("/", _health)
    app.router.add_get("/rtc", gateway.connect_v0)
    app.router.add_get("/rtc/v1", gateway.connect_v1)
    app.router.add_get("/rtc/validate", gateway.validate)
    app.router.add_get("/rtc/v1/validate", gateway.validate)
    app.add_routes(extra_routes)
    return app


@web.middleware
async def one_request(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Close the connection after its answer: the next request may be for a room of another process."""
    try:
        response = await handler(request)
    except web.HTTPException as error:
        error.force_close()
        raise
    response.force_close()
    return response


class _Begun(asyncio.Protocol):
    """Gives aiohttp a connection of which the first bytes have been read already."""

    def __init__(self, handler: asyncio.Protocol, received: bytes) -> None:
        self._handler = handler
        self._received = received

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.set_protocol(self._handler)
        self._handler.connection_made(transport)
        self._handler.data_received(self._received)


async def adopt(server: web.Server, sock: socket.socket, received: bytes) -> None:
    """Serve an open connection as if `server` had accepted it, and had read `received`. Raises OSError."""
    sock.setblocking(False)
    await asyncio.get_running_loop().connect_accepted_socket(lambda: _Begun(server(), received), sock)
