"""A media server in this process, and what its clients need."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest

from meet.media.main import MediaServer
from tests.unit.media.gateway.client import running


@pytest.fixture
async def server() -> AsyncIterator[MediaServer]:
    async with running() as started:
        yield started


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session
