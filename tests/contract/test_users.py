"""What user operations answer and do, beyond their status: contract 2.1, 3.7."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from meet.core.callers import Caller
from meet.core.model.member import NewMember
from meet.core.model.participant import ParticipantGrant
from meet.core.model.permissions import ALL, overlay
from meet.core.model.room import NewRoom, Room
from meet.core.model.user import User, UserRole

from .calls import call
from .people import add_member, add_user, fresh
from .world import ORIGIN, Scene, add_recording

pytestmark = pytest.mark.asyncio(loop_scope="session")

USERS = "/api/v1/users"
PERSON = f"{USERS}/{{person}}"
LOGIN = "/internal-api/v1/auth/login"
ME = "/internal-api/v1/users/me"


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def login_of(scene: Scene, user: User) -> dict[str, str]:
    return bearer(scene.world.user_token(user.user_id))


async def room_of(scene: Scene, user: User) -> Room:
    return await scene.world.core.rooms.create(Caller("user", user=user), NewRoom(room_name="Own"))


async def set_role(scene: Scene, role: UserRole) -> dict[str, Any]:
    await asyncio.sleep(0.002)  # a token and a role change of the same millisecond do not tell who was first
    body: dict[str, Any] = (await call(scene, "PUT", f"{PERSON}/role", json={"role": role})).json()
    return body


def signals(scene: Scene, topic: str) -> list[dict[str, Any]]:
    return [json.loads(payload) for _, sent, payload in scene.world.media.sent if sent == topic]


async def test_a_new_user_has_to_choose_a_password_first(scene: Scene) -> None:
    await fresh(scene)
    user_id = scene.variables["fresh"]
    new = {"userId": user_id, "name": "Alice", "role": "room_manager", "password": "first one", "nonsense": 1}
    response = await call(scene, "POST", USERS, 201, json=new)
    assert response.headers["location"] == f"{ORIGIN}/meet{USERS}/{user_id}"
    user = response.json()
    assert user == {
        "userId": user_id,
        "name": "Alice",
        "role": "room_manager",
        "registrationDate": user["registrationDate"],
        "roleUpdatedAt": user["registrationDate"],
    }
    login = {"userId": user_id, "password": "first one"}
    first = (await call(scene, "POST", LOGIN, who="nobody", json=login)).json()
    assert first["mustChangePassword"] is True
    assert "refreshToken" not in first
    temporary = bearer(first["accessToken"])
    assert (await call(scene, "GET", ME, who="nobody", headers=temporary)).json() == user
    refused = (await call(scene, "GET", USERS, 403, who="nobody", headers=temporary)).json()
    assert refused["message"].startswith("Password change required")
    change = {"currentPassword": "first one", "newPassword": "second one"}
    path = "/internal-api/v1/users/change-password"
    changed = (await call(scene, "POST", path, who="nobody", headers=temporary, json=change)).json()
    await call(scene, "GET", USERS, who="nobody", headers=bearer(changed["accessToken"]))


async def test_a_reset_shuts_the_user_out_until_they_choose_another_password(scene: Scene) -> None:
    user = await add_user(scene, "room_manager")
    await call(scene, "GET", USERS, who="nobody", headers=login_of(scene, user))
    body = (await call(scene, "PUT", f"{PERSON}/password", json={"newPassword": "given by me"})).json()
    assert body["message"] == (
        f"Password for user '{user.user_id}' has been reset successfully. User must change password on next login."
    )
    await call(scene, "GET", USERS, 403, who="nobody", headers=login_of(scene, user))
    login = {"userId": user.user_id, "password": "given by me"}
    assert (await call(scene, "POST", LOGIN, who="nobody", json=login)).json()["mustChangePassword"] is True


async def test_a_required_change_of_the_password_ends_older_sessions(scene: Scene) -> None:
    user = await add_user(scene, "room_manager")
    stolen = login_of(scene, user)
    renewal = {"X-Refresh-Token": f"Bearer {scene.world.codec.sign_user(user.user_id, user.name, 'refresh')}"}
    refresh = "/internal-api/v1/auth/refresh"
    await call(scene, "POST", refresh, who="nobody", headers=renewal)
    await call(scene, "PUT", f"{PERSON}/password", json={"newPassword": "given by me"})
    await call(scene, "POST", refresh, 403, who="nobody", headers=renewal)
    login = {"userId": user.user_id, "password": "given by me"}
    temporary = bearer((await call(scene, "POST", LOGIN, who="nobody", json=login)).json()["accessToken"])
    change = {"currentPassword": "given by me", "newPassword": "my own choice"}
    path = "/internal-api/v1/users/change-password"
    fresh_tokens = (await call(scene, "POST", path, who="nobody", headers=temporary, json=change)).json()
    for old in (stolen, temporary):
        assert (await call(scene, "GET", ME, 401, who="nobody", headers=old)).json()["message"] == "Invalid token"
    await call(scene, "POST", refresh, 400, who="nobody", headers=renewal)
    mine = bearer(fresh_tokens["accessToken"])
    await call(scene, "GET", USERS, who="nobody", headers=mine)
    await call(
        scene, "POST", refresh, who="nobody", headers={"X-Refresh-Token": f"Bearer {fresh_tokens['refreshToken']}"}
    )
    # A change of one's own accord leaves one's sessions alone.
    again = {"currentPassword": "my own choice", "newPassword": "another one"}
    assert set((await call(scene, "POST", path, who="nobody", headers=mine, json=again)).json()) == {"message"}
    await call(scene, "GET", USERS, who="nobody", headers=mine)


async def test_the_own_account_is_left_to_others(scene: Scene) -> None:
    user = await add_user(scene, "admin")
    own = login_of(scene, user)

    async def told(method: str, path: str, body: Any = None) -> str:
        response = await call(scene, method, f"{PERSON}{path}", 403, who="nobody", headers=own, json=body)
        assert response.json()["error"] == "User Error"
        message: str = response.json()["message"]
        return message

    assert await told("DELETE", "") == (
        "Cannot delete your own account. Please have another administrator delete your account if needed."
    )
    assert (await told("PUT", "/password", {"newPassword": "12345"})).startswith("Cannot reset your own password.")
    assert await told("PUT", "/role", {"role": "room_member"}) == (
        "Cannot change your own role. Please have another administrator change your role if needed."
    )
    # The root administrator is nobody's business either.
    path = f"{USERS}/admin/password"
    body = (await call(scene, "PUT", path, 403, who="nobody", headers=own, json={"newPassword": "12345"})).json()
    assert body["message"].startswith("Cannot reset password for the root admin user.")


async def test_the_same_role_changes_nothing(scene: Scene) -> None:
    user = await add_user(scene, "room_manager")
    assert (await set_role(scene, "room_manager"))["roleUpdatedAt"] == user.role_updated_at
    await call(scene, "GET", USERS, who="nobody", headers=login_of(scene, user))


async def test_who_becomes_a_room_member_owns_nothing_any_more(scene: Scene) -> None:
    user = await add_user(scene, "room_manager")
    room = await room_of(scene, user)
    recording = await add_recording(scene.world, room, media=False)
    before = login_of(scene, user)
    member_token = scene.world.member_token(room.room_id, overlay(ALL, None), user_id=user.user_id)
    as_owner = {"X-Room-Member-Token": f"Bearer {member_token}"}
    path = f"/api/v1/rooms/{room.room_id}"
    await call(scene, "GET", path, who="nobody", headers=as_owner)

    changed = await set_role(scene, "room_member")
    assert changed["role"] == "room_member"
    assert changed["roleUpdatedAt"] > user.role_updated_at
    assert (await call(scene, "GET", path)).json()["owner"] == "admin"
    stored = await scene.world.repositories.recordings.get(recording.recording_id)
    assert stored is not None
    assert stored.room_owner == "admin"
    # Everything made before is void; what is made now reaches less.
    await call(scene, "GET", path, 401, who="nobody", headers=before)
    await call(scene, "GET", path, 401, who="nobody", headers=as_owner)
    await call(scene, "GET", path, 403, who="nobody", headers=login_of(scene, user))


async def test_who_becomes_an_administrator_leaves_the_rooms_of_others(scene: Scene) -> None:
    user = await add_user(scene, "room_member")
    await add_member(scene, NewMember(user_id=user.user_id, base_role="speaker"))
    await set_role(scene, "admin")
    members = (await call(scene, "GET", "/api/v1/rooms/{room}/members")).json()["members"]
    assert members == []
    await call(scene, "GET", "/api/v1/rooms/{room}", who="nobody", headers=login_of(scene, user))


async def come(scene: Scene, room_id: str, identity: str, user: User) -> None:
    """The user is in the meeting, with a join token of ours."""
    own = ParticipantGrant(permissions=overlay(ALL, None), badge="other", user_id=user.user_id)
    await scene.world.repositories.participants.issue(room_id, identity, own, scene.world.clock.now_ms())
    scene.world.media.join(room_id, identity)


async def test_a_role_change_is_told_in_every_meeting(scene: Scene) -> None:
    user = await add_user(scene, "room_manager")
    await come(scene, scene.room.room_id, user.user_id, user)
    await come(scene, scene.other.room_id, "guest-1", user)
    scene.world.media.join("not-one-of-ours", user.user_id)
    scene.world.media.join(scene.room.room_id, "somebody_else")
    await set_role(scene, "room_member")
    await scene.world.core.signals.drain()
    told = signals(scene, "meet_participant_permissions_updated")
    mine = [item for item in told if item["roomId"] in (scene.room.room_id, scene.other.room_id)]
    assert sorted((item["roomId"], item["participantIdentity"]) for item in mine) == sorted(
        [(scene.room.room_id, user.user_id), (scene.other.room_id, "guest-1")]
    )
    assert not [item for item in told if item["roomId"] == "not-one-of-ours"]
    del scene.world.media.rooms["not-one-of-ours"]


async def test_a_role_changes_although_the_media_server_is_away(scene: Scene) -> None:
    await add_user(scene, "room_manager")
    scene.world.media.reachable = False
    assert (await set_role(scene, "room_member"))["role"] == "room_member"
    await call(scene, "DELETE", PERSON)


async def test_a_deleted_user_is_gone_everywhere(scene: Scene) -> None:
    user = await add_user(scene, "room_manager")
    room = await room_of(scene, user)
    await add_member(scene, NewMember(user_id=user.user_id, base_role="moderator"))
    await come(scene, scene.room.room_id, user.user_id, user)
    login = login_of(scene, user)
    body = (await call(scene, "DELETE", PERSON)).json()
    assert body == {"message": f"User '{user.user_id}' deleted successfully"}
    assert user.user_id not in scene.world.media.rooms[scene.room.room_id]
    assert (await call(scene, "GET", "/api/v1/rooms/{room}/members")).json()["members"] == []
    assert (await call(scene, "GET", f"/api/v1/rooms/{room.room_id}")).json()["owner"] == "admin"
    await call(scene, "GET", PERSON, 404)
    refused = (await call(scene, "GET", USERS, 403, who="nobody", headers=login)).json()
    assert refused["message"] == "Invalid token subject"


async def test_a_bulk_deletion_reports_who_stays(scene: Scene) -> None:
    admin = await add_user(scene, "admin")
    users = [await add_user(scene) for _ in range(2)]
    ids = ["ghost", users[0].user_id, admin.user_id, "admin", users[1].user_id, users[0].user_id]
    params = {"userIds": " , ".join(ids)}
    headers = login_of(scene, admin)
    body = (await call(scene, "DELETE", USERS, 400, who="nobody", headers=headers, params=params)).json()
    assert body == {
        "message": "3 user(s) could not be deleted",
        "deleted": [user.user_id for user in users],
        "failed": [
            {"userId": admin.user_id, "error": "Cannot delete your own account"},
            {"userId": "admin", "error": "Cannot delete the root admin user"},
            {"userId": "ghost", "error": "User not found"},
        ],
    }
    body = (await call(scene, "DELETE", USERS, params={"userIds": admin.user_id})).json()
    assert body == {"message": "All users deleted successfully", "deleted": [admin.user_id], "failed": []}
    await call(scene, "DELETE", USERS, 422, params={"userIds": ["one", "two"]})


async def test_lists_widen_by_id_or_name_and_narrow_by_role(scene: Scene) -> None:
    await fresh(scene)
    name = f"Widen {scene.variables['fresh']}"
    alone = await add_user(scene, "room_manager", name)
    named = await add_user(scene, "room_member", name)

    async def found(**params: str) -> set[str]:
        listed = (await call(scene, "GET", USERS, params={"maxItems": "100", **params})).json()["users"]
        return {item["userId"] for item in listed}

    assert await found(userId=alone.user_id) == {alone.user_id}
    both = await found(userId="admin", name=name.upper(), nameMatchMode="prefix", nameCaseInsensitive="true")
    assert both == {"admin", alone.user_id, named.user_id}
    assert await found(userId="admin", name=name, role="room_manager") == {alone.user_id}
    assert await found(name=name.upper()) == set()


async def test_pages_neither_repeat_nor_lose_anybody(scene: Scene) -> None:
    await fresh(scene)
    name = f"Paged {scene.variables['fresh']}"
    mine = [(await add_user(scene, name=name)).user_id for _ in range(5)]
    seen: list[str] = []
    params = {"name": name, "maxItems": "2", "sortField": "name", "sortOrder": "asc"}
    while True:
        page = (await call(scene, "GET", USERS, params=params)).json()
        seen += [item["userId"] for item in page["users"]]
        if len(seen) == 2:
            mine.append((await add_user(scene, name=name)).user_id)
        if not page["pagination"]["isTruncated"]:
            break
        params["nextPageToken"] = page["pagination"]["nextPageToken"]
    assert seen == mine


async def test_the_first_user_is_the_root_administrator(scene: Scene) -> None:
    params = {"sortField": "registrationDate", "sortOrder": "asc", "maxItems": "1"}
    assert (await call(scene, "GET", USERS, params=params)).json()["users"][0]["userId"] == "admin"
