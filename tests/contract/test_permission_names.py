"""`MEET_MODE`: the names of permissions in requests, answers, webhooks and tokens."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from meet.core.model.member import NewMember
from meet.core.model.permissions import PERMISSIONS, SPEAKER, overlay
from meet.core.permission_names import NAMES, Mode

from .calls import call
from .people import add_member
from .world import Scene, World, new_scene, open_world

NEW = {name for names in NAMES.values() for name in names}
OLD = set(PERMISSIONS)

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session", scope="module", params=["compatibility", "3.9.0"])
async def moded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    mode: Mode = request.param
    folder: Path = tmp_path_factory.mktemp("mode")
    async with open_world(folder, mode) as opened:
        yield opened


def names_in(mode: Mode) -> set[str]:
    return NEW | OLD if mode == "compatibility" else NEW


async def test_every_answer_has_the_names_of_the_mode(moded: World) -> None:
    scene, mode = await new_scene(moded), moded.services.spelling.mode
    await add_member(scene, NewMember(name="Ana", base_role="speaker"))
    wanted, deprecated = names_in(mode), "true" if mode == "compatibility" else None
    extra = {"extraFields": "roles,config"}

    async def ask(method: str, path: str, status: int = 200, **more: Any) -> Any:
        response = await call(scene, method, path, status, **more)
        assert response.headers.get("deprecation") == deprecated
        return response.json()

    def is_complete(roles: Any) -> bool:
        return all(set(roles[role]["permissions"]) == wanted for role in ("moderator", "speaker"))

    assert is_complete((await ask("POST", "/api/v1/rooms", 201, params=extra, json={}))["roles"])
    assert is_complete((await ask("GET", "/api/v1/rooms/{room}", params=extra))["roles"])
    assert is_complete((await ask("GET", "/api/v1/rooms", params=extra))["rooms"][0]["roles"])
    closed = await ask("PUT", "/api/v1/rooms/{room}/status", params=extra, json={"status": "closed"})
    assert is_complete(closed["roles"])
    changed = await ask("PUT", "/api/v1/rooms/{room}/roles", json={"roles": {}})
    assert is_complete(changed)
    member = await ask(
        "PUT",
        "/api/v1/rooms/{room}/members/{someone}",
        params={"extraFields": "effectivePermissions"},
        json={"customPermissions": {"meetingEnd": True}},
    )
    assert set(member["effectivePermissions"]) == wanted
    assert member["effectivePermissions"]["meetingEnd"] is True
    assert set(member["customPermissions"]) == {"meetingEnd", "canEndMeeting"} & wanted


async def test_answers_without_permissions_are_not_marked(moded: World) -> None:
    scene = await new_scene(moded)
    response = await call(scene, "GET", "/api/v1/rooms/{room}")
    assert "deprecation" not in response.headers
    assert "roles" not in response.json()


async def test_a_document_that_was_read_can_be_written_back(moded: World) -> None:
    scene = await new_scene(moded)
    roles = (await call(scene, "GET", "/api/v1/rooms/{room}", params={"extraFields": "roles"})).json()["roles"]
    written = await call(scene, "PUT", "/api/v1/rooms/{room}/roles", json={"roles": roles})
    assert written.json() == roles


async def test_the_new_names_take_effect(moded: World) -> None:
    scene = await new_scene(moded)
    roles = {"speaker": {"permissions": {"recordingControl": True}}}
    await call(scene, "PUT", "/api/v1/rooms/{room}/roles", json={"roles": roles})
    room = await moded.repositories.rooms.get(scene.room.room_id)
    assert room is not None
    assert room.roles["speaker"]["permissions"]["canRecord"] is True
    assert set(room.roles["speaker"]["permissions"]) == OLD


async def test_a_contradiction_is_refused(moded: World) -> None:
    scene = await new_scene(moded)
    both = {"canRecord": True, "recordingControl": False}
    body = {"roles": {"speaker": {"permissions": both}}}
    answer = (await call(scene, "PUT", "/api/v1/rooms/{room}/roles", 422, json=body)).json()
    message = {
        "compatibility": ("recordingControl", "recordingControl contradicts canRecord"),
        "3.9.0": ("canRecord", "canRecord is not accepted any more, use recordingControl"),
    }[moded.services.spelling.mode]
    assert answer["error"] == "Unprocessable Entity"
    assert {"field": f"roles.speaker.permissions.{message[0]}", "message": message[1]} in answer["details"]


async def test_who_may_play_a_recording_need_not_be_able_to_save_it(moded: World) -> None:
    scene, mode = await new_scene(moded), moded.services.spelling.mode
    recording = await scene.add_recording()
    body = {"baseRole": "speaker", "name": "Ana", "customPermissions": {"recordingDownload": False}}
    params = {"extraFields": "effectivePermissions"}
    made = (await call(scene, "POST", "/api/v1/rooms/{room}/members", 201, json=body, params=params)).json()
    assert made["customPermissions"] == {"recordingDownload": False}
    held = made["effectivePermissions"]
    assert (held["recordingList"], held["recordingPlay"], held["recordingDownload"]) == (True, True, False)
    assert held.get("canRetrieveRecordings") == (False if mode == "compatibility" else None)
    secret = {"secret": made["memberId"]}
    path = "/internal-api/v1/rooms/{room}/members/token"
    token = (await call(scene, "POST", path, json=secret, who="nobody")).json()["token"]
    headers = {"X-Room-Member-Token": f"Bearer {token}"}
    item = "/api/v1/recordings/{recording}"
    for what in (item, f"{item}/media", "/api/v1/recordings"):
        await call(scene, "GET", what, who="nobody", headers=headers)
    await call(scene, "GET", f"{item}/download", 403, who="nobody", headers=headers)
    archive = {"recordingIds": recording.recording_id}
    await call(scene, "GET", "/api/v1/recordings/download", 400, who="nobody", headers=headers, params=archive)
    member = "/api/v1/rooms/{room}/members/" + made["memberId"]
    cleared = (await call(scene, "PUT", member, json={"customPermissions": {}}, params=params)).json()
    assert cleared["effectivePermissions"]["recordingDownload"] is True


async def test_old_names_are_refused_once_the_mode_is_39(moded: World) -> None:
    scene, mode = await new_scene(moded), moded.services.spelling.mode
    body = {"customPermissions": {"canRetrieveRecordings": False}, "baseRole": "speaker", "name": "Ana"}
    status = 201 if mode == "compatibility" else 422
    answer = (await call(scene, "POST", "/api/v1/rooms/{room}/members", status, json=body)).json()
    if status == 422:
        message = "canRetrieveRecordings is not accepted any more, use recordingList, recordingPlay, recordingDownload"
        assert answer["details"] == [{"field": "customPermissions.canRetrieveRecordings", "message": message}]
    else:
        assert answer["customPermissions"]["recordingPlay"] is False


async def test_tokens_are_read_by_clients_of_all_ages(moded: World) -> None:
    scene = await new_scene(moded)
    secret = scene.room.access["anonymous"]["speaker"]["secret"]
    path = "/internal-api/v1/rooms/{room}/members/token"
    token = (await call(scene, "POST", path, json={"secret": secret}, who="nobody")).json()["token"]
    assert set(json.loads(moded.metadata_of(token))["permissions"]) == OLD | NEW
    headers = {"X-Room-Member-Token": f"Bearer {token}"}
    await call(scene, "GET", "/api/v1/rooms/{room}", who="nobody", headers=headers)


async def test_webhooks_have_the_names_of_the_mode(moded: World) -> None:
    scene = await new_scene(moded)
    announcements = moded.core.lifecycle._webhooks
    document = json.loads(announcements.meeting_started(scene.room).body)
    assert set(document["data"]["roles"]["speaker"]["permissions"]) == names_in(moded.services.spelling.mode)


async def test_by_default_the_new_names_do_not_exist(scene: Scene) -> None:
    body = {"roles": {"speaker": {"permissions": {"recordingControl": True}}}}
    response = await call(scene, "PUT", "/api/v1/rooms/{room}/roles", json=body)
    assert set(response.json()["speaker"]["permissions"]) == OLD
    assert response.json()["speaker"]["permissions"]["canRecord"] is False
    assert "deprecation" not in response.headers


async def test_what_was_granted_apart_is_not_shown_in_38(scene: Scene) -> None:
    """It was another mode that allowed it."""
    roles = scene.room.roles
    apart = overlay(SPEAKER, {"recordingList": True, "recordingPlay": True, "recordingDownload": False})
    await scene.change_room(lambda room: replace(room, roles={**roles, "speaker": {"permissions": apart}}))
    params = {"extraFields": "roles"}
    shown = (await call(scene, "GET", "/api/v1/rooms/{room}", params=params)).json()["roles"]["speaker"]["permissions"]
    assert set(shown) == OLD
    assert shown["canRetrieveRecordings"] is False
    listed = (await call(scene, "GET", "/api/v1/rooms", params=params)).json()["rooms"][0]
    assert set(listed["roles"]["speaker"]["permissions"]) == OLD
