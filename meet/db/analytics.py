"""Counts for the overview, each from an index."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Table, func, select

from meet.core.model.account import Totals

from .tables import recordings, rooms

if TYPE_CHECKING:
    from .engine import Database


class SqlAnalytics:
    """Implements `meet.core.account_ports.AnalyticsRepository`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def totals(self) -> Totals:
        kept = recordings.c.deleting_since.is_(None)
        return Totals(
            rooms=self._count(rooms),
            active_rooms=self._count(rooms, rooms.c.status == "active_meeting"),
            recordings=self._count(recordings, kept),
            complete_recordings=self._count(recordings, kept, recordings.c.status == "complete"),
        )

    def _count(self, table: Table, *conditions: Any) -> int:
        statement = select(func.count()).select_from(table).where(*conditions)
        return int(self._database.reader.execute(statement).scalar_one())
