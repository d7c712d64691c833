"""Reserved display names in SQL."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sqlalchemy import Connection, delete, func, insert, select
from sqlalchemy.exc import IntegrityError

from meet.core.errors import RoomNotFound

from .tables import participant_names

if TYPE_CHECKING:
    from .engine import Database

_SUFFIX = re.compile(r"_\d+$")
_NUMBER = re.compile(r"[1-9][0-9]*")
_RESERVE = insert(participant_names).prefix_with("OR IGNORE", dialect="sqlite")


class SqlNames:
    """Implements `meet.core.ports.NameRepository`; the primary key (room, lower-case name) is the reservation."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def reserve(self, room_id: str, name: str, now: int, expires_at: int) -> str:
        def take(connection: Connection, wanted: str) -> bool:
            row = {"room_id": room_id, "name_key": wanted.lower(), "expires_at": expires_at}
            return connection.execute(_RESERVE, row).rowcount == 1

        def work(connection: Connection) -> str:
            stale = (participant_names.c.room_id == room_id) & (participant_names.c.expires_at <= now)
            connection.execute(delete(participant_names).where(stale))
            if take(connection, name):
                return name
            base = _SUFFIX.sub("", name) or name
            used = _used_numbers(connection, room_id, base)
            number = next(n for n in range(1, len(used) + 2) if n not in used)
            take(connection, f"{base}_{number}")
            return f"{base}_{number}"

        try:
            return await self._database.write(work)
        except IntegrityError:
            raise RoomNotFound(room_id) from None

    async def release(self, room_id: str, name: str) -> None:
        row = (participant_names.c.room_id == room_id) & (participant_names.c.name_key == name.lower())
        await self._database.write(lambda connection: connection.execute(delete(participant_names).where(row)))

    async def release_room(self, room_id: str) -> None:
        rows = participant_names.c.room_id == room_id
        await self._database.write(lambda connection: connection.execute(delete(participant_names).where(rows)))


def _used_numbers(connection: Connection, room_id: str, base: str) -> set[int]:
    prefix = f"{base.lower()}_"
    column = participant_names.c.name_key
    statement = select(func.substr(column, len(prefix) + 1)).where(
        participant_names.c.room_id == room_id, func.substr(column, 1, len(prefix)) == prefix
    )
    return {int(text) for text in connection.execute(statement).scalars() if _NUMBER.fullmatch(text)}
