"""Rooms in SQL."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
from sqlalchemy import Connection, Select, bindparam, delete, exists, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from meet.core.model.paging import Page, PageRequest, Reach, RoomFilter
from meet.core.model.room import MeetingEndAction, Room, RoomStatus
from meet.core.model.webhook import Announcement
from meet.core.ports import RoomStillHasRecordings

from .keyset import keyset, page_of, position
from .member_rows import recompute
from .outbox import append
from .prepared import Prepared
from .tables import recordings, room_members, rooms
from .text import matches, time_limit

if TYPE_CHECKING:
    from .engine import Database

_COLUMNS = (
    rooms.c.room_id,
    rooms.c.room_name,
    rooms.c.owner,
    rooms.c.status,
    rooms.c.creation_date,
    rooms.c.auto_deletion_date,
    rooms.c.meeting_end_action,
    rooms.c.roles_updated_at,
    rooms.c.document,
)
_BY_ID = select(*_COLUMNS, rooms.c.seq).where(rooms.c.room_id == bindparam("room_id"))
_PREPARED_BY_ID = Prepared(_BY_ID)
_ADD = Prepared(
    insert(rooms).values({column.name: bindparam(column.name) for column in rooms.c if column.name != "seq"})
)
_SORT = {
    "creationDate": rooms.c.creation_date,
    "roomName": rooms.c.room_name,
    "autoDeletionDate": rooms.c.auto_deletion_date,
}


class _Columns(NamedTuple):
    """What the statements of this module select."""

    room_id: str
    room_name: str
    owner: str
    status: RoomStatus
    creation_date: int
    auto_deletion_date: int | None
    meeting_end_action: MeetingEndAction
    roles_updated_at: int
    document: str
    seq: int


class SqlRooms:
    """Implements `meet.core.ports.RoomRepository`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._pages: dict[tuple[object, ...], Prepared] = {}

    async def add(self, room: Room) -> None:
        values = room_values(room)
        await self._database.write(lambda connection: _ADD.insert(connection, values), credentials=False)

    async def get(self, room_id: str) -> Room | None:
        row = _PREPARED_BY_ID.row(self._database.reader, room_id)
        return _room(_Columns._make(row)) if row is not None else None

    async def settled(self) -> None:
        await self._database.settled()

    async def page(self, wanted: RoomFilter, request: PageRequest) -> Page[Room]:
        sort = _SORT[request.sort_field]
        if wanted.name is None or not wanted.name.value:
            return page_of(self._rows(wanted, sort, request), sort.name, request, _room)
        statement = _filtered(wanted).where(matches(rooms.c.room_name, rooms.c.room_name_folded, wanted.name))
        with time_limit(wanted.name):
            found = self._database.reader.execute(keyset(statement, sort, rooms.c.seq, request)).all()
        return page_of([_Columns._make(row) for row in found], sort.name, request, _room)

    def _rows(self, wanted: RoomFilter, sort: Any, request: PageRequest) -> list[_Columns]:
        """The rows of a page without text filter: there are few forms of that statement, so each is kept prepared."""
        values = position(sort, request)
        reach = wanted.reach
        form = (
            request.sort_field,
            request.sort_order,
            request.token is not None,
            values.get("cursor_value") is None,
            wanted.status is None,
            wanted.expired_before is None,
            reach and (reach.owner is None, reach.member is None, reach.user_access),
        )
        prepared = self._pages.get(form)
        if prepared is None:
            prepared = self._pages[form] = Prepared(keyset(_filtered(wanted), sort, rooms.c.seq, request))
        values |= {"status": wanted.status, "expired_before": wanted.expired_before}
        if reach is not None:
            values |= {"owner": reach.owner, "member": reach.member}
        return [_Columns._make(row) for row in prepared.rows(self._database.reader, **values)]

    async def ids_with_status(self, status: RoomStatus) -> list[str]:
        statement = select(rooms.c.room_id).where(rooms.c.status == status)
        return list(self._database.reader.execute(statement).scalars())

    async def modify(
        self,
        room_id: str,
        change: Callable[[Room], Room],
        announce: Callable[[Room], Announcement] | None = None,
        *,
        roles_changed: bool = False,
    ) -> Room | None:
        def work(connection: Connection) -> Room | None:
            row = connection.execute(_BY_ID, {"room_id": room_id}).one_or_none()
            if row is None:
                return None
            before = _room(_Columns._make(row))
            after = change(before)
            if after != before:
                connection.execute(update(rooms).where(rooms.c.room_id == room_id).values(room_values(after)))
            if roles_changed:
                recompute(connection, after)
            if after.speaker_may_retrieve != before.speaker_may_retrieve:
                of_room = update(recordings).where(recordings.c.room_id == room_id)
                connection.execute(of_room.values(room_user_access=after.speaker_may_retrieve))
            if announce is not None:
                append(connection, [announce(after)])
            return after

        return await self._database.write(work)

    async def delete(
        self,
        room_id: str,
        *,
        even_active: bool = False,
        announce: Callable[[Room], Announcement] | None = None,
    ) -> bool:
        statement = delete(rooms).where(rooms.c.room_id == room_id)
        if not even_active:
            statement = statement.where(rooms.c.status != "active_meeting")

        def work(connection: Connection) -> bool:
            row = connection.execute(_BY_ID, {"room_id": room_id}).one_or_none()
            if row is not None and announce is not None:
                append(connection, [announce(_room(_Columns._make(row)))])
            return connection.execute(statement).rowcount == 1

        try:
            return await self._database.write(work)
        except IntegrityError:
            raise RoomStillHasRecordings(room_id) from None


def stored_room(connection: Connection, room_id: str) -> Room | None:
    """The room as this connection sees it, None when absent."""
    row = connection.execute(_BY_ID, {"room_id": room_id}).one_or_none()
    return _room(_Columns._make(row)) if row is not None else None


def _filtered(wanted: RoomFilter) -> Select[Any]:
    """The rooms within all filters but the text filter."""
    statement = select(*_COLUMNS, rooms.c.seq)
    if wanted.status is not None:
        statement = statement.where(rooms.c.status == bindparam("status", wanted.status))
    if wanted.expired_before is not None:
        statement = statement.where(rooms.c.auto_deletion_date < bindparam("expired_before", wanted.expired_before))
    return statement if wanted.reach is None else statement.where(_within(wanted.reach))


def _within(reach: Reach) -> Any:
    ways: list[Any] = []
    if reach.owner is not None:
        ways.append(rooms.c.owner == bindparam("owner", reach.owner))
    if reach.member is not None:
        member = room_members.c.user_id == bindparam("member", reach.member)
        ways.append(exists().where((room_members.c.room_id == rooms.c.room_id) & member))
    if reach.user_access:
        ways.append(rooms.c.user_access)
    return or_(False, *ways)


@lru_cache(maxsize=1024)
def _room(row: _Columns) -> Room:
    """The room a row describes. The same row always gives the same room, which nobody changes: rooms that are asked for
    again and again (lists, polling) need not be parsed again and again."""
    document = orjson.loads(row.document)
    return Room(
        room_id=row.room_id,
        room_name=row.room_name,
        owner=row.owner,
        status=row.status,
        creation_date=row.creation_date,
        auto_deletion_date=row.auto_deletion_date,
        meeting_end_action=row.meeting_end_action,
        roles_updated_at=row.roles_updated_at,
        config=document["config"],
        roles=document["roles"],
        access=document["access"],
        auto_deletion_policy=document.get("autoDeletionPolicy"),
    )


def room_values(room: Room) -> dict[str, Any]:
    document: dict[str, Any] = {"config": room.config, "roles": room.roles, "access": room.access}
    if room.auto_deletion_policy is not None:
        document["autoDeletionPolicy"] = room.auto_deletion_policy
    return {
        "room_id": room.room_id,
        "room_name": room.room_name,
        "room_name_folded": room.room_name.casefold(),
        "owner": room.owner,
        "status": room.status,
        "creation_date": room.creation_date,
        "auto_deletion_date": room.auto_deletion_date,
        "meeting_end_action": room.meeting_end_action,
        "roles_updated_at": room.roles_updated_at,
        "user_access": room.access["user"]["enabled"],
        "document": orjson.dumps(document).decode(),
    }
