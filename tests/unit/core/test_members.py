"""Room members: rights, effective permissions, and what happens in the meeting (contract 2.3, 3.6)."""

from __future__ import annotations

import json

import pytest

from meet.core.account_errors import AlreadyMember, NeedsNoMembership
from meet.core.callers import Caller, RoomMemberClaims
from meet.core.errors import (
    InsufficientPermissions,
    RoomHasActiveMeeting,
    RoomMemberNotFound,
    RoomNotFound,
    UserNotFound,
)
from meet.core.model.member import MemberFilter, NewMember, effective_permissions, member_type
from meet.core.model.paging import PageRequest
from meet.core.model.permissions import MODERATOR, NONE, SPEAKER, overlay
from meet.core.model.room import NewRoom
from meet.core.room_documents import default_roles

from .conftest import World

PAGE = PageRequest("membershipDate")
GUEST = NewMember(name="Ana", base_role="speaker")


def held_by(room_id: str, member_id: str) -> Caller:
    claims = RoomMemberClaims(
        iat=0, room_id=room_id, permissions=overlay(NONE, None), badge="other", member_id=member_id
    )
    return Caller("room_member", member=claims)


def test_own_permissions_lie_on_top_of_the_role() -> None:
    held = effective_permissions(default_roles(), "speaker", {"canRecord": True, "canReadChat": False})
    assert held == {**SPEAKER, "canRecord": True, "canReadChat": False}
    assert effective_permissions(default_roles(), "moderator", None) == dict(MODERATOR)


async def test_only_those_who_manage_the_room_manage_its_members(world: World) -> None:
    owner, other = await world.user("owner", "room_manager"), await world.user("other", "room_manager")
    room_id = (await world.core.rooms.create(owner, NewRoom())).room_id
    members = world.core.members
    member = await members.create(owner, room_id, GUEST)
    assert member_type(member) == "identified_guest"
    for caller in (other, held_by(room_id, member.member_id), Caller("anonymous", user=world.admin.user)):
        for attempt in (
            members.create(caller, room_id, GUEST),
            members.list(caller, room_id, MemberFilter(), PAGE),
            members.update(caller, room_id, member.member_id, base_role="moderator"),
            members.delete(caller, room_id, member.member_id),
            members.delete_many(caller, room_id, [member.member_id]),
        ):
            with pytest.raises(InsufficientPermissions):
                await attempt
    assert (await members.list(world.admin, room_id, MemberFilter(), PAGE)).items == (member,)


async def test_existence_comes_before_rights(world: World) -> None:
    other = await world.user("other", "room_manager")
    room = await world.room()
    for attempt in (
        world.core.members.create(other, "nowhere", GUEST),
        world.core.members.list(other, "nowhere", MemberFilter(), PAGE),
        world.core.members.get(other, "nowhere", "x"),
        world.core.members.update(other, "nowhere", "x"),
        world.core.members.delete(other, "nowhere", "x"),
    ):
        with pytest.raises(RoomNotFound):
            await attempt
    with pytest.raises(RoomMemberNotFound):
        await world.core.members.get(other, room.room_id, "x")
    with pytest.raises(InsufficientPermissions):
        await world.core.members.update(other, room.room_id, "x")


async def test_whom_a_room_takes(world: World) -> None:
    owner = await world.user("owner", "room_manager")
    await world.user("chief", "admin")
    await world.user("alice")
    room_id = (await world.core.rooms.create(owner, NewRoom())).room_id

    async def add(user_id: str) -> None:
        await world.core.members.create(owner, room_id, NewMember(user_id=user_id, base_role="speaker"))

    await add("alice")
    for user_id, refusal in (
        ("ghost", UserNotFound),
        ("alice", AlreadyMember),
        ("chief", NeedsNoMembership),
        ("owner", NeedsNoMembership),
    ):
        with pytest.raises(refusal):
            await add(user_id)


async def test_who_may_not_join_any_more_has_to_go_and_others_are_told(world: World) -> None:
    room = await world.room()
    member = await world.core.members.create(world.admin, room.room_id, GUEST)
    world.media.join(room.room_id, member.member_id)
    world.media.join(room.room_id, "bystander")
    await world.core.members.update(world.admin, room.room_id, member.member_id, base_role="moderator")
    await world.core.signals.drain()
    [sent] = world.media.sent
    assert sent.identities == (member.member_id,)
    assert sent.topic == "meet_participant_permissions_updated"
    assert json.loads(sent.payload) == {
        "roomId": room.room_id,
        "participantIdentity": member.member_id,
        "timestamp": world.clock.now,
    }
    away = {"canJoinMeeting": False}
    await world.core.members.update(world.admin, room.room_id, member.member_id, custom_permissions=away)
    await world.core.signals.drain()
    assert [each.identity for each in world.media.rooms[room.room_id]] == ["bystander"]
    assert len(world.media.sent) == 1


async def test_the_media_server_is_not_needed(world: World) -> None:
    room = await world.room()
    member = await world.core.members.create(world.admin, room.room_id, GUEST)
    world.media.down = True
    changed = await world.core.members.update(world.admin, room.room_id, member.member_id, base_role="moderator")
    assert changed.effective_permissions == dict(MODERATOR)
    await world.core.members.delete(world.admin, room.room_id, member.member_id)
    with pytest.raises(RoomMemberNotFound):
        await world.core.members.get(world.admin, room.room_id, member.member_id)


async def test_roles_and_members_change_together(world: World) -> None:
    room = await world.room()
    custom = NewMember(name="Bob", base_role="speaker", custom_permissions={"canWriteChat": True})
    plain = await world.core.members.create(world.admin, room.room_id, GUEST)
    own = await world.core.members.create(world.admin, room.room_id, custom)
    chair = await world.core.members.create(world.admin, room.room_id, NewMember(name="C", base_role="moderator"))
    world.clock.advance(5)
    changes = {"speaker": {"permissions": {"canWriteChat": False, "canRetrieveRecordings": False}}}
    await world.core.rooms.update_roles(world.admin, room.room_id, changes)  # type: ignore[arg-type]
    less = {**SPEAKER, "canWriteChat": False, "canRetrieveRecordings": False}
    for before, held in ((plain, less), (own, {**less, "canWriteChat": True}), (chair, dict(MODERATOR))):
        after = await world.core.members.get(world.admin, room.room_id, before.member_id)
        assert after.effective_permissions == held
        assert after.permissions_updated_at == world.clock.now


async def test_a_refused_change_of_roles_touches_no_member(world: World) -> None:
    room = await world.meeting()
    member = await world.core.members.create(world.admin, room.room_id, GUEST)
    world.clock.advance(5)
    changes = {"speaker": {"permissions": {"canWriteChat": False}}}
    with pytest.raises(RoomHasActiveMeeting):
        await world.core.rooms.update_roles(world.admin, room.room_id, changes)  # type: ignore[arg-type]
    assert await world.core.members.get(world.admin, room.room_id, member.member_id) == member


async def test_access_leaves_members_as_they_are(world: World) -> None:
    room = await world.room()
    member = await world.core.members.create(world.admin, room.room_id, GUEST)
    world.clock.advance(5)
    await world.core.rooms.update_access(world.admin, room.room_id, {"user": {"enabled": True}})
    assert await world.core.members.get(world.admin, room.room_id, member.member_id) == member
