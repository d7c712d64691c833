"""MEET_RECORDING_COMPOSE=after and MEET_RECORDING_KEEP_TRACKS: only a journal while people meet, the rest later."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from pathlib import Path
from statistics import median

import pytest
from click.testing import CliRunner

from meet.cli.root import main
from meet.demo.api import Api
from meet.demo.robot import Robot
from meet.demo.server import Server
from tests.support import media


@pytest.mark.timeout(300)
async def test_a_recording_is_composed_after_the_meeting(tmp_path: Path) -> None:
    env = {"MEET_RECORDING_COMPOSE": "after", "MEET_RECORDING_KEEP_TRACKS": "true"}
    async with Server(tmp_path / "data", env=env) as server, Api(server.url, server.api_key) as api:
        room = await api.create_room("Later")
        url, ada = await api.join_token(room, "Ada")
        _, grace = await api.join_token(room, "Grace")
        async with Robot(url, ada), Robot(url, grace, hue=160):
            asking = time.monotonic()
            recording = await api.start_recording(room["roomId"])
            recording_id, begun = recording["recordingId"], time.monotonic()
            assert recording["status"] == "active"
            await asyncio.sleep(5)
            spool = tmp_path / "data" / "spool" / recording_id.split("--")[1]
            assert not (spool / "composite.mp4").exists(), "nothing is composed yet"
            least = time.monotonic() - begun
            await api.stop_recording(recording_id)
            done = await api.wait_for(recording_id, "complete", "failed", "aborted")
            most = time.monotonic() - asking
        assert done["status"] == "complete", done
        path = tmp_path / "out.mp4"
        await api.download(recording_id, path, lambda _done, _total: None)
        decoded = media.decode(path)
        lasted = (done["endDate"] - done["startDate"]) / 1000
        assert least - 0.6 <= lasted <= most
        assert abs(decoded.video_s - lasted) <= 0.6 and abs(decoded.video_s - done["duration"]) < 0.1
        offsets = media.av_offsets(decoded, (slice(None), slice(0, 80)))
        assert len(offsets) >= 3 and abs(median(offsets)) <= 0.08, offsets
        integrity = json.loads((spool / "state.json").read_text())["integrity"]
        assert integrity["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
        assert integrity["size"] == done["size"] and integrity["duration_s"] == done["duration"]
        assert integrity["frames"] == len(decoded.frame_times) and integrity["frames_left_out"] == 0
        assert integrity["worst_offset_ms"] <= 150

        options = ["--data-dir", str(tmp_path / "data"), "--output", str(tmp_path / "tracks")]
        exported = await asyncio.to_thread(CliRunner().invoke, main, ["tracks", recording_id, *options])
        assert exported.exit_code == 0, exported.output
        manifest = json.loads((tmp_path / "tracks" / "manifest.json").read_text())
        assert sorted(t["source"] for t in manifest["tracks"]) == ["camera", "camera", "microphone", "microphone"]
        assert {person["name"] for person in manifest["participants"]} == {"Ada", "Grace"}
        assert all(abs(track["offset_s"]) < 1.5 and track["duration_s"] > 3 for track in manifest["tracks"])
        assert (spool / "journal").is_dir()
        await api.call("DELETE", f"/api/v1/recordings/{recording_id}")
        assert not (spool / "journal").exists(), "the journal goes with the recording"
