"""A recorder that neither works nor dies is killed after five seconds of silence, and another one goes on."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest

from meet.demo.api import Api
from meet.demo.server import Server
from meet.supervisor.child import HUNG_AFTER_S
from tests.faults.campaign import ENCODING, FINAL, pid_of
from tests.faults.counter import Counter, numbers_in
from tests.faults.judge import PROMISE_S, Kill, gaps


@pytest.mark.timeout(300)
async def test_a_hung_recorder_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEET_RATE_LIMITS", "false")
    async with Server(tmp_path / "data") as server, Api(server.url, server.api_key) as api:
        room = await api.create_room("Stuck")
        url, token = await api.join_token(room, "Ada")
        async with Counter(url, token, epoch=time.monotonic()) as publisher:
            recording = await api.start_recording(room["roomId"], encoding=ENCODING)
            await asyncio.sleep(2.5)  # until it beats
            stuck = pid_of(server, "recorder")
            assert stuck is not None
            os.kill(stuck, signal.SIGSTOP)
            at = publisher.now()
            while pid_of(server, "recorder") in (None, stuck):
                assert publisher.now() < at + 60, "nobody replaced it"
                await asyncio.sleep(0.05)
            await asyncio.sleep(3)
            stopped = publisher.now()
            await api.stop_recording(recording["recordingId"])
            done = await api.wait_for(recording["recordingId"], *FINAL)
            path = tmp_path / "a.mp4"
            await api.download(recording["recordingId"], path, lambda *_: None)
            listed = (await api.call("GET", "/api/v1/recordings"))["recordings"]
    assert (done["status"], len(listed)) == ("complete", 1)
    found = gaps(numbers_in(path)[0], [Kill(at, "recorder")], [], stopped)
    (gap,) = (each for each in found if each.kills)  # a busy machine may leave shorter ones
    assert gap.lost_s <= HUNG_AFTER_S + 2 * PROMISE_S
