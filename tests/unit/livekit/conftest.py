"""LiveKitMediaServer against our own Twirp routes, over a real socket and the real room layer."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from meet.livekit import LiveKitMediaServer
from tests.unit.media.twirp.conftest import KEY, SECRET, Server, server

__all__ = ["server"]


@pytest.fixture
async def media(server: Server) -> AsyncIterator[LiveKitMediaServer]:
    running = LiveKitMediaServer(server.url.replace("http", "ws", 1), KEY, SECRET)
    yield running
    await running.close()
