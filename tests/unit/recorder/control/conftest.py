from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.unit.recorder.control.world import World


@pytest.fixture
def data() -> Iterator[Path]:
    """A short path: Unix sockets have at most 107 characters."""
    path = Path(tempfile.mkdtemp(prefix="meet-"))
    yield path
    shutil.rmtree(path)


@pytest.fixture
def watchful(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those who are silent are looked after as soon as possible."""
    monkeypatch.setattr("meet.recorder.control.silent.LOOK_S", 0.02)


@pytest.fixture
async def world(data: Path) -> AsyncIterator[World]:
    running = World(data)
    await running.open()
    yield running
    await running.close()
