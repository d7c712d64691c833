"""A recording that is killed, paused, and killed in the pause, becomes one file with nothing of the pause in it."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from meet.demo.api import Api
from meet.demo.server import Server
from meet.recorder.tracks.kept import KeptJournal
from meet.recorder.tracks.recompose import recompose
from meet.recorder.upload.settled import Settled
from tests.faults import campaign
from tests.faults.campaign import ENCODING, FINAL, insist
from tests.faults.counter import FPS, Counter, numbers_in

EXTRA = "/api/extra/v1/recordings"


@pytest.mark.timeout(300)
async def test_killed_before_and_while_paused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEET_RATE_LIMITS", "false")
    env = {"MEET_RECORDING_KEEP_TRACKS": "true"}
    async with Server(tmp_path / "data", env=env) as server, Api(server.url, server.api_key) as api:
        room = await api.create_room("Breaks")
        url, token = await api.join_token(room, "Ada")
        async with Counter(url, token, epoch=time.monotonic()) as publisher:
            recording = (await api.start_recording(room["roomId"], encoding=ENCODING))["recordingId"]
            composite = server.data_dir / "spool" / recording.split("--")[1] / "composite.mp4"
            async with asyncio.timeout(60):
                while not Settled(composite, "mp4").bytes():  # the first kill is to leave something to go on behind
                    await asyncio.sleep(0.1)
            await campaign.kill(server, "recorder", publisher.now)
            await asyncio.sleep(1.5)
            asked = publisher.now()
            assert (await insist(lambda: api.call("POST", f"{EXTRA}/{recording}/pause")))["paused"] is True
            paused = publisher.now()
            await campaign.kill(server, "recorder", publisher.now)
            await asyncio.sleep(1.5)
            known = await api.call("GET", f"{EXTRA}/{recording}")
            assert (known["status"], known["paused"]) == ("active", True)
            going_on = publisher.now()
            assert (await insist(lambda: api.call("POST", f"{EXTRA}/{recording}/resume")))["paused"] is False
            resumed = publisher.now()
            await asyncio.sleep(2)
            await api.stop_recording(recording)
            done = await api.wait_for(recording, *FINAL)
            path = tmp_path / "a.mp4"
            await api.download(recording, path, lambda *_: None)
            facts = (await api.call("GET", f"{EXTRA}/{recording}"))["integrity"]
    assert done["status"] == "complete"
    numbers, length_s = numbers_in(path)
    assert numbers == sorted(numbers)
    during = [n for n in numbers if paused * FPS < n < (going_on - 0.1) * FPS]
    assert not during, "nothing of the pause is in the file"
    assert numbers[-1] > (going_on + 1.0) * FPS, "it went on"
    # The journal is the truth: composed in one go it makes the same file, but for what a busy machine left out.
    kept = KeptJournal.find(server.data_dir / "spool", recording)
    await asyncio.to_thread(recompose, kept, tmp_path / "again.mp4")
    truth, truth_s = numbers_in(tmp_path / "again.mp4")
    assert length_s == pytest.approx(truth_s, abs=0.1) and set(numbers) <= set(truth)
    assert len(truth) - len(numbers) <= facts["framesLeftOut"], (numbers, truth)
    # How long it was paused is between what the answers say, however long they took.
    assert facts["pauses"] == 1 and going_on - paused - 1.0 < facts["pausedDuration"] < resumed - asked + 1.0
    lasted = (done["endDate"] - done["startDate"]) / 1000
    assert length_s == pytest.approx(lasted - facts["pausedDuration"], abs=1.5)
    assert length_s == pytest.approx(done["duration"], abs=0.1)
    assert server.log_path.read_text().count("composite_resumed") == 2, "it was composed from the beginning again"
