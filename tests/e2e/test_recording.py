"""The main job: two publishers meet, are recorded, and the MP4 shows and sounds what they sent."""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter
from pathlib import Path
from statistics import median
from urllib.parse import parse_qs, urlsplit

import av
import numpy as np
import pytest

from meet.demo.api import Api, ApiError
from meet.demo.robot import Robot
from meet.demo.server import Server
from tests.support import media

LEFT = (slice(None), slice(0, 80))
RIGHT = (slice(None), slice(80, 160))


def packets(address: str) -> Counter[str]:
    """How many of each kind libavformat finds there."""
    with av.open(address) as container:
        return Counter(packet.stream.type for packet in container.demux() if packet.size)


@pytest.mark.timeout(300)
async def test_two_publishers_are_recorded(server: Server, api: Api, tmp_path: Path) -> None:
    room = await api.create_room("Standup")
    epoch = time.monotonic()
    url, ada = await api.join_token(room, "Ada")
    _, grace = await api.join_token(room, "Grace", role="speaker")
    async with (
        Robot(url, ada, epoch=epoch) as one,
        Robot(url, grace, hue=160, tone_hz=330, epoch=epoch) as other,
    ):
        asking = time.monotonic()
        recording = await api.start_recording(room["roomId"])
        started = time.monotonic()
        assert recording["status"] == "active"
        with pytest.raises(ApiError) as second:
            await api.start_recording(room["roomId"])
        assert second.value.status == 409
        await asyncio.sleep(8)
        while True:  # until enough marks were sent in time to be judged by
            marks = set(range(math.ceil(started - epoch), int(time.monotonic() - epoch) + 1))
            if len(marks - one.spoilt - other.spoilt) >= 7:
                break
            await asyncio.sleep(0.5)
        least = time.monotonic() - started
        await api.stop_recording(recording["recordingId"])
        done = await api.wait_for(recording["recordingId"], "complete", "failed", "aborted")
        most = time.monotonic() - asking
        integrity = (await api.call("GET", f"/api/extra/v1/recordings/{done['recordingId']}"))["integrity"]
    assert done["status"] == "complete", done

    path = tmp_path / done["filename"]
    await api.download(recording["recordingId"], path, lambda _done, _total: None)
    assert path.stat().st_size == done["size"]
    link = urlsplit((await api.call("GET", f"/api/v1/recordings/{recording['recordingId']}/url"))["url"])
    listed = f"{server.url}/api/extra/v1/recordings/{recording['recordingId']}/playlist.m3u8?{link.query}"
    assert await asyncio.to_thread(packets, listed) == packets(str(path)), "an HLS player has all of the file"
    assert parse_qs(link.query)["recordingSecret"][0] not in server.log_path.read_text()
    decoded = media.decode(path)
    assert (decoded.width, decoded.height) == (1280, 720)
    assert (decoded.video_codec, decoded.audio_codec) == ("h264", "aac")
    # Answers take their time on a busy machine: when it began and ended is the recorder's to say.
    lasted = (done["endDate"] - done["startDate"]) / 1000
    assert least - 0.5 <= lasted <= most
    assert abs(decoded.video_s - lasted) <= 0.5
    assert abs(decoded.audio_s - lasted) <= 0.5
    assert abs(done["duration"] - decoded.video_s) <= 0.1
    steps = [round(step * 30) for step in np.diff(decoded.frame_times)]
    left_out = sum(step - 1 for step in steps)
    assert min(steps) == 1 and left_out == integrity["framesLeftOut"], "constant rate, but for what is owned up to"
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


@pytest.mark.timeout(300)
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
