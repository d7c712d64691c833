"""A real aiohttp server with the Twirp routes over a real registry, and the real livekit-api client."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from livekit import api

from meet.media.room import RoomRegistry
from meet.media.twirp import twirp_routes
from tests.unit.media.twirp.fakes import FakeControl

KEY, SECRET = "devkey", "a-secret-that-is-long-enough-for-hs256"


@dataclass
class Server:
    registry: RoomRegistry
    control: FakeControl
    url: str


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    registry, control = RoomRegistry(), FakeControl()
    app = web.Application()
    app.add_routes(twirp_routes(registry, control, {KEY: SECRET}))
    running = TestServer(app)
    await running.start_server()
    yield Server(registry, control, str(running.make_url("")).rstrip("/"))
    await running.close()


@pytest.fixture
async def client(server: Server) -> AsyncIterator[api.LiveKitAPI]:
    async with api.LiveKitAPI(server.url, KEY, SECRET) as running:
        yield running
