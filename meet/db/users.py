"""Users in SQL as a resource: list, add, change the role, remove, and who inherits what they own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, delete, insert, or_, select, update

from meet.core.model.account import RoleChange, UserFilter
from meet.core.model.paging import Page, PageRequest
from meet.core.model.user import User, UserRole

from .keyset import keyset, page_of
from .tables import recordings, room_members, rooms, users
from .text import matches, time_limit
from .user_rows import store_password, stored_user, user_of, user_values

if TYPE_CHECKING:
    from .engine import Database

_SORT = {"registrationDate": users.c.registration_date, "name": users.c.name}


class SqlUsers:
    """Implements `meet.core.account_ports.UserRepository`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, user: User) -> bool:
        statement = insert(users).prefix_with("OR IGNORE", dialect="sqlite")
        return await self._database.write(
            lambda connection: connection.execute(statement, user_values(user)).rowcount == 1
        )

    async def get(self, user_id: str) -> User | None:
        return stored_user(self._database.reader, user_id)

    async def set_password(self, user_id: str, password_hash: str, must_change: bool) -> bool:
        return await self._database.write(
            lambda connection: store_password(connection, user_id, password_hash, must_change)
        )

    async def page(self, wanted: UserFilter, request: PageRequest) -> Page[User]:
        statement = select(users)
        named: list[Any] = []
        if wanted.user_id:
            named.append(users.c.user_id == wanted.user_id)
        if wanted.name is not None and wanted.name.value:
            named.append(matches(users.c.name, users.c.name_folded, wanted.name))
        if named:
            statement = statement.where(or_(*named))
        if wanted.role is not None:
            statement = statement.where(users.c.role == wanted.role)
        sort = _SORT[request.sort_field]
        with time_limit(wanted.name):
            rows = self._database.reader.execute(keyset(statement, sort, users.c.seq, request)).all()
        return page_of(rows, sort.name, request, user_of)

    async def change_role(
        self, user_id: str, role: UserRole, now: int, heir: str, check: Callable[[User], None] | None = None
    ) -> RoleChange | None:
        def work(connection: Connection) -> RoleChange | None:
            before = stored_user(connection, user_id)
            if before is None:
                return None
            if check is not None:
                check(before)
            if before.role == role:
                return RoleChange(before, changed=False)
            row = update(users).where(users.c.user_id == user_id)
            connection.execute(row.values(role=role, role_updated_at=now))
            if role == "admin":
                _leave_rooms(connection, user_id)
            if role == "room_member":
                _pass_on(connection, user_id, heir)
            return RoleChange(replace(before, role=role, role_updated_at=now), changed=True)

        return await self._database.write(work)

    async def remove(self, user_id: str, heir: str) -> bool:
        def work(connection: Connection) -> bool:
            if connection.execute(delete(users).where(users.c.user_id == user_id)).rowcount == 0:
                return False
            _leave_rooms(connection, user_id)
            _pass_on(connection, user_id, heir)
            return True

        return await self._database.write(work)

    async def disown(self, user_id: str, heir: str) -> bool:
        def work(connection: Connection) -> bool:
            user = stored_user(connection, user_id)
            if user is not None and user.role != "room_member":
                return False
            _pass_on(connection, user_id, heir)
            return True

        # Remembered users are as good as stored ones: no write of a user is answered before they are forgotten.
        user = self._database.cached(("user", user_id), lambda: stored_user(self._database.reader, user_id))
        if user is not None and user.role != "room_member":
            return False
        return await self._database.write(work)


def _leave_rooms(connection: Connection, user_id: str) -> None:
    connection.execute(delete(room_members).where(room_members.c.user_id == user_id))


def _pass_on(connection: Connection, user_id: str, heir: str) -> None:
    connection.execute(update(rooms).where(rooms.c.owner == user_id).values(owner=heir))
    connection.execute(update(recordings).where(recordings.c.room_owner == user_id).values(room_owner=heir))
