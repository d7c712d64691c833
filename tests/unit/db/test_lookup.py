"""A look into the file from outside: whatever its name, and without a way to write."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError

from meet.db import Database
from meet.db.lookup import read_only
from meet.db.tables import rooms


@pytest.mark.parametrize("folder", ["plain", "a b", "100%20", "what?", "no#1"])
def test_any_path_can_be_looked_at(tmp_path: Path, folder: str) -> None:
    path = tmp_path / folder / "meet.db"
    Database.open(path).close()
    with read_only(path) as connection:
        assert connection.execute(select(rooms.c.room_id)).all() == []
        with pytest.raises(OperationalError, match="readonly"):
            connection.execute(text("DELETE FROM rooms"))


def test_no_file_is_made(tmp_path: Path) -> None:
    path = tmp_path / "meet.db"
    with pytest.raises(OperationalError), read_only(path):
        pass
    assert not path.exists()
