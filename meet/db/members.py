"""Room members in SQL, read side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
from sqlalchemy import bindparam, select

from meet.core.model.room import RoomMember

from .tables import room_members

if TYPE_CHECKING:
    from .engine import Database

_BY_ID = select(room_members).where(
    room_members.c.room_id == bindparam("room_id"), room_members.c.member_id == bindparam("member_id")
)


class SqlMembers:
    """Implements `meet.core.ports.MemberRepository`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, room_id: str, member_id: str) -> RoomMember | None:
        parameters = {"room_id": room_id, "member_id": member_id}
        row = self._database.reader.execute(_BY_ID, parameters).one_or_none()
        if row is None:
            return None
        document = orjson.loads(row.document)
        return RoomMember(
            room_id=row.room_id,
            member_id=row.member_id,
            user_id=row.user_id,
            name=row.name,
            membership_date=row.membership_date,
            base_role=row.base_role,
            custom_permissions=document.get("customPermissions"),
            effective_permissions=document["effectivePermissions"],
            permissions_updated_at=row.permissions_updated_at,
        )
