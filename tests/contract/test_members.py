"""Logging in, room member tokens, and the media server's events: contract 2.5, 3.8, 5.6."""

from __future__ import annotations

import json
from typing import Any

import jwt
import pytest

from .calls import call
from .world import KEY, PASSWORD, SECRET, Scene, signature

pytestmark = pytest.mark.asyncio(loop_scope="session")

AUTH = "/internal-api/v1/auth"
TOKEN = "/internal-api/v1/rooms/{room}/members/token"
EVENTS = "https://meet.example/livekit/webhook"


def decoded(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token, SECRET, algorithms=["HS256"], issuer=KEY)
    claims["metadata"] = json.loads(claims["metadata"])
    return claims


def link_secret(scene: Scene, role: str) -> str:
    secret: str = scene.room.access["anonymous"][role]["secret"]  # type: ignore[literal-required]
    return secret


async def post_event(scene: Scene, event: dict[str, Any]) -> None:
    body = json.dumps(event).encode()
    response = await scene.world.client.post(EVENTS, content=body, headers=signature(body))
    assert response.status_code == 200
    assert response.content == b""


async def test_a_login_leads_to_the_user_and_can_be_renewed(scene: Scene) -> None:
    response = await call(scene, "POST", f"{AUTH}/login", who="nobody", json={"userId": "admin", "password": PASSWORD})
    body = response.json()
    assert body["message"] == "User 'admin' logged in successfully"
    assert response.headers["cache-control"] == "no-store"
    bearer = {"Authorization": f"Bearer {body['accessToken']}"}
    me = (await call(scene, "GET", "/internal-api/v1/users/me", who="nobody", headers=bearer)).json()
    assert (me["userId"], me["name"], me["role"]) == ("admin", "Admin", "admin")
    renewal = {"X-Refresh-Token": f"Bearer {body['refreshToken']}"}
    renewed = (await call(scene, "POST", f"{AUTH}/refresh", who="nobody", headers=renewal)).json()
    assert renewed["message"] == "Access token for user 'admin' successfully refreshed"
    assert decoded(renewed["accessToken"])["metadata"]["tokenType"] == "access"
    assert decoded(renewed["refreshToken"])["metadata"]["tokenType"] == "refresh"


async def test_a_link_becomes_a_token_for_the_media_server(scene: Scene) -> None:
    request = {"secret": link_secret(scene, "speaker"), "joinMeeting": True, "participantName": "Ana"}
    response = await call(scene, "POST", TOKEN, who="nobody", json=request)
    claims = decoded(response.json()["token"])
    assert claims["name"] == "Ana"
    assert claims["sub"].startswith("ana-")
    assert claims["video"]["room"] == scene.room.room_id
    assert claims["video"]["canPublishSources"] == ["microphone", "camera", "screen_share", "screen_share_audio"]
    assert claims["metadata"]["livekitUrl"] == "wss://meet.example:7880"
    assert claims["metadata"]["badge"] == "other"
    assert scene.room.room_id in scene.world.media.rooms
    # The same token opens the REST surface, for this room only.
    bearer = {"X-Room-Member-Token": f"Bearer {response.json()['token']}"}
    await call(scene, "GET", "/api/v1/rooms/{room}", who="nobody", headers=bearer)
    await call(scene, "GET", "/api/v1/rooms/{other}", 403, who="nobody", headers=bearer)


async def test_a_token_without_joining_has_no_grant(scene: Scene) -> None:
    response = await call(scene, "POST", TOKEN, who="nobody", json={"secret": link_secret(scene, "moderator")})
    claims = decoded(response.json()["token"])
    assert "video" not in claims
    assert "sub" not in claims
    assert claims["metadata"]["badge"] == "moderator"
    assert claims["metadata"]["permissions"]["canRecord"] is True


async def test_the_holder_of_the_api_key_joins_with_the_rights_of_the_owner(scene: Scene) -> None:
    request = {"joinMeeting": True, "participantName": "Robot"}
    claims = decoded((await call(scene, "POST", TOKEN, json=request)).json()["token"])
    assert claims["metadata"]["badge"] == "owner"
    assert claims["sub"].startswith("robot-")
    assert "userId" not in claims["metadata"]


async def test_two_of_the_same_name_are_told_apart(scene: Scene) -> None:
    request = {"secret": link_secret(scene, "speaker"), "joinMeeting": True, "participantName": "Bob"}
    names = []
    for _ in range(2):
        response = await call(scene, "POST", TOKEN, who="nobody", json=request)
        names.append(decoded(response.json()["token"])["name"])
    assert names == ["Bob", "Bob_1"]


async def test_a_meeting_begins_and_ends_with_the_media_servers_events(scene: Scene) -> None:
    room = {"name": scene.room.room_id, "metadata": json.dumps({"createdBy": "openviduMeet"})}
    await post_event(scene, {"event": "room_started", "id": "EV_begin", "room": room})
    assert (await call(scene, "GET", "/api/v1/rooms/{room}")).json()["status"] == "active_meeting"
    await post_event(scene, {"event": "room_finished", "id": "EV_end", "room": room})
    assert (await call(scene, "GET", "/api/v1/rooms/{room}")).json()["status"] == "open"


async def test_a_recording_is_complete_when_the_media_server_says_so(scene: Scene) -> None:
    recording = await scene.add_recording("active")
    info = {
        "egressId": recording.egress_id,
        "roomName": scene.room.room_id,
        "status": "EGRESS_COMPLETE",
        "startedAt": "1795000000000000000",
        "endedAt": "1795000012500000000",
        "roomComposite": {"roomName": scene.room.room_id, "layout": "grid", "preset": "H264_720P_30"},
        "fileResults": [{"filename": recording.key, "duration": "12500000000", "size": "4096"}],
    }
    await post_event(scene, {"event": "egress_ended", "id": "EV_egress", "egressInfo": info})
    body = (await call(scene, "GET", "/api/v1/recordings/{recording}")).json()
    assert (body["status"], body["duration"], body["size"]) == ("complete", 12.5, 4096)


async def test_captions_are_reported_as_configured(scene: Scene) -> None:
    body = (await call(scene, "GET", "/internal-api/v1/config/captions", who="nobody")).json()
    assert body == {"enabled": False}
