"""What recording operations answer, beyond their status: contract 2.4, 4."""

from __future__ import annotations

import pytest

from .calls import call
from .table_recordings import NO_RECORDING
from .world import ORIGIN, Scene

pytestmark = pytest.mark.asyncio(loop_scope="session")

RECORDINGS = "/api/v1/recordings"
RECORDING = f"{RECORDINGS}/{{recording}}"
BASE = f"{ORIGIN}/meet"


async def test_a_recording_starts_with_its_own_layout_and_stops(scene: Scene) -> None:
    await scene.meet()
    room = scene.room.room_id
    body = {"roomId": room, "config": {"layout": "single-speaker", "encoding": "H264_1080P_30"}}
    response = await call(scene, "POST", RECORDINGS, 201, who="moderator", json=body)
    recording = response.json()
    assert recording["status"] == "active"
    assert (recording["layout"], recording["encoding"]) == ("single-speaker", "H264_1080P_30")
    assert recording["roomName"] == "Daily"
    start, egress, uid = recording["recordingId"].split("--")
    assert (start, egress[:3], recording["filename"]) == (room, "EG_", f"{room}--{uid}.mp4")
    assert not {"endDate", "duration", "size"} & set(recording)
    assert response.headers["location"] == f"{BASE}/api/v1/recordings/{recording['recordingId']}"
    config = (await call(scene, "GET", "/api/v1/rooms/{room}/config")).json()
    assert config["recording"]["layout"] == "grid"

    path = f"{RECORDINGS}/{recording['recordingId']}/stop"
    response = await call(scene, "POST", path, 202, params={"fields": "status,duration"})
    assert response.json() == {"status": "ending", "duration": 1.5}
    assert response.headers["location"].endswith(recording["recordingId"])


async def test_a_start_that_times_out_leaves_nothing(scene: Scene) -> None:
    await scene.meet()
    scene.world.media.egress_begins_as = "starting"
    await call(scene, "POST", RECORDINGS, 503, json={"roomId": scene.room.room_id})
    listed = (await call(scene, "GET", RECORDINGS, params={"roomId": scene.room.room_id})).json()
    assert listed["recordings"] == []
    [egress] = scene.world.media.egress_of(scene.room.room_id)
    assert egress.status == "ending"
    scene.world.media.egress_begins_as = "active"
    await call(scene, "POST", RECORDINGS, 201, json={"roomId": scene.room.room_id})


async def test_a_file_in_a_former_store_is_not_an_error_of_the_server(scene: Scene) -> None:
    """Nobody can play it, and nobody is told that it was deleted."""
    recording = await scene.add_recording(media=False)
    places = scene.world.repositories.recording_places
    assert await places.move(recording, "s3://old:9000/meetings", copy_stays=False)
    said = f"The file of recording '{recording.recording_id}' is in a former store that this server cannot reach"
    extra = f"/api/extra/v1/recordings/{recording.recording_id}"
    paths = [RECORDING, f"{RECORDING}/media", f"{RECORDING}/download", f"{extra}/stream", f"{extra}/playlist.m3u8"]
    for method, path in zip(["DELETE", *["GET"] * 4], paths, strict=True):
        answer = (await call(scene, method, path, 503)).json()
        assert answer["error"] == "Recording Error"
        assert answer["message"].startswith(said)
    answer = await call(scene, "DELETE", RECORDINGS, 400, params={"recordingIds": recording.recording_id})
    assert answer.json()["failed"][0]["error"].startswith(said)
    shown = (await call(scene, "GET", RECORDING)).json()
    assert "store" not in shown and "old:9000" not in str(shown)


async def test_a_room_member_token_lists_its_own_room_only(scene: Scene) -> None:
    recording = await scene.add_recording(media=False)
    other = {"roomId": scene.other.room_id}
    listed = (await call(scene, "GET", RECORDINGS, who="speaker", params=other)).json()
    assert [item["recordingId"] for item in listed["recordings"]] == [recording.recording_id]
    assert listed["pagination"] == {"isTruncated": False, "maxItems": 10}
    assert (await call(scene, "GET", RECORDINGS, params=other)).json()["recordings"] == []


async def test_lists_are_filtered_sorted_and_cut(scene: Scene) -> None:
    first = await scene.add_recording("failed", media=False)
    second = await scene.add_recording("complete", media=False)
    params = {"roomId": scene.room.room_id, "sortField": "size", "fields": "recordingId,status,nonsense"}
    listed = (await call(scene, "GET", RECORDINGS, params=params)).json()["recordings"]
    assert listed == [
        {"recordingId": second.recording_id, "status": "complete"},
        {"recordingId": first.recording_id, "status": "failed"},
    ]
    failed = (await call(scene, "GET", RECORDINGS, params={**params, "status": "failed"})).json()["recordings"]
    assert [item["recordingId"] for item in failed] == [first.recording_id]


async def test_a_bulk_deletion_reports_what_stays(scene: Scene) -> None:
    finished = (await scene.add_recording()).recording_id
    running = (await scene.add_recording("active")).recording_id
    params = {"recordingIds": f"{finished},{running},{NO_RECORDING},{finished}"}
    body = (await call(scene, "DELETE", RECORDINGS, 400, params=params)).json()
    assert body["message"] == "2 recording(s) could not be deleted"
    assert body["deleted"] == [finished]
    assert {item["recordingId"]: item["error"] for item in body["failed"]} == {
        NO_RECORDING: f"Recording '{NO_RECORDING}' not found",
        running: f"Recording '{running}' is not stopped yet",
    }


async def test_a_bulk_deletion_without_failures_says_so(scene: Scene) -> None:
    recording = await scene.add_recording()
    body = (await call(scene, "DELETE", RECORDINGS, params={"recordingIds": recording.recording_id})).json()
    assert body == {
        "message": "All recordings deleted successfully",
        "deleted": [recording.recording_id],
        "failed": [],
    }


async def test_a_single_deletion_says_what_is_gone(scene: Scene) -> None:
    recording = await scene.add_recording()
    body = (await call(scene, "DELETE", RECORDING, who="moderator")).json()
    assert body == {"message": f"Recording '{recording.recording_id}' deleted successfully"}
    await call(scene, "GET", RECORDING, 404)


async def test_links_differ_by_who_may_follow_them(scene: Scene) -> None:
    recording = await scene.add_recording(media=False)
    page = f"{BASE}/recording/{recording.recording_id}?recordingSecret="
    for params, secret in (
        ({}, recording.public_secret),
        ({"privateAccess": "no"}, recording.public_secret),
        ({"privateAccess": "TRUE"}, recording.private_secret),
    ):
        body = (await call(scene, "GET", f"{RECORDING}/url", who="speaker", params=params)).json()
        assert body == {"url": page + secret}


@pytest.mark.parametrize("name", ["recordingSecret", "secret"])
async def test_both_names_of_the_secret_work(scene: Scene, name: str) -> None:
    recording = await scene.add_recording(media=False)
    params = {name: recording.public_secret}
    body = (await call(scene, "GET", RECORDING, who="nobody", params=params)).json()
    assert body["recordingId"] == recording.recording_id


async def test_the_new_name_of_the_secret_wins(scene: Scene) -> None:
    recording = await scene.add_recording(media=False)
    params = {"recordingSecret": "ffffffffff", "secret": recording.public_secret}
    body = (await call(scene, "GET", RECORDING, 400, who="nobody", params=params)).json()
    assert body["message"] == f"Secret 'ffffffffff' is not recognized for recording '{recording.recording_id}'"


async def test_an_empty_secret_is_none(scene: Scene) -> None:
    await scene.add_recording(media=False)
    await call(scene, "GET", RECORDING, params={"recordingSecret": "", "secret": ""})
    await call(scene, "GET", RECORDING, 401, who="nobody", params={"recordingSecret": ""})


async def test_a_secret_outranks_every_other_credential(scene: Scene) -> None:
    await scene.add_recording(media=False)
    await call(scene, "GET", RECORDING, 400, params={"recordingSecret": "ffffffffff"})


async def test_a_bad_login_is_named_where_a_private_secret_needs_one(scene: Scene) -> None:
    recording = await scene.add_recording(media=False)
    secret = {"recordingSecret": recording.private_secret}
    assert (await call(scene, "GET", RECORDING, 401, who="forged access token", params=secret)).json()[
        "message"
    ] == "Invalid token"
    await call(scene, "GET", RECORDING, 403, who="user who must change the password", params=secret)
    public = {"recordingSecret": recording.public_secret}
    await call(scene, "GET", RECORDING, who="forged access token", params=public)


async def test_a_public_secret_needs_the_rooms_consent(scene: Scene) -> None:
    recording = await scene.add_recording(media=False)
    change = {"access": {"anonymous": {"recording": {"enabled": False}}}}
    await call(scene, "PUT", "/api/v1/rooms/{room}/access", json=change)
    params = {"recordingSecret": recording.public_secret}
    body = (await call(scene, "GET", RECORDING, 403, who="nobody", params=params)).json()
    assert body["error"] == "Room Error"


async def test_repeated_scalar_parameters_are_refused(scene: Scene) -> None:
    await scene.add_recording(media=False)
    body = (await call(scene, "GET", RECORDING, 422, params={"fields": ["status", "size"]})).json()
    assert body["details"] == [{"field": "query.fields", "message": "Expected string, received array"}]
