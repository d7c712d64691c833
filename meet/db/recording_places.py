"""Where recordings' files are, in SQL: counted, listed by store, changed only when nobody else was faster."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import false, func, or_, select, update

from meet.core.model.recording import Recording
from meet.core.store_ports import Holding

from .recordings import recording_of
from .tables import recordings

if TYPE_CHECKING:
    from .engine import Database

_HAS_MEDIA = recordings.c.status.in_(("complete", "limit_reached"))
_VISIBLE = recordings.c.deleting_since.is_(None)
HOLDINGS = select(recordings.c.store, func.count().label("number")).where(_HAS_MEDIA).group_by(recordings.c.store)


class SqlRecordingPlaces:
    """Implements `meet.core.store_ports.RecordingPlaces`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def holdings(self) -> list[Holding]:
        return [Holding(row.store, row.number) for row in self._database.reader.execute(HOLDINGS)]

    async def in_stores(self, stores: Sequence[str | None], *, after: int, limit: int) -> list[tuple[int, Recording]]:
        # Not with an empty list: that would keep SQLite from the index.
        named = [store for store in stores if store is not None]
        wanted = [recordings.c.store.in_(named)] if named else []
        unknown = [recordings.c.store.is_(None)] if None in stores else []
        return self._page(or_(false(), *wanted, *unknown), after, limit)

    async def with_copies(self, *, after: int, limit: int) -> list[tuple[int, Recording]]:
        return self._page(recordings.c.copies.is_not(None), after, limit)

    async def move(self, recording: Recording, store: str, *, copy_stays: bool) -> bool:
        copies = dict.fromkeys((*recording.copies, recording.store) if copy_stays else recording.copies)
        return await self._change(recording, store, [each for each in copies if each not in (None, store)])

    async def forget_copy(self, recording: Recording, store: str) -> bool:
        return await self._change(recording, recording.store, [each for each in recording.copies if each != store])

    async def sha256(self, recording_id: str) -> str | None:
        statement = select(recordings.c.facts).where(recordings.c.recording_id == recording_id)
        facts = self._database.reader.execute(statement).scalar_one_or_none()
        integrity = orjson.loads(facts)["integrity"] if facts is not None else None
        return integrity["sha256"] if integrity is not None else None

    async def _change(self, recording: Recording, store: str | None, copies: Sequence[str | None]) -> bool:
        statement = (
            update(recordings)
            .where(
                recordings.c.recording_id == recording.recording_id,
                recordings.c.store.is_not_distinct_from(recording.store),
                recordings.c.copies.is_not_distinct_from(_text(recording.copies)),
                _HAS_MEDIA,
                _VISIBLE,
            )
            .values(store=store, copies=_text(copies))
        )
        return await self._database.write(
            lambda connection: connection.execute(statement).rowcount == 1, credentials=False
        )

    def _page(self, condition: Any, after: int, limit: int) -> list[tuple[int, Recording]]:
        statement = select(recordings).where(condition, _HAS_MEDIA, _VISIBLE, recordings.c.seq > after)
        rows = self._database.reader.execute(statement.order_by(recordings.c.seq).limit(limit)).all()
        return [(row.seq, recording_of(row)) for row in rows]


def _text(copies: Sequence[str | None]) -> str | None:
    return orjson.dumps(list(copies)).decode() if copies else None
