"""One server for all tests of a module that can live with each other: `shared_server`, `shared_api`.

Such a module runs in one event loop: `pytestmark = pytest.mark.asyncio(loop_scope="module")`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from meet.demo.api import Api
from meet.demo.server import Server


@pytest.fixture(scope="module")
def shared_environment() -> dict[str, str]:
    """Settings of the module's server; a module may have its own fixture of this name."""
    return {}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_server(
    tmp_path_factory: pytest.TempPathFactory, shared_environment: dict[str, str]
) -> AsyncIterator[Server]:
    ours = {"MEET_LOG_FORMAT": "json", "MEET_RATE_LIMITS": "false", "MEET_MEDIA_PROCESSES": "2"}
    environment = {**ours, **shared_environment}
    async with Server(tmp_path_factory.mktemp("server") / "data", env=environment) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_api(shared_server: Server) -> AsyncIterator[Api]:
    async with Api(shared_server.url, shared_server.api_key) as client:
        yield client
