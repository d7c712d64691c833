"""End-to-end: a real server in sub-processes, real SDKs and browsers, no mocks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from meet.demo.api import Api
from meet.demo.server import Server


@pytest.fixture(autouse=True)
def _unlimited(monkeypatch: pytest.MonkeyPatch) -> None:
    """All tests come from one address; servers started by them inherit this."""
    monkeypatch.setenv("MEET_RATE_LIMITS", "false")


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    """A running server on free ports with its own data directory."""
    async with Server(tmp_path / "data", env={"MEET_LOG_FORMAT": "json"}) as running:
        yield running


@pytest.fixture
async def api(server: Server) -> AsyncIterator[Api]:
    """REST calls with the server's API key."""
    async with Api(server.url, server.api_key) as client:
        yield client
