"""Room members in SQL."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from meet.core.model.member import Candidacy, MemberFilter
from meet.core.model.paging import Page, PageRequest
from meet.core.model.room import Room, RoomMember

from .keyset import keyset, page_of
from .member_rows import member_of, member_values
from .rooms import stored_room
from .tables import room_members
from .text import matches, time_limit
from .user_rows import stored_user

if TYPE_CHECKING:
    from .engine import Database

_BY_ID = select(room_members).where(
    room_members.c.room_id == bindparam("room_id"), room_members.c.member_id == bindparam("member_id")
)
_SORT = {"membershipDate": room_members.c.membership_date, "name": room_members.c.name}


class SqlMembers:
    """Implements `meet.core.ports.MemberRepository`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, room_id: str, member_id: str) -> RoomMember | None:
        return _stored(self._database.reader, room_id, member_id)

    async def page(self, room_id: str, wanted: MemberFilter, request: PageRequest) -> Page[RoomMember]:
        statement = select(room_members).where(room_members.c.room_id == room_id)
        if wanted.name is not None and wanted.name.value:
            statement = statement.where(matches(room_members.c.name, room_members.c.name_folded, wanted.name))
        if wanted.base_role is not None:
            statement = statement.where(room_members.c.base_role == wanted.base_role)
        if wanted.type is not None:
            user_id = room_members.c.user_id
            statement = statement.where(user_id.is_not(None) if wanted.type == "user" else user_id.is_(None))
        sort = _SORT[request.sort_field]
        with time_limit(wanted.name):
            rows = self._database.reader.execute(keyset(statement, sort, room_members.c.seq, request)).all()
        return page_of(rows, sort.name, request, member_of)

    async def add(
        self, room_id: str, user_id: str | None, make: Callable[[Candidacy], RoomMember]
    ) -> RoomMember | None:
        def work(connection: Connection) -> RoomMember | None:
            room = stored_room(connection, room_id)
            if room is None:
                return None
            user = stored_user(connection, user_id) if user_id is not None else None
            known = user_id is not None and _stored(connection, room_id, user_id) is not None
            member = make(Candidacy(room, user, known))
            connection.execute(insert(room_members).values(member_values(member)))
            return member

        return await self._database.write(work)

    async def modify(
        self, room_id: str, member_id: str, change: Callable[[Room, RoomMember], RoomMember]
    ) -> RoomMember | None:
        def work(connection: Connection) -> RoomMember | None:
            room, before = stored_room(connection, room_id), _stored(connection, room_id, member_id)
            if room is None or before is None:
                return None
            after = change(room, before)
            row = update(room_members).where(room_members.c.room_id == room_id, room_members.c.member_id == member_id)
            connection.execute(row.values(member_values(after)))
            return after

        return await self._database.write(work)

    async def remove(self, room_id: str, member_ids: Sequence[str]) -> list[str]:
        def work(connection: Connection) -> list[str]:
            return [each for each in member_ids if _remove(connection, room_id, each)]

        return await self._database.write(work)


def _stored(connection: Connection, room_id: str, member_id: str) -> RoomMember | None:
    row = connection.execute(_BY_ID, {"room_id": room_id, "member_id": member_id}).one_or_none()
    return member_of(row) if row is not None else None


def _remove(connection: Connection, room_id: str, member_id: str) -> bool:
    row = (room_members.c.room_id == room_id) & (room_members.c.member_id == member_id)
    return connection.execute(delete(room_members).where(row)).rowcount == 1
