"""Users: who may, what is protected, and what follows from a change (contract 2.1)."""

from __future__ import annotations

import asyncio
import json

import pytest

from meet.core.account_errors import ProtectedUser, UserExists
from meet.core.callers import Caller, RoomMemberClaims
from meet.core.errors import InsufficientPermissions, InvalidToken, UserNotFound
from meet.core.model.account import NewUser, UserFilter
from meet.core.model.member import NewMember
from meet.core.model.paging import PageRequest
from meet.core.model.permissions import ALL, overlay
from meet.core.model.room import NewRoom
from meet.core.token_codec import TokenCodec
from meet.core.tokens import MemberTokenRequest

from .conftest import World

PAGE = PageRequest("registrationDate")


async def test_only_administrators_administer(world: World) -> None:
    manager, member = await world.user("manager", "room_manager"), await world.user("member")
    claims = RoomMemberClaims(iat=world.clock.now, room_id="r", permissions=overlay(ALL, None), badge="admin")
    disguised = Caller("room_member", user=world.admin.user, member=claims)
    new = NewUser(user_id="alice", name="Alice", role="room_member", password="12345")
    users = world.core.users
    for caller in (manager, member, disguised, Caller("anonymous", user=world.admin.user)):
        for attempt in (
            users.create(caller, new),
            users.delete(caller, "member"),
            users.delete_many(caller, ["member"]),
            users.reset_password(caller, "member", "12345"),
            users.change_role(caller, "member", "admin"),
        ):
            with pytest.raises(InsufficientPermissions):
                await attempt
    assert [user.user_id for user in (await users.list(manager, UserFilter(), PAGE)).items] == [
        "member",
        "manager",
        "admin",
    ]
    for caller in (member, disguised):
        with pytest.raises(InsufficientPermissions):
            await users.list(caller, UserFilter(), PAGE)
        with pytest.raises(InsufficientPermissions):
            await users.get(caller, "admin")


async def test_of_two_creations_at_once_one_wins(world: World) -> None:
    new = NewUser(user_id="alice", name="Alice", role="room_member", password="12345")
    results = await asyncio.gather(
        *(world.core.users.create(world.admin, new) for _ in range(4)), return_exceptions=True
    )
    assert sum(isinstance(result, UserExists) for result in results) == 3


async def test_self_comes_before_root_only_for_passwords(world: World) -> None:
    """The order of the checks decides which text the root admin reads about itself."""
    with pytest.raises(ProtectedUser, match="your own password"):
        await world.core.users.reset_password(world.admin, "admin", "12345")
    with pytest.raises(ProtectedUser, match="role of the root admin"):
        await world.core.users.change_role(world.admin, "admin", "room_member")
    with pytest.raises(ProtectedUser, match="delete the root admin"):
        await world.core.users.delete(world.admin, "admin")


async def test_what_nobody_has_cannot_be_changed(world: World) -> None:
    for attempt in (
        world.core.users.get(world.admin, "ghost"),
        world.core.users.delete(world.admin, "ghost"),
        world.core.users.reset_password(world.admin, "ghost", "12345"),
        world.core.users.change_role(world.admin, "ghost", "admin"),
    ):
        with pytest.raises(UserNotFound):
            await attempt


async def test_tokens_from_before_a_role_change_are_void(world: World) -> None:
    user = await world.user("manager", "room_manager")
    assert user.user is not None
    codec = TokenCodec(world.core.settings, world.clock)
    before = codec.sign_user("manager", "Manager", "access")
    world.clock.advance(1)
    await world.core.users.change_role(world.admin, "manager", "room_member")
    with pytest.raises(InvalidToken):
        await world.core.auth.by_access_token(before)
    world.clock.advance(1)
    caller = await world.core.auth.by_access_token(codec.sign_user("manager", "Manager", "access"))
    assert caller.user is not None
    assert caller.user.role == "room_member"


async def test_a_room_made_while_its_owner_loses_the_right_passes_on(world: World) -> None:
    """The caller was a manager when the request came in, and is none when the room is stored."""
    manager = await world.user("manager", "room_manager")
    await world.core.users.change_role(world.admin, "manager", "room_member")
    room = await world.core.rooms.create(manager, NewRoom(room_name="Late"))
    assert room.owner == "admin"
    assert (await world.stored(room.room_id)).owner == "admin"
    await world.core.users.delete(world.admin, "manager")
    orphan = await world.core.rooms.create(manager, NewRoom(room_name="Later"))
    assert (await world.stored(orphan.room_id)).owner == "admin"


async def test_a_manager_who_becomes_administrator_keeps_the_rooms(world: World) -> None:
    manager = await world.user("manager", "room_manager")
    room = await world.core.rooms.create(manager, NewRoom())
    await world.core.users.change_role(world.admin, "manager", "admin")
    assert (await world.stored(room.room_id)).owner == "manager"


async def test_a_guests_link_does_not_hide_a_deleted_user(world: World) -> None:
    """With a guest's link and a login the identity is the guest's; the token that was issued says whose it is."""
    alice = await world.user("alice")
    room = await world.room(access={"user": {"enabled": True}})
    guest = await world.core.members.create(world.admin, room.room_id, NewMember(name="Ana", base_role="speaker"))
    request = MemberTokenRequest(secret=guest.member_id, join_meeting=True)
    await world.core.tokens.generate(alice, room.room_id, request, livekit_url="ws://media.example")
    world.media.join(room.room_id, guest.member_id, metadata="{}")
    await world.core.users.delete(world.admin, "alice")
    assert world.media.rooms[room.room_id] == []


async def test_nobody_is_thrown_out_for_what_their_metadata_says(world: World) -> None:
    """Participants write it themselves: it could name anybody."""
    await world.user("alice")
    room = await world.room()
    world.media.join(room.room_id, "bob", metadata=json.dumps({"userId": "alice"}))
    await world.core.users.delete(world.admin, "alice")
    assert [each.identity for each in world.media.rooms[room.room_id]] == ["bob"]


async def test_a_user_who_is_deleted_while_becoming_a_member_is_none(world: World) -> None:
    await world.user("alice")
    room = await world.room()
    new = NewMember(user_id="alice", base_role="speaker")
    await asyncio.gather(
        world.core.users.delete(world.admin, "alice"),
        world.core.members.create(world.admin, room.room_id, new),
        return_exceptions=True,
    )
    assert await world.repositories.members.get(room.room_id, "alice") is None
