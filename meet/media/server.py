"""The HTTP application of the media server: signalling, health, and whatever routes the process adds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from aiohttp import web

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
