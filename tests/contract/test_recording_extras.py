"""A recording that is paused, goes on and ends, as its own operations show it."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from typing import cast

import pytest

from storage import BlobStore

from .calls import call
from .table_playback import indexed
from .world import MOVIE, Scene

EXTRA = "/api/extra/v1/recordings/{recording}"

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_from_pause_to_integrity(scene: Scene) -> None:
    recording = await scene.add_recording("active")
    paused = (await call(scene, "POST", f"{EXTRA}/pause")).json()
    assert (paused["paused"], paused["status"]) == (True, "active")
    assert (await call(scene, "POST", f"{EXTRA}/pause")).json() == paused
    assert (await call(scene, "GET", EXTRA)).json() == paused
    public = (await call(scene, "GET", "/api/v1/recordings/{recording}")).json()
    assert paused == {**public, "audioOnly": False, "paused": True, "compose": "live"}
    assert (await call(scene, "POST", f"{EXTRA}/resume")).json()["paused"] is False

    egress = scene.world.media.egress[recording.egress_id]
    done = replace(egress, status="complete", size=77, duration_s=3.0)
    scene.world.media.egress[recording.egress_id] = done
    await scene.world.core.media_events.egress_changed(done)
    known = (await call(scene, "GET", EXTRA)).json()
    assert (known["status"], known["paused"]) == ("complete", False)
    assert known["integrity"] == {
        "sha256": "ab" * 32,
        "size": 77,
        "duration": 5.5,
        "frames": 165,
        "framesRepeated": 3,
        "framesLeftOut": 0,
        "videoGaps": 1,
        "audioGaps": 0,
        "worstOffset": 0.012,
        "pauses": 1,
        "pausedDuration": 2.5,
        "absences": 1,
        "absentDuration": 36_000.5,
        "damagedRecords": 2,
        "damagedBytes": 197,
    }
    del scene.world.media.egress[recording.egress_id]
    assert (await call(scene, "GET", EXTRA)).json() == known


async def test_the_way_to_compose_is_told_where_it_was_asked_for(scene: Scene) -> None:
    await scene.meet()
    body = {"roomId": scene.room.room_id, "compose": "after"}
    started = await call(scene, "POST", "/api/extra/v1/recordings", 201, json=body)
    made = started.json()
    assert (made["compose"], made["paused"], made["status"]) == ("after", False, "active")
    assert started.headers["location"].endswith(f"/meet/api/extra/v1/recordings/{made['recordingId']}")


async def test_sound_alone_from_the_start_to_the_file(scene: Scene) -> None:
    """The contract's surface is as it was, and what it serves is named for what it is."""
    await scene.meet()
    body = {"roomId": scene.room.room_id, "audioOnly": True}
    made = (await call(scene, "POST", "/api/extra/v1/recordings", 201, json=body)).json()
    recording = await scene.world.repositories.recordings.get(made["recordingId"])
    assert made["audioOnly"] is True and made["filename"].endswith(".m4a") and recording is not None
    file = scene.world.scratch / "sound.m4a"
    file.write_bytes(MOVIE)
    await cast(BlobStore, scene.world.blobs).put_file(recording.key, file, "audio/mp4")
    file.unlink()
    done = replace(scene.world.media.egress[recording.egress_id], status="complete", size=len(MOVIE), duration_s=3.0)
    await scene.world.core.media_events.egress_changed(done)
    scene.recording = recording
    await indexed(scene)
    public = (await call(scene, "GET", "/api/v1/recordings/{recording}")).json()
    assert public["filename"] == made["filename"] and "audioOnly" not in public
    for path, status in (("/api/v1/recordings/{recording}/media", 200), (f"{EXTRA}/stream", 206)):
        headers = {"Range": "bytes=0-9"} if status == 206 else {}
        assert (await call(scene, "GET", path, status, headers=headers)).headers["content-type"] == "audio/mp4"
    saved = await call(scene, "GET", "/api/v1/recordings/{recording}/download")
    assert saved.headers["content-disposition"] == f'attachment; filename="{made["filename"]}"'
    archive = await call(scene, "GET", "/api/v1/recordings/download", params={"recordingIds": recording.recording_id})
    with zipfile.ZipFile(io.BytesIO(archive.content)) as content:
        assert content.namelist() == [made["filename"]]
