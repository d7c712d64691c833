"""A webhook receiver on a real socket that fails as told and keeps what it accepted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer
from livekit import api
from livekit.protocol.webhook import WebhookEvent

KEY, SECRET = "devkey", "a-secret-that-is-long-enough-for-hs256"


class Receiver:
    """`verdict(event, attempt)` gives the status of each attempt; only 200s are kept in `events`."""

    def __init__(
        self, verdict: Callable[[WebhookEvent, int], int] = lambda _event, _attempt: 200, port: int | None = None
    ) -> None:
        self.verdict = verdict
        self.events: list[WebhookEvent] = []
        self.attempts: list[str] = []
        self.problems: list[str] = []
        self._changed = asyncio.Event()
        app = web.Application()
        app.router.add_post("/livekit/webhook", self._receive)
        self._server = TestServer(app, port=port)

    async def __aenter__(self) -> Receiver:
        await self._server.start_server()
        return self

    async def __aexit__(self, *_: Any) -> None:
        await self._server.close()

    @property
    def url(self) -> str:
        return str(self._server.make_url("/livekit/webhook"))

    @property
    def names(self) -> list[str]:
        return [event.event for event in self.events]

    async def wait_for(self, count: int) -> list[WebhookEvent]:
        """Until `count` events were accepted."""
        async with asyncio.timeout(40):
            while len(self.events) < count:
                self._changed.clear()
                await self._changed.wait()
        return self.events

    async def _receive(self, request: web.Request) -> web.Response:
        body = await request.text()
        if request.headers["Content-Type"] != "application/webhook+json":
            self.problems.append(f"content type {request.headers['Content-Type']}")
        # The SDK's own verification: signature, issuer, expiry, body hash.
        receiver = api.WebhookReceiver(api.TokenVerifier(KEY, SECRET))
        event = receiver.receive(body, request.headers["Authorization"])
        self.attempts.append(event.id)
        status = self.verdict(event, self.attempts.count(event.id))
        if status == 200:
            self.events.append(event)
            self._changed.set()
        return web.Response(status=status)
