"""Rows of `room_members`, and what a change of a room's roles does to them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
from sqlalchemy import Connection, Row, select, update

from meet.core.model.member import effective_permissions
from meet.core.model.permissions import holds
from meet.core.model.room import Room, RoomMember

from .tables import room_members


def member_of(row: Row[*tuple[Any, ...]]) -> RoomMember:
    """The member a row describes."""
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


def member_values(member: RoomMember) -> dict[str, Any]:
    """All columns of a member."""
    document: dict[str, Any] = {"effectivePermissions": member.effective_permissions}
    if member.custom_permissions is not None:
        document["customPermissions"] = member.custom_permissions
    return {
        "room_id": member.room_id,
        "member_id": member.member_id,
        "user_id": member.user_id,
        "name": member.name,
        "name_folded": member.name.casefold(),
        "base_role": member.base_role,
        "membership_date": member.membership_date,
        "permissions_updated_at": member.permissions_updated_at,
        "can_retrieve_recordings": holds(member.effective_permissions, "recordingList"),
        "document": orjson.dumps(document).decode(),
    }


def recompute(connection: Connection, room: Room) -> None:
    """Effective permissions of every member of `room` from its roles, dated with its `roles_updated_at`."""
    rows = connection.execute(select(room_members).where(room_members.c.room_id == room.room_id)).all()
    for row in rows:
        member = member_of(row)
        held = effective_permissions(room.roles, member.base_role, member.custom_permissions)
        changed = replace(member, effective_permissions=held, permissions_updated_at=room.roles_updated_at)
        connection.execute(update(room_members).where(room_members.c.seq == row.seq).values(member_values(changed)))
