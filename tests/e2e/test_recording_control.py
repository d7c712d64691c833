"""What people do to a running recording: pause it, record single tracks beside it, and ask what became of it."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import av
import pytest
from livekit import api as livekit
from livekit import rtc

from meet.client import AsyncClient, Conflict, ServerError
from meet.demo.api import Api
from meet.demo.robot import Robot
from meet.demo.server import Server
from tests.support import media


def track(robot: Robot, kind: rtc.TrackKind.ValueType) -> str:
    """The sid of what the robot publishes."""
    published = robot.room.local_participant.track_publications.values()
    return next(each.sid for each in published if each.kind == kind)


async def until(client: livekit.LiveKitAPI, egress_ids: list[str], status: int) -> list[livekit.EgressInfo]:
    async with asyncio.timeout(60):
        while True:
            listed = (await client.egress.list_egress(livekit.ListEgressRequest())).items
            found = [info for info in listed if info.egress_id in egress_ids]
            assert all(info.status <= livekit.EgressStatus.EGRESS_COMPLETE for info in found), found
            if all(info.status >= status for info in found):
                return sorted(found, key=lambda info: egress_ids.index(info.egress_id))
            await asyncio.sleep(0.1)


async def patiently(work: Callable[[], Awaitable[Any]]) -> Any:
    """A recorder on a busy machine may not confirm in time; asked again, it has."""
    async with asyncio.timeout(60):
        while True:
            with contextlib.suppress(ServerError):
                return await work()
            await asyncio.sleep(0.1)


@pytest.mark.timeout(300)
async def test_a_pause_and_single_tracks(server: Server, api: Api, tmp_path: Path) -> None:
    room = await api.create_room("Control")
    url, ada_token = await api.join_token(room, "Ada")
    _, grace_token = await api.join_token(room, "Grace")
    keys = server.settings
    http = urlunsplit(urlsplit(url)._replace(scheme="http"))
    async with (
        livekit.LiveKitAPI(http, keys.livekit_api_key, keys.livekit_api_secret) as lk,
        AsyncClient(server.url, api_key=server.api_key) as client,
        Robot(url, ada_token) as ada,
        Robot(url, grace_token, hue=160) as grace,
    ):
        camera, microphone = track(ada, rtc.TrackKind.KIND_VIDEO), track(grace, rtc.TrackKind.KIND_AUDIO)
        sound = await lk.egress.start_track_egress(
            livekit.TrackEgressRequest(
                room_name=room["roomId"],
                track_id=microphone,
                file=livekit.DirectFileOutput(filepath="tracks/{track_source}"),
            )
        )
        both = await lk.egress.start_track_composite_egress(
            livekit.TrackCompositeEgressRequest(
                room_name=room["roomId"],
                video_track_id=camera,
                audio_track_id=microphone,
                file_outputs=[livekit.EncodedFileOutput(filepath="tracks/both")],
            )
        )
        heard = await lk.egress.start_room_composite_egress(
            livekit.RoomCompositeEgressRequest(
                room_name=room["roomId"],
                audio_only=True,
                file_outputs=[livekit.EncodedFileOutput(filepath="tracks/all", file_type=livekit.EncodedFileType.OGG)],
            )
        )
        egress_ids = [sound.egress_id, both.egress_id, heard.egress_id]
        await until(lk, egress_ids, livekit.EgressStatus.EGRESS_ACTIVE)

        asking = time.monotonic()
        started = await client.recordings.start_composed(room["roomId"], "live")
        begun = time.monotonic()
        recording_id = started.recording_id
        assert (started.status, started.compose, started.paused) == ("active", "live", False)
        await asyncio.sleep(2)
        pausing = time.monotonic()
        assert (await patiently(lambda: client.recordings.pause(recording_id))).paused
        paused = time.monotonic()
        await asyncio.sleep(2)
        assert (await client.recordings.inspect(recording_id)).paused
        resuming = time.monotonic()
        assert not (await patiently(lambda: client.recordings.resume(recording_id))).paused
        resumed = time.monotonic()
        await asyncio.sleep(2)
        for egress_id in egress_ids:
            await lk.egress.stop_egress(livekit.StopEgressRequest(egress_id=egress_id))
        least = time.monotonic() - begun
        await client.recordings.stop(recording_id)
        with pytest.raises(Conflict, match="is already stopped"):
            await client.recordings.pause(recording_id)
        done = await api.wait_for(recording_id, "complete", "failed", "aborted")
        most = time.monotonic() - asking
        assert done["status"] == "complete", done
        lasted = (done["endDate"] - done["startDate"]) / 1000
        assert least - 0.6 <= lasted <= most
        ended = await until(lk, egress_ids, livekit.EgressStatus.EGRESS_COMPLETE)

        known = await client.recordings.inspect(recording_id)
        path = await client.recordings.save(recording_id, tmp_path / "out.mp4")
        facts = known.integrity
        assert facts is not None
        assert facts.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
        assert (facts.size, facts.duration) == (done["size"], done["duration"])
        assert facts.pauses == 1 and facts.paused_duration is not None
        # Within what the two answers say, however long they took; key frames are waited for at both ends.
        assert resuming - paused - 0.3 < facts.paused_duration < resumed - pausing + 0.3
    decoded = media.decode(path)
    assert abs(decoded.video_s - (lasted - facts.paused_duration)) <= 0.6, "the pause is no part of the file"

    assert [info.file.filename for info in ended] == [
        "tracks/microphone.ogg",
        "tracks/both.mp4",
        "tracks/all.ogg",
    ]
    for info, codecs in zip(ended, (["opus"], ["h264", "aac"], ["opus"]), strict=True):
        file = server.data_dir / "storage" / info.file.filename
        assert file.stat().st_size == info.file.size
        with av.open(str(file)) as container:
            assert [stream.codec_context.name for stream in container.streams] == codecs
            seconds = info.file.duration / 1e9
            assert seconds > 4 and abs((container.duration or 0) / av.time_base - seconds) < 0.3
            assert sum(1 for _ in container.decode(container.streams[0])) > 5 * seconds
        told = json.loads((server.data_dir / "storage" / info.manifest_location).read_text())
        assert told["egress_id"] == info.egress_id and told["files"][0]["filename"] == info.file.filename
        assert (told["started_at"], told["ended_at"]) == (info.started_at, info.ended_at)
    alone = media.decode(server.data_dir / "storage" / "tracks/both.mp4")
    assert (alone.luma[-40:-10, :, 0] > 25).mean() > 0.9, "one camera fills the picture"
