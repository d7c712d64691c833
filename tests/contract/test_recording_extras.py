"""A recording that is paused, goes on and ends, as its own operations show it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from .calls import call
from .world import Scene

EXTRA = "/api/extra/v1/recordings/{recording}"

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_from_pause_to_integrity(scene: Scene) -> None:
    recording = await scene.add_recording("active")
    paused = (await call(scene, "POST", f"{EXTRA}/pause")).json()
    assert (paused["paused"], paused["status"]) == (True, "active")
    assert (await call(scene, "POST", f"{EXTRA}/pause")).json() == paused
    assert (await call(scene, "GET", EXTRA)).json() == paused
    public = (await call(scene, "GET", "/api/v1/recordings/{recording}")).json()
    assert paused == {**public, "paused": True, "compose": "live"}
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
