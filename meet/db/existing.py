"""The database file as it is, for commands beside the server: nothing is created or migrated."""

from __future__ import annotations

from pathlib import Path
from typing import Literal
from urllib.parse import quote

from sqlalchemy import URL, Engine, create_engine
from sqlalchemy.pool import NullPool


def engine(path: Path, mode: Literal["ro", "rw"]) -> Engine:
    """Connects with SQLite's `mode` (https://www.sqlite.org/uri.html); to be disposed of.

    A file that is not there is an SQLAlchemyError at the first connection."""
    return create_engine(
        URL.create("sqlite", database=f"file:{quote(path.as_posix())}", query={"mode": mode, "uri": "true"}),
        poolclass=NullPool,
        hide_parameters=True,
    )
