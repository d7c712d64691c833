"""Users in SQL: what follows from a role, who inherits, and counts."""

from __future__ import annotations

import pytest

from meet.core.model.account import Totals, UserFilter
from meet.core.model.member import Candidacy, effective_permissions
from meet.core.model.paging import PageRequest, TextMatch
from meet.core.model.room import RoomMember
from meet.core.model.user import User, UserRole
from meet.db import Database
from tests.unit.db.samples import recording, room


def user(user_id: str, role: UserRole = "room_manager", name: str = "Somebody") -> User:
    return User(
        user_id=user_id, name=name, role=role, registration_date=1, role_updated_at=1, password_hash="secret hash"
    )


def speaker(found: Candidacy) -> RoomMember:
    assert found.user is not None
    return RoomMember(
        room_id=found.room.room_id,
        member_id=found.user.user_id,
        user_id=found.user.user_id,
        name=found.user.name,
        membership_date=1,
        base_role="speaker",
        custom_permissions=None,
        effective_permissions=effective_permissions(found.room.roles, "speaker", None),
        permissions_updated_at=1,
    )


@pytest.fixture
async def house(database: Database) -> Database:
    """alice owns room-1 with a recording, bob owns room-2, alice is a member there."""
    repositories = database.repositories()
    for user_id in ("alice", "bob"):
        assert await repositories.users.add(user(user_id))
    await repositories.rooms.add(room("room-1", owner="alice"))
    await repositories.rooms.add(room("room-2", owner="bob"))
    await repositories.recordings.create(recording(1, room_owner="alice", status="complete"))
    await repositories.members.add("room-2", "alice", speaker)
    return database


async def owners(database: Database) -> list[str]:
    rooms = database.reader.exec_driver_sql("SELECT owner FROM rooms ORDER BY seq").scalars()
    recordings = database.reader.exec_driver_sql("SELECT room_owner FROM recordings ORDER BY seq").scalars()
    return [*rooms, *recordings]


async def test_an_id_is_given_once(house: Database) -> None:
    assert not await house.repositories().users.add(user("alice", name="Another"))
    stored = await house.repositories().users.get("alice")
    assert stored == user("alice")
    assert "secret hash" not in repr(stored)


async def test_roles_and_what_follows(house: Database) -> None:
    users, members = house.repositories().users, house.repositories().members
    change = await users.change_role("alice", "room_manager", 5, "root")
    assert change is not None
    assert (change.changed, change.user.role_updated_at) == (False, 1)
    change = await users.change_role("alice", "room_member", 6, "root")
    assert change is not None
    assert (change.changed, change.user.role, change.user.role_updated_at) == (True, "room_member", 6)
    assert await owners(house) == ["root", "bob", "root"]
    assert await members.get("room-2", "alice") is not None
    await users.change_role("alice", "admin", 7, "root")
    assert await members.get("room-2", "alice") is None
    assert await users.change_role("ghost", "admin", 8, "root") is None


async def test_what_a_removed_user_leaves(house: Database) -> None:
    users = house.repositories().users
    assert await users.remove("alice", "root")
    assert await owners(house) == ["root", "bob", "root"]
    assert await house.repositories().members.get("room-2", "alice") is None
    assert not await users.remove("alice", "root")
    assert await users.get("alice") is None


async def test_only_those_without_the_right_are_disowned(house: Database) -> None:
    users = house.repositories().users
    assert not await users.disown("alice", "root")
    await house.repositories().rooms.add(room("room-3", owner="ghost"))
    assert await users.disown("ghost", "root")
    assert await owners(house) == ["alice", "bob", "root", "alice"]


async def test_a_recording_belongs_to_whoever_owns_its_room_now(house: Database) -> None:
    late = recording(2, room_id="room-2", room_owner="alice")
    assert await house.repositories().recordings.create(late)
    assert (await owners(house))[-1] == "bob"


async def test_lists(house: Database) -> None:
    users = house.repositories().users
    await users.add(user("carol", "room_member", "Zoë"))

    async def found(wanted: UserFilter, order: str = "asc") -> list[str]:
        request = PageRequest("name", "desc" if order == "desc" else "asc")
        return [each.user_id for each in (await users.page(wanted, request)).items]

    assert await found(UserFilter()) == ["alice", "bob", "carol"]
    assert await found(UserFilter("bob", TextMatch("ZOË", "exact", True, "name"))) == ["bob", "carol"]
    assert await found(UserFilter(None, TextMatch("some", "prefix", True, "name"), "room_member")) == []
    assert await found(UserFilter(role="room_manager"), "desc") == ["bob", "alice"]


async def test_counts(house: Database) -> None:
    repositories = house.repositories()
    await repositories.rooms.add(room("room-3", status="active_meeting"))
    await repositories.recordings.create(recording(2, room_id="room-3", status="active"))
    await repositories.recordings.create(recording(3, room_id="room-3", status="complete"))
    await repositories.recordings.begin_delete([recording(3, room_id="room-3").recording_id], 9)
    totals = await repositories.analytics.totals()
    assert totals == Totals(rooms=3, active_rooms=1, recordings=2, complete_recordings=1)
