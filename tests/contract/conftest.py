"""One application for all contract tests; every exchange makes its own rooms in it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from .world import Scene, World, new_scene, open_world

_MEMORY = Path("/dev/shm")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def world() -> AsyncIterator[World]:
    # Thousands of small commits, each synced: on a busy disk they would take minutes. What survives a crash is
    # tested elsewhere.
    place = str(_MEMORY) if os.access(_MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="meet-contract-", dir=place) as folder:
        async with open_world(Path(folder)) as opened:
            yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def scene(world: World) -> AsyncIterator[Scene]:
    yield await new_scene(world)
    world.mend()
