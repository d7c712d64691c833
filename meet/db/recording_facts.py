"""Facts of finished recordings in SQL: one JSON column beside the contract's."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import Integer, bindparam, select, update

from meet.core.model.recording import TERMINAL
from meet.core.model.recording_facts import Integrity, RecordingFacts

from .tables import recordings

if TYPE_CHECKING:
    from .engine import Database

_HAVE_A_FILE = ("complete", "limit_reached")
_MISSING = (
    select(recordings.c.recording_id, recordings.c.egress_id)
    .where(
        recordings.c.facts.is_(None),
        recordings.c.status.in_(_HAVE_A_FILE),
        recordings.c.updated_at >= bindparam("since"),
        recordings.c.deleting_since.is_(None),
    )
    .limit(bindparam("limit", type_=Integer))
)
_FACTS = select(recordings.c.facts).where(recordings.c.recording_id == bindparam("recording_id"))


class SqlRecordingFacts:
    """Implements `meet.core.recorder_ports.RecordingFactsRepository`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, recording_id: str) -> RecordingFacts | None:
        stored = self._database.reader.execute(_FACTS, {"recording_id": recording_id}).scalar_one_or_none()
        return _facts(orjson.loads(stored)) if stored is not None else None

    async def keep(self, recording_id: str, facts: RecordingFacts) -> bool:
        integrity = asdict(facts.integrity) if facts.integrity is not None else None
        values = {"facts": orjson.dumps({"compose": facts.compose, "integrity": integrity}).decode()}
        statement = (
            update(recordings)
            .where(
                recordings.c.recording_id == recording_id,
                recordings.c.facts.is_(None),
                recordings.c.status.in_(TERMINAL),
            )
            .values(values)
        )
        return await self._database.write(
            lambda connection: connection.execute(statement).rowcount == 1, credentials=False
        )

    async def missing(self, since: int, limit: int) -> list[tuple[str, str]]:
        rows = self._database.reader.execute(_MISSING, {"since": since, "limit": limit})
        return [(row.recording_id, row.egress_id) for row in rows]


def _facts(document: dict[str, Any]) -> RecordingFacts:
    integrity = document["integrity"]
    return RecordingFacts(
        final=True,
        compose=document["compose"],
        integrity=Integrity(**integrity) if integrity is not None else None,
    )
