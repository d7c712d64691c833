"""Rights of participants in SQL."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import orjson
from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from meet.core.errors import RoomNotFound
from meet.core.model.participant import ParticipantGrant

from .tables import participant_grants as grants

if TYPE_CHECKING:
    from .engine import Database


class SqlParticipantGrants:
    """Implements `meet.core.ports.ParticipantGrantRepository`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, room_id: str, identity: str) -> ParticipantGrant | None:
        return _stored(self._database.reader, room_id, identity)

    async def issue(
        self, room_id: str, identity: str, own: ParticipantGrant, now: int, *, keep_promotion: bool = False
    ) -> ParticipantGrant:
        def work(connection: Connection) -> ParticipantGrant:
            before = _stored(connection, room_id, identity)
            kept = keep_promotion and before is not None and before.promoted and own.badge == "other"
            values = {
                "permissions": orjson.dumps(own.permissions).decode(),
                "badge": own.badge,
                "user_id": own.user_id,
                "promoted": kept,
                "issued_at": now,
            }
            if before is None:
                row = {"room_id": room_id, "identity": identity, **values}
                connection.execute(insert(grants).values(row))
            else:
                row_of = (grants.c.room_id == room_id) & (grants.c.identity == identity)
                connection.execute(update(grants).where(row_of).values(values))
            return replace(own, promoted=kept)

        try:
            return await self._database.write(work)
        except IntegrityError:
            raise RoomNotFound(room_id) from None

    async def set_promoted(self, room_id: str, identity: str, promoted: bool) -> ParticipantGrant | None:
        row = (grants.c.room_id == room_id) & (grants.c.identity == identity) & (grants.c.badge == "other")
        statement = update(grants).where(row, grants.c.promoted != promoted).values(promoted=promoted)

        def work(connection: Connection) -> ParticipantGrant | None:
            changed = connection.execute(statement).rowcount == 1
            return _stored(connection, room_id, identity) if changed else None

        return await self._database.write(work)

    async def of_user(self, user_id: str) -> list[tuple[str, str]]:
        statement = select(grants.c.room_id, grants.c.identity).where(grants.c.user_id == user_id)
        return [(row.room_id, row.identity) for row in self._database.reader.execute(statement)]

    async def end_meeting(self, room_id: str, issued_before: int) -> None:
        def work(connection: Connection) -> None:
            old = (grants.c.room_id == room_id) & (grants.c.issued_at < issued_before)
            connection.execute(delete(grants).where(old))
            connection.execute(update(grants).where(grants.c.room_id == room_id).values(promoted=False))

        await self._database.write(work)


def _stored(connection: Connection, room_id: str, identity: str) -> ParticipantGrant | None:
    statement = select(grants.c.permissions, grants.c.badge, grants.c.promoted, grants.c.user_id).where(
        grants.c.room_id == room_id, grants.c.identity == identity
    )
    row = connection.execute(statement).one_or_none()
    if row is None:
        return None
    return ParticipantGrant(
        permissions=orjson.loads(row.permissions), badge=row.badge, promoted=row.promoted, user_id=row.user_id
    )
