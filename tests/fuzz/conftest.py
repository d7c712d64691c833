"""One server for all documents."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from meet.demo.server import Server

from .house import House, settings_for


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("fuzz")
    with asyncio.Runner() as runner:
        server = Server(folder, env=settings_for(folder))
        runner.run(server.start())
        opened = House(server)
        try:
            opened.furnish()
            yield opened
        finally:
            opened.close()
            runner.run(server.stop())
