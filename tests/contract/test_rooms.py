"""What room operations answer, beyond their status: contract 2.0, 2.2, 3.1, 3.5."""

from __future__ import annotations

from typing import Any

import pytest

from .calls import call
from .world import ORIGIN, Scene

pytestmark = pytest.mark.asyncio(loop_scope="session")

ROOMS = "/api/v1/rooms"
ROOM = f"{ROOMS}/{{room}}"
BASE = f"{ORIGIN}/meet"


async def test_a_room_from_an_empty_body_has_every_default(scene: Scene) -> None:
    response = await call(scene, "POST", ROOMS, 201, json={}, params={"extraFields": "config,roles"})
    room = response.json()
    assert list(room) == [
        "roomId",
        "roomName",
        "owner",
        "creationDate",
        "config",
        "roles",
        "access",
        "status",
        "rolesUpdatedAt",
        "meetingEndAction",
        "_extraFields",
    ]
    assert room["roomName"] == "Room"
    assert room["owner"] == "admin"
    assert room["config"]["recording"] == {"enabled": True, "layout": "grid", "encoding": "H264_720P_30"}
    assert room["config"]["e2ee"] == {"enabled": False}
    assert room["roles"]["moderator"]["permissions"]["canRecord"] is True
    assert room["roles"]["speaker"]["permissions"]["canRecord"] is False
    assert response.headers["location"] == f"{BASE}/api/v1/rooms/{room['roomId']}"


async def test_the_location_is_right_even_without_the_id_in_the_body(scene: Scene) -> None:
    response = await call(scene, "POST", ROOMS, 201, json={}, params={"fields": "roomName"})
    assert response.json() == {"roomName": "Room", "_extraFields": ["config", "roles"]}
    assert response.headers["location"].startswith(f"{BASE}/api/v1/rooms/room-")


async def test_links_are_absolute_and_carry_the_secrets(scene: Scene) -> None:
    access = (await call(scene, "GET", ROOM)).json()["access"]
    page = f"{BASE}/room/{scene.room.room_id}"
    secrets = {role: entry["secret"] for role, entry in scene.room.access["anonymous"].items()}  # type: ignore[index]
    assert access == {
        "anonymous": {
            "moderator": {"enabled": True, "url": f"{page}?secret={secrets['moderator']}"},
            "speaker": {"enabled": True, "url": f"{page}?secret={secrets['speaker']}"},
            "recording": {"enabled": True, "url": f"{page}/recordings?secret={secrets['recording']}"},
        },
        "user": {"enabled": False, "url": page},
    }


async def test_who_may_not_share_links_does_not_see_them(scene: Scene) -> None:
    access = (await call(scene, "GET", ROOM, who="speaker")).json()["access"]
    assert access["anonymous"] == {role: {"enabled": True} for role in ("moderator", "speaker", "recording")}
    assert "url" in access["user"]
    assert "url" in (await call(scene, "GET", ROOM, who="moderator")).json()["access"]["anonymous"]["speaker"]


@pytest.mark.parametrize(
    ("params", "headers", "names"),
    [
        ({"fields": "roomId,status"}, {}, {"roomId", "status"}),
        ({}, {"X-Fields": "owner", "X-ExtraFields": ""}, {"owner"}),
        ({"fields": "owner", "extraFields": "config"}, {}, {"owner", "config"}),
    ],
)
async def test_answers_are_cut_down_to_the_asked_fields(
    scene: Scene, params: dict[str, str], headers: dict[str, str], names: set[str]
) -> None:
    room = (await call(scene, "GET", ROOM, params=params, headers=headers)).json()
    assert set(room) == names | {"_extraFields"}
    listed = (await call(scene, "GET", ROOMS, params={**params, "maxItems": "1"}, headers=headers)).json()
    assert set(listed["rooms"][0]) == names
    assert listed["_extraFields"] == ["config", "roles"]


async def test_pages_join_without_the_sort_field_being_asked_for(scene: Scene) -> None:
    for number in range(5):
        await call(scene, "POST", ROOMS, 201, json={"roomName": f"Paged {number}"})
    query = {"roomName": "paged", "roomNameMatchMode": "prefix", "roomNameCaseInsensitive": "TRUE", "maxItems": "2"}
    names: list[str] = []
    token = ""
    for size in (2, 2, 1):
        page = (await call(scene, "GET", ROOMS, params={**query, "fields": "roomName", "nextPageToken": token})).json()
        assert len(page["rooms"]) == size
        assert page["pagination"]["maxItems"] == 2
        names += [room["roomName"] for room in page["rooms"]]
        token = page["pagination"].get("nextPageToken", "")
    assert not page["pagination"]["isTruncated"]
    assert names == [f"Paged {number}" for number in (4, 3, 2, 1, 0)]


async def test_users_see_only_rooms_within_their_reach(scene: Scene) -> None:
    listed = (await call(scene, "GET", ROOMS, who="member")).json()
    assert listed["rooms"] == []
    mine = (await call(scene, "POST", ROOMS, 201, who="manager", json={})).json()["roomId"]
    theirs = (await call(scene, "GET", ROOMS, who="manager", params={"maxItems": "100"})).json()["rooms"]
    assert mine in [room["roomId"] for room in theirs]
    assert scene.room.room_id not in [room["roomId"] for room in theirs]
    await call(scene, "GET", ROOMS, 403, who="member", params={"owner": "admin"})


async def test_a_configuration_is_merged(scene: Scene) -> None:
    change = {"config": {"recording": {"enabled": True, "layout": "speaker"}, "unknown": 1}}
    config = (await call(scene, "PUT", f"{ROOM}/config", json=change)).json()
    assert config["recording"] == {"enabled": True, "layout": "speaker", "encoding": "H264_720P_30"}
    assert set(config) == {"recording", "chat", "virtualBackground", "e2ee", "captions"}
    assert (await call(scene, "GET", f"{ROOM}/config", who="speaker")).json() == config
    encrypted = (await call(scene, "PUT", f"{ROOM}/config", json={"config": {"e2ee": {"enabled": True}}})).json()
    assert encrypted["recording"]["enabled"] is False


async def test_an_encoding_may_be_spelled_out(scene: Scene) -> None:
    encoding: dict[str, Any] = {
        "video": {
            "width": 640,
            "height": 360,
            "framerate": 15,
            "codec": "H264_BASELINE",
            "bitrate": 500,
            "keyFrameInterval": 2.5,
            "depth": 24,
        },
        "audio": {"codec": "AAC", "bitrate": 64, "frequency": 48000},
    }
    change = {"config": {"recording": {"enabled": True, "encoding": encoding}}}
    assert (await call(scene, "PUT", f"{ROOM}/config", json=change)).json()["recording"]["encoding"] == encoding


async def test_a_change_of_roles_or_access_ends_old_tokens(scene: Scene) -> None:
    token = {"X-Room-Member-Token": f"Bearer {scene.speaker()}"}
    await call(scene, "GET", ROOM, who="nobody", headers=token)
    change = {"access": {"anonymous": {"speaker": {"enabled": False}}}}
    access = (await call(scene, "PUT", f"{ROOM}/access", json=change)).json()
    assert access["anonymous"]["speaker"]["enabled"] is False
    assert access["anonymous"]["speaker"]["url"].startswith(BASE)
    await call(scene, "GET", ROOM, 401, who="nobody", headers=token)


async def test_a_deletion_tells_what_it_did(scene: Scene) -> None:
    room = scene.room.room_id
    await scene.add_recording(media=False)
    body = (await call(scene, "DELETE", ROOM, params={"withRecordings": "close", "fields": "status"})).json()
    assert body == {
        "successCode": "room_closed",
        "message": f"Room '{room}' has been closed instead of deleted because it has recordings",
        "room": {"status": "closed", "_extraFields": ["config", "roles"]},
    }
    body = (await call(scene, "DELETE", ROOM, params={"withRecordings": "force"})).json()
    assert body == {
        "successCode": "room_and_recordings_deleted",
        "message": f"Room '{room}' and its recordings deleted successfully",
    }
    await call(scene, "GET", ROOM, 404)
    await call(scene, "GET", "/api/v1/recordings/{recording}", 404)


async def test_a_refused_deletion_names_the_reason_as_error(scene: Scene) -> None:
    await scene.meet()
    body = (await call(scene, "DELETE", ROOM, 409)).json()
    assert body["error"] == "room_has_active_meeting"


async def test_a_bulk_deletion_reports_every_room(scene: Scene) -> None:
    await scene.add_recording(media=False)
    room, other = scene.room.room_id, scene.other.room_id
    params = {"roomIds": f"{room},{other}, nowhere!,{other}"}
    body = (await call(scene, "DELETE", ROOMS, 400, params=params)).json()
    assert body["message"] == "2 room(s) failed to process while deleting"
    assert body["deleted"] == [
        {"roomId": other, "successCode": "room_deleted", "message": f"Room '{other}' deleted successfully"}
    ]
    assert {item["roomId"]: (item["error"], item["message"]) for item in body["failed"]} == {
        room: ("room_has_recordings", f"Room '{room}' cannot be deleted because it has recordings."),
        "nowhere": ("Room Error", "Room 'nowhere' does not exist"),
    }


@pytest.mark.parametrize("path", [f"{ROOM}/", "/API/v1/Rooms/{room}", "https://meet.example/api/v1/rooms/{room}"])
async def test_paths_are_forgiving_and_also_served_at_the_root(scene: Scene, path: str) -> None:
    assert (await call(scene, "GET", path, judged=False)).json()["roomId"] == scene.room.room_id


async def test_other_verbs_and_paths_are_not_implemented(scene: Scene) -> None:
    for method, path in (("PATCH", ROOM), ("GET", "/api/v1/nothing"), ("POST", f"{ROOM}/config")):
        body = (await call(scene, method, path, 404, judged=False)).json()
        assert body == {"error": "Path Not Found", "message": "API path not implemented"}
