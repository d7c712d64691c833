"""Who wants captions, in SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    ForeignKey,
    String,
    Table,
    delete,
    exists,
    insert,
    select,
)
from sqlalchemy.exc import IntegrityError

from meet.core.errors import RoomNotFound

from .tables import metadata

if TYPE_CHECKING:
    from .engine import Database

caption_users = Table(
    "caption_users",
    metadata,
    Column("room_id", ForeignKey("rooms.room_id", ondelete="CASCADE"), primary_key=True),
    Column("identity", String, primary_key=True),
    Column("until", BigInteger, nullable=False),
)


class SqlCaptionUsers:
    """Implements `meet.core.assistant_ports.CaptionUserRepository`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, room_id: str, identity: str, now: int, until: int) -> None:
        mine = _row(room_id, identity)
        stale = (caption_users.c.room_id == room_id) & (caption_users.c.until <= now)

        def work(connection: Connection) -> None:
            connection.execute(delete(caption_users).where(mine | stale))
            connection.execute(insert(caption_users).values(room_id=room_id, identity=identity, until=until))

        try:
            await self._database.write(work)
        except IntegrityError:
            raise RoomNotFound(room_id) from None

    async def remove(self, room_id: str, identity: str, now: int) -> bool:
        others = exists().where(caption_users.c.room_id == room_id, caption_users.c.until > now)

        def work(connection: Connection) -> bool:
            gone = connection.execute(delete(caption_users).where(_row(room_id, identity))).rowcount == 1
            return gone and not connection.execute(select(others)).scalar_one()

        # Everybody who leaves a meeting comes by here, and hardly anybody has captions.
        if self._database.reader.execute(select(caption_users.c.until).where(_row(room_id, identity))).first() is None:
            return False
        return await self._database.write(work)

    async def clear(self, room_id: str) -> None:
        of_room = caption_users.c.room_id == room_id
        await self._database.write(lambda connection: connection.execute(delete(caption_users).where(of_room)))


def _row(room_id: str, identity: str) -> ColumnElement[bool]:
    return (caption_users.c.room_id == room_id) & (caption_users.c.identity == identity)
