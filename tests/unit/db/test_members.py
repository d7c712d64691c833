"""Room members in SQL: what the transaction of an addition sees, changes, and removals."""

from __future__ import annotations

from dataclasses import replace

import pytest

from meet.core.model.member import Candidacy, MemberFilter
from meet.core.model.paging import PageRequest
from meet.core.model.room import Room, RoomMember
from meet.db import Database
from tests.unit.db.samples import room
from tests.unit.db.test_users import speaker, user


@pytest.fixture
async def house(database: Database) -> Database:
    """room-1 with the member alice."""
    repositories = database.repositories()
    await repositories.users.add(user("alice"))
    await repositories.rooms.add(room())
    assert await repositories.members.add("room-1", "alice", speaker) is not None
    return database


async def test_an_addition_sees_room_user_and_membership(house: Database) -> None:
    seen: list[Candidacy] = []

    def refuse(found: Candidacy) -> RoomMember:
        seen.append(found)
        raise LookupError

    members = house.repositories().members
    for user_id in ("alice", "ghost", None):
        with pytest.raises(LookupError):
            await members.add("room-1", user_id, refuse)
    assert [(each.user is not None, each.is_member) for each in seen] == [(True, True), (False, False), (False, False)]
    assert await members.add("nowhere", None, refuse) is None
    assert len((await members.page("room-1", MemberFilter(), PageRequest("name"))).items) == 1


async def test_a_change_sees_the_room_and_is_stored(house: Database) -> None:
    members = house.repositories().members

    def change(found: Room, member: RoomMember) -> RoomMember:
        assert found.room_id == "room-1"
        held = {**member.effective_permissions, "canRetrieveRecordings": False}
        return replace(member, custom_permissions={"canRetrieveRecordings": False}, effective_permissions=held)

    changed = await members.modify("room-1", "alice", change)
    assert changed is not None
    assert await members.get("room-1", "alice") == changed
    column = "SELECT can_retrieve_recordings FROM room_members"
    assert house.reader.exec_driver_sql(column).scalar_one() == 0
    assert await members.modify("room-1", "bob", change) is None


async def test_removal_tells_who_was_there(house: Database) -> None:
    members = house.repositories().members
    assert await members.remove("room-2", ["alice"]) == []
    assert await members.remove("room-1", ["bob", "alice", "alice"]) == ["alice"]
    assert await members.get("room-1", "alice") is None


async def test_members_go_with_their_room(house: Database) -> None:
    assert await house.repositories().rooms.delete("room-1")
    assert await house.repositories().members.get("room-1", "alice") is None
