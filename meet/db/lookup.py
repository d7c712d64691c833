"""A look into the database file from another process, for `meet doctor`: nothing is migrated or written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import URL, Connection, create_engine
from sqlalchemy.pool import NullPool


@contextmanager
def read_only(path: Path) -> Iterator[Connection]:
    """A connection that cannot write. Raises SQLAlchemyError when the file is not there or not a database."""
    engine = create_engine(
        URL.create("sqlite", database=f"file:{quote(path.as_posix())}", query={"mode": "ro", "uri": "true"}),
        poolclass=NullPool,
    )
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()
