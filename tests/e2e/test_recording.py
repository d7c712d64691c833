"""The main job: two publishers meet, are recorded, and the MP4 shows and sounds what they sent."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from statistics import median

import numpy as np
import pytest

from meet.demo.api import Api, ApiError
from meet.demo.robot import Robot
from meet.demo.server import Server
from tests.support import media

LEFT = (slice(None), slice(0, 80))
RIGHT = (slice(None), slice(80, 160))


@pytest.mark.timeout(150)
async def test_two_publishers_are_recorded(server: Server, api: Api, tmp_path: Path) -> None:
    room = await api.create_room("Standup")
    epoch = time.monotonic()
    url, ada = await api.join_token(room, "Ada")
    _, grace = await api.join_token(room, "Grace", role="speaker")
    async with Robot(url, ada, epoch=epoch), Robot(url, grace, hue=160, tone_hz=330, epoch=epoch):
        recording = await api.start_recording(room["roomId"])
        started = time.monotonic()
        assert recording["status"] == "active"
        with pytest.raises(ApiError) as second:
            await api.start_recording(room["roomId"])
        assert second.value.status == 409
        await asyncio.sleep(8)
        await api.stop_recording(recording["recordingId"])
        asked = time.monotonic() - started
        done = await api.wait_for(recording["recordingId"], "complete", "failed", "aborted")
    assert done["status"] == "complete", done

    path = tmp_path / done["filename"]
    await api.download(recording["recordingId"], path, lambda _done, _total: None)
    assert path.stat().st_size == done["size"]
    decoded = media.decode(path)
    assert (decoded.width, decoded.height) == (1280, 720)
    assert (decoded.video_codec, decoded.audio_codec) == ("h264", "aac")
    assert abs(decoded.video_s - asked) <= 0.5
    assert abs(decoded.audio_s - asked) <= 0.5
    assert abs(done["duration"] - decoded.video_s) <= 0.1
    steps = {round(step * 30) for step in decoded.frame_times[1:] - decoded.frame_times[:-1]}
    assert steps == {1}, "constant frame rate"
    for side in (LEFT, RIGHT):
        assert media.moving_share(decoded, side) > 0.9
        offsets = media.av_offsets(decoded, side)
        assert len(offsets) >= 5
        assert abs(median(offsets)) <= 0.08, offsets
        # To its end the file shows people, not the initials of those whose tracks have gone: a shaded picture.
        shading = np.quantile(decoded.luma[-8:, side[0], side[1]].mean(axis=1), (0.1, 0.8), axis=1)
        assert (shading[1] - shading[0]).max() > 10


async def test_a_recording_needs_a_participant(api: Api) -> None:
    room = await api.create_room("Nobody")
    with pytest.raises(ApiError) as empty:
        await api.start_recording(room["roomId"])
    assert empty.value.status == 409
    assert (await api.call("GET", "/api/v1/recordings"))["recordings"] == []


@pytest.mark.timeout(120)
async def test_a_recording_ends_by_itself_when_the_meeting_ends(tmp_path: Path) -> None:
    soon = {"MEETING_DEPARTURE_TIMEOUT": "2s"}
    async with Server(tmp_path / "data", env=soon) as server, Api(server.url, server.api_key) as api:
        room = await api.create_room("Short")
        url, token = await api.join_token(room, "Ada")
        async with Robot(url, token):
            recording = await api.start_recording(room["roomId"])
            await asyncio.sleep(3)
        done = await api.wait_for(recording["recordingId"], "complete", "failed", "aborted", timeout_s=60)
    assert done["status"] == "complete", done
    assert done["duration"] >= 2.5
