"""What member operations answer and do, beyond their status: contract 2.3, 2.2.5, 3.6."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from meet.core.model.member import NewMember
from meet.core.model.permissions import ALL, NONE, SPEAKER, overlay
from meet.core.model.room import RoomMember
from meet.core.model.user import User

from .calls import call
from .people import add_member, add_user
from .world import ORIGIN, Scene, new_scene

pytestmark = pytest.mark.asyncio(loop_scope="session")

MEMBERS = "/api/v1/rooms/{room}/members"
SOMEONE = f"{MEMBERS}/{{someone}}"
ROLES = "/api/v1/rooms/{room}/roles"
TOKEN = "/internal-api/v1/rooms/{room}/members/token"
EXTRA = {"extraFields": "effectivePermissions"}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def token_of(scene: Scene, member: RoomMember) -> dict[str, str]:
    token = scene.world.member_token(member.room_id, overlay(NONE, None), member_id=member.member_id)
    return {"X-Room-Member-Token": f"Bearer {token}"}


def login_of(scene: Scene, user: User) -> dict[str, str]:
    return bearer(scene.world.user_token(user.user_id))


async def guest(scene: Scene, **more: Any) -> RoomMember:
    return await add_member(scene, NewMember(**{"name": "Ana", "base_role": "speaker", **more}))


async def a_moment() -> None:
    await asyncio.sleep(0.002)  # a token and a change of the same millisecond do not tell which was first


async def test_a_guest_gets_a_link_of_their_own(scene: Scene) -> None:
    body = {"name": "Ana María", "baseRole": "speaker", "customPermissions": {"canRecord": True, "nonsense": True}}
    response = await call(scene, "POST", MEMBERS, 201, json=body, params=EXTRA)
    member = response.json()
    room = scene.room.room_id
    assert member["memberId"].startswith("guest-")
    assert len(member["memberId"]) == 16
    assert response.headers["location"] == f"{ORIGIN}/meet/api/v1/rooms/{room}/members/{member['memberId']}"
    assert member == {
        "memberId": member["memberId"],
        "roomId": room,
        "name": "Ana María",
        "type": "identified_guest",
        "membershipDate": member["membershipDate"],
        "accessUrl": f"{ORIGIN}/meet/room/{room}?secret={member['memberId']}",
        "baseRole": "speaker",
        "customPermissions": {"canRecord": True},
        "effectivePermissions": {**SPEAKER, "canRecord": True},
        "permissionsUpdatedAt": member["membershipDate"],
        "_extraFields": ["effectivePermissions"],
    }
    request = {"secret": member["memberId"], "joinMeeting": True}
    token = (await call(scene, "POST", TOKEN, who="nobody", json=request)).json()["token"]
    metadata = json.loads(scene.world.metadata_of(token))
    assert metadata["memberId"] == member["memberId"]
    assert metadata["permissions"] == {**SPEAKER, "canRecord": True}


async def test_a_user_becomes_a_member_under_their_own_name(scene: Scene) -> None:
    user = await add_user(scene)
    body = {"userId": user.user_id, "baseRole": "moderator"}
    member = (await call(scene, "POST", MEMBERS, 201, json=body)).json()
    assert (member["memberId"], member["name"], member["type"]) == (user.user_id, "Person", "user")
    assert member["accessUrl"] == f"{ORIGIN}/meet/room/{scene.room.room_id}"
    assert not {"customPermissions", "effectivePermissions"} & set(member)
    # They reach the room now, with their login and nothing else.
    room = (await call(scene, "GET", "/api/v1/rooms/{room}", who="nobody", headers=login_of(scene, user))).json()
    assert "url" in room["access"]["anonymous"]["moderator"]


async def test_fields_select_also_by_header(scene: Scene) -> None:
    member = await guest(scene)
    chosen = (await call(scene, "GET", SOMEONE, params={"fields": "name,nonsense"})).json()
    assert chosen == {"name": "Ana", "_extraFields": ["effectivePermissions"]}
    headers = {"X-Fields": "memberId", "X-ExtraFields": "effectivePermissions"}
    listed = (await call(scene, "GET", MEMBERS, headers=headers)).json()
    assert listed["members"] == [{"memberId": member.member_id, "effectivePermissions": dict(SPEAKER)}]
    assert listed["_extraFields"] == ["effectivePermissions"]
    assert listed["pagination"] == {"isTruncated": False, "maxItems": 10}


async def test_lists_are_filtered_and_paged(scene: Scene) -> None:
    user = await add_user(scene)
    await add_member(scene, NewMember(user_id=user.user_id, base_role="moderator"))
    guests = [(await guest(scene, name=f"Guest {number}")).member_id for number in range(5)]

    async def found(**params: str) -> list[str]:
        listed = (await call(scene, "GET", MEMBERS, params=params)).json()["members"]
        return [item["memberId"] for item in listed]

    assert await found(type="user") == [user.user_id]
    assert await found(baseRole="moderator") == [user.user_id]
    assert await found(name="GUEST 3", nameCaseInsensitive="true") == [guests[3]]
    assert await found(name="guest") == []
    paged: list[str] = []
    params = {"maxItems": "2", "sortField": "name", "sortOrder": "asc", "fields": "memberId"}
    while True:
        page = (await call(scene, "GET", MEMBERS, params=params)).json()
        paged += [item["memberId"] for item in page["members"]]
        if not page["pagination"]["isTruncated"]:
            break
        params["nextPageToken"] = page["pagination"]["nextPageToken"]
    assert paged == [*guests, user.user_id]


async def test_members_read_themselves_and_nobody_else(scene: Scene) -> None:
    other = await guest(scene, name="Bob")
    member = await guest(scene)
    path = f"{MEMBERS}/{member.member_id}"
    await call(scene, "GET", path, who="nobody", headers=token_of(scene, member))
    await call(scene, "GET", path, 403, who="nobody", headers=token_of(scene, other))
    user = await add_user(scene, "room_manager")
    mine = await add_member(scene, NewMember(user_id=user.user_id, base_role="speaker"))
    login = login_of(scene, user)
    await call(scene, "GET", f"{MEMBERS}/{mine.member_id}", who="nobody", headers=login)
    await call(scene, "GET", path, 403, who="nobody", headers=login)
    await call(scene, "GET", MEMBERS, 403, who="nobody", headers=login)


async def test_owners_manage_their_members(scene: Scene) -> None:
    own = await new_scene(scene.world, "manager")
    body = (await call(own, "POST", MEMBERS, 201, who="manager", json={"name": "Ana", "baseRole": "speaker"})).json()
    own.variables["someone"] = body["memberId"]
    await call(own, "PUT", SOMEONE, who="manager", json={"baseRole": "moderator"})
    await call(own, "DELETE", SOMEONE, who="manager")


async def test_a_change_keeps_what_it_does_not_mention(scene: Scene) -> None:
    await guest(scene, custom_permissions={"canRecord": True})
    changed = (await call(scene, "PUT", SOMEONE, json={"baseRole": "moderator"}, params=EXTRA)).json()
    assert changed["customPermissions"] == {"canRecord": True}
    assert changed["effectivePermissions"] == dict(ALL)
    custom = {"customPermissions": {"canEndMeeting": False}}
    changed = (await call(scene, "PUT", SOMEONE, json=custom, params=EXTRA)).json()
    assert (changed["baseRole"], changed["customPermissions"]) == ("moderator", {"canEndMeeting": False})
    assert changed["effectivePermissions"] == {**ALL, "canEndMeeting": False}
    changed = (await call(scene, "PUT", SOMEONE, json={"customPermissions": {}}, params=EXTRA)).json()
    assert "customPermissions" not in changed
    assert changed["effectivePermissions"] == dict(ALL)


async def test_a_change_ends_old_tokens_of_that_member_only(scene: Scene) -> None:
    other = await guest(scene, name="Bob")
    member = await guest(scene)
    theirs, others = token_of(scene, member), token_of(scene, other)
    await a_moment()
    changed = (await call(scene, "PUT", SOMEONE, json={"baseRole": "moderator"})).json()
    assert changed["permissionsUpdatedAt"] > member.permissions_updated_at
    await call(scene, "GET", "/api/v1/rooms/{room}", 401, who="nobody", headers=theirs)
    await call(scene, "GET", "/api/v1/rooms/{room}", who="nobody", headers=others)


async def test_who_is_in_the_meeting_is_told_or_has_to_go(scene: Scene) -> None:
    member = await guest(scene)
    await call(scene, "PUT", SOMEONE, json={"baseRole": "moderator"})  # not there: nobody to tell
    scene.world.media.join(scene.room.room_id, member.member_id)
    await call(scene, "PUT", SOMEONE, json={"baseRole": "speaker"})
    await scene.world.core.signals.drain()
    sent = [item for item in scene.world.media.sent if item[0] == scene.room.room_id]
    [(_, topic, payload)] = sent
    assert topic == "meet_participant_permissions_updated"
    signal = json.loads(payload)
    assert signal == {
        "roomId": scene.room.room_id,
        "participantIdentity": member.member_id,
        "timestamp": signal["timestamp"],
    }
    await call(scene, "PUT", SOMEONE, json={"customPermissions": {"canJoinMeeting": False}})
    assert member.member_id not in scene.world.media.rooms[scene.room.room_id]
    request = {"secret": member.member_id, "joinMeeting": True}
    await call(scene, "POST", TOKEN, 403, who="nobody", json=request)


async def test_removed_members_have_to_go(scene: Scene) -> None:
    first, second = await guest(scene), await guest(scene, name="Bob")
    for member in (first, second):
        scene.world.media.join(scene.room.room_id, member.member_id)
    body = (await call(scene, "DELETE", f"{MEMBERS}/{first.member_id}")).json()
    room = scene.room.room_id
    assert body == {"message": f"Member '{first.member_id}' deleted successfully from room '{room}'"}
    assert set(scene.world.media.rooms[room]) == {second.member_id}
    params = {"memberIds": f"{second.member_id}, ghost,{second.member_id}"}
    body = (await call(scene, "DELETE", MEMBERS, 400, params=params)).json()
    assert body == {
        "message": "1 room member(s) could not be deleted",
        "deleted": [second.member_id],
        "failed": [{"memberId": "ghost", "error": "Room member not found"}],
    }
    assert scene.world.media.rooms[room] == {}
    await call(scene, "POST", TOKEN, 404, who="nobody", json={"secret": first.member_id})


async def test_removal_does_not_depend_on_the_media_server(scene: Scene) -> None:
    member = await guest(scene)
    scene.world.media.reachable = False
    body = (await call(scene, "DELETE", MEMBERS, params={"memberIds": member.member_id})).json()
    assert body == {"message": "All room members deleted successfully", "deleted": [member.member_id], "failed": []}


async def test_members_follow_the_roles_of_their_room(scene: Scene) -> None:
    own = await guest(scene, custom_permissions={"canRecord": True})
    plain = await guest(scene, name="Bob")
    old = token_of(scene, plain)
    await a_moment()
    roles = {"speaker": {"permissions": {"canWriteChat": False, "canRecord": False, "canRetrieveRecordings": False}}}
    await call(scene, "PUT", ROLES, json={"roles": roles})
    room = (await call(scene, "GET", "/api/v1/rooms/{room}")).json()
    listed = (await call(scene, "GET", MEMBERS, params=EXTRA)).json()["members"]
    held = {item["memberId"]: item["effectivePermissions"] for item in listed}
    less = {**SPEAKER, "canWriteChat": False, "canRetrieveRecordings": False}
    assert held == {own.member_id: {**less, "canRecord": True}, plain.member_id: less}
    assert {item["permissionsUpdatedAt"] for item in listed} == {room["rolesUpdatedAt"]}
    await call(scene, "GET", "/api/v1/rooms/{room}", 401, who="nobody", headers=old)


async def test_fifty_additions_of_one_user_make_one_member(scene: Scene) -> None:
    user = await add_user(scene)
    body = {"userId": user.user_id, "baseRole": "speaker"}
    path, key = scene.fill(MEMBERS), {"X-API-KEY": "ovmeet-0123456789abcdef0123456789abcdef"}
    answers = await asyncio.gather(*(scene.world.client.post(path, json=body, headers=key) for _ in range(50)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 49
