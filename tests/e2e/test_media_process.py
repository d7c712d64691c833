"""The media process as a LiveKit server of its own: one participant recorded, and rooms that outlive a kill."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import pytest
from livekit import api as livekit

from meet.demo.api import Api
from meet.demo.robot import Robot
from meet.demo.server import Server
from tests.e2e.test_serve import pid_of
from tests.support import media


async def wait_for(client: livekit.LiveKitAPI, egress_id: str, *statuses: livekit.EgressStatus) -> None:
    async with asyncio.timeout(60):
        while True:
            (info,) = (await client.egress.list_egress(livekit.ListEgressRequest(egress_id=egress_id))).items
            if info.status in statuses:
                return
            assert info.status != livekit.EgressStatus.EGRESS_FAILED, info
            await asyncio.sleep(0.1)


def log(server: Server, event: str) -> list[dict[str, Any]]:
    whole = server.log_path.read_text().rpartition("\n")[0]  # the server may be writing the next line
    return [e for line in whole.splitlines() if (e := json.loads(line))["event"] == event]


async def metrics(server: Server) -> dict[str, float]:
    (ready,) = log(server, "metrics_ready")
    async with aiohttp.ClientSession() as http, http.get(f"http://127.0.0.1:{ready['port']}/metrics") as response:
        lines = (await response.text()).splitlines()
    return {name: float(value) for name, _, value in (s.rpartition(" ") for s in lines if not s.startswith("#"))}


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with Server(tmp_path / "data", env={"MEET_LOG_FORMAT": "json", "MEET_METRICS_PORT": "0"}) as running:
        yield running


@pytest.mark.timeout(300)
async def test_one_participant_is_recorded_and_rooms_outlive_a_kill(server: Server, api: Api) -> None:
    scraped = await metrics(server)
    assert scraped["meet_media_up"] == 1
    room = await api.create_room("One")
    url, ada = await api.join_token(room, "Ada")
    _, grace = await api.join_token(room, "Grace", role="speaker")
    keys = server.settings
    async with (
        livekit.LiveKitAPI(url, keys.livekit_api_key, keys.livekit_api_secret) as client,
        Robot(url, grace, hue=160, tone_hz=330),
    ):
        async with Robot(url, ada) as robot:
            request = livekit.ParticipantEgressRequest(
                room_name=room["roomId"],
                identity=robot.room.local_participant.identity,
                file_outputs=[livekit.EncodedFileOutput(filepath="single/ada")],
            )
            started = await client.egress.start_participant_egress(request)
            await wait_for(client, started.egress_id, livekit.EgressStatus.EGRESS_ACTIVE)
            await asyncio.sleep(3)
            scraped = await metrics(server)
            assert scraped['meet_recordings_in_progress{status="active"}'] == 1
            assert 'meet_recording_spool_bytes{of="unfinished"}' in scraped  # as it was up to a minute ago
        await wait_for(client, started.egress_id, livekit.EgressStatus.EGRESS_COMPLETE)  # it ends because Ada left
        assert (await api.call("GET", "/api/v1/recordings"))["recordings"] == []  # no meeting recording

        scraped = await metrics(server)
        assert scraped["meet_media_join_seconds_count"] == 3  # both and the recorder
        assert scraped['meet_recordings_finished_total{outcome="complete"}'] == 1
        assert scraped['meet_recorder_restarts_total{reason="died"}'] == 0
        assert scraped['meet_recording_free_bytes{folder="storage"}'] > 0
        assert scraped['meet_media_packets_total{direction="in"}'] > 100
        assert scraped['meet_media_packets_total{direction="out"}'] > 100
        assert scraped["meet_backend_process_resident_memory_bytes"] > 1 << 20
        assert [e["identity"] for e in log(server, "participant_stats") if e["packets_in"] > 100] == [
            robot.room.local_participant.identity
        ]

        before = (await client.room.list_rooms(livekit.ListRoomsRequest())).rooms[0]
        assert before.metadata
        os.kill(pid_of(server, "meet media"), signal.SIGKILL)

        async def back() -> livekit.Room:
            async with asyncio.timeout(60):
                while True:
                    with contextlib.suppress(OSError, livekit.ServerError):
                        for found in (await client.room.list_rooms(livekit.ListRoomsRequest())).rooms:
                            return found
                    await asyncio.sleep(0.2)

        after = await back()
        assert (after.sid, after.metadata, after.creation_time) == (
            before.sid,
            before.metadata,
            before.creation_time,
        )

    (path,) = server.data_dir.rglob("single/ada.mp4")
    decoded = media.decode(path)
    # Hers is the only tile, so at her flash the whole picture is white, and she is the only one to be heard.
    assert len(media.flashes(decoded, (slice(5, -5), slice(5, -5)))) >= 1
    spectrum = np.abs(np.fft.rfft(decoded.samples))
    frequencies = np.fft.rfftfreq(len(decoded.samples), 1 / decoded.sample_rate)

    def strength(hertz: float) -> float:
        return float(spectrum[np.abs(frequencies - hertz) < 3].max())

    assert strength(220) > 5 * strength(330)
