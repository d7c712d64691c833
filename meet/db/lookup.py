"""A look into the database file from another process, for `meet doctor`: nothing is migrated or written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Connection, select

from . import existing
from .recording_places import HOLDINGS
from .tables import global_config


@contextmanager
def read_only(path: Path) -> Iterator[Connection]:
    """A connection that cannot write. Raises SQLAlchemyError when the file is not there or not a database."""
    engine = existing.engine(path, "ro")
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def webhooks(connection: Connection, project_id: str) -> Mapping[str, Any] | None:
    """The stored settings of webhooks (`enabled`, `url`), None while there are none. Raises ValueError for damage."""
    statement = select(global_config.c.document).where(global_config.c.project_id == project_id)
    document = connection.execute(statement).scalar_one_or_none()
    stored = orjson.loads(document).get("webhooksConfig") if document is not None else None
    return stored if isinstance(stored, dict) else None


def holdings(connection: Connection) -> list[tuple[str | None, int]]:
    """Which stores have how many recordings (`meet.core.store_ports.Holding`). Raises SQLAlchemyError before 0015."""
    return [(row.store, row.number) for row in connection.execute(HOLDINGS)]
