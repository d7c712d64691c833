"""A migrated database on a temporary file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from meet.db import Database


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "meet.db"


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    opened = Database.open(path)
    yield opened
    opened.close()
