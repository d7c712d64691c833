"""Statements for the paths that every request takes: SQLAlchemy writes them once, the driver runs them.

SQLAlchemy's execution machinery costs several times what SQLite does for one row. The driver does no result processing,
so only columns that need none may be read this way.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Insert, Select
from sqlalchemy.dialects import sqlite

_DIALECT: Any = sqlite.dialect()


class Prepared:
    """The text of a statement and its named parameters in order. sqlite3 keeps the compiled form by that text."""

    __slots__ = ("_own", "names", "text")

    def __init__(self, statement: Select[Any] | Insert) -> None:
        compiled: Any = statement.compile(dialect=_DIALECT)
        self.text = str(compiled)
        self.names: tuple[str, ...] = tuple(compiled.positiontup)
        self._own: dict[str, Any] = compiled.params  # values that the statement came with

    def rows(self, connection: Connection, **values: Any) -> list[tuple[Any, ...]]:
        """All rows of a SELECT."""
        driver: Any = connection.connection.driver_connection
        given = self._own | values
        found: list[tuple[Any, ...]] = driver.execute(self.text, [given[name] for name in self.names]).fetchall()
        return found

    def row(self, connection: Connection, value: Any) -> tuple[Any, ...] | None:
        """The one row of a SELECT with one parameter."""
        driver: Any = connection.connection.driver_connection
        found: tuple[Any, ...] | None = driver.execute(self.text, (value,)).fetchone()
        return found

    def insert(self, connection: Connection, values: dict[str, Any]) -> None:
        """One row. Raises SQLAlchemy's errors."""
        connection.exec_driver_sql(self.text, tuple([values[name] for name in self.names]))
