"""The Recorder port against our own service, and against a media server that has none."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from meet.core.errors import EgressNotActive, EgressNotFound, MediaServerUnavailable
from meet.core.model.encoding import PRESETS
from meet.core.model.recording_facts import Integrity, RecordingFacts
from meet.core.recorder_ports import Recorder
from meet.core.recording_errors import EgressSilent, RecorderMissing, RecordingRefused
from meet.livekit import LiveKitMediaServer
from tests.unit.media.twirp.conftest import KEY, SECRET, Server

WISH: dict[str, Any] = {"layout": "speaker", "encoding": PRESETS[1], "key": "p/a--x.mp4"}


async def test_start_pause_and_facts(media: LiveKitMediaServer, server: Server) -> None:
    recorder: Recorder = media.recorder
    server.registry.create("a")
    egress = await recorder.start("a", compose="after", **WISH)
    assert (egress.layout, egress.encoding, egress.key, egress.status) == (
        "speaker",
        PRESETS[1],
        "p/a--x.mp4",
        "starting",
    )
    assert (await recorder.set_paused(egress.egress_id, True)).paused
    assert await recorder.facts(egress.egress_id) == RecordingFacts(paused=True, compose="after")
    assert not (await recorder.set_paused(egress.egress_id, False)).paused
    integrity = {
        "sha256": "ab",
        "size": 5_000_000_000,
        "duration_s": 90,
        "frames": 2700,
        "frames_repeated": 5,
        "frames_left_out": 0,
        "video_gaps": 1,
        "audio_gaps": 2,
        "worst_offset_ms": 40,
        "pauses": 1,
        "paused_s": 2.5,
        "absences": 1,
        "absent_s": 3600,
        "damaged_records": 2,
        "damaged_bytes": 99,
        "of a newer recorder": [1],
    }
    state = server.control.states[egress.egress_id]
    server.control.states[egress.egress_id] = replace(state, status="complete", integrity=integrity)
    assert await recorder.facts(egress.egress_id) == RecordingFacts(
        final=True,
        compose="after",
        integrity=Integrity(
            sha256="ab",
            size=5_000_000_000,
            duration_s=90.0,
            frames=2700,
            frames_repeated=5,
            frames_left_out=0,
            video_gaps=1,
            audio_gaps=2,
            worst_offset_s=0.04,
            pauses=1,
            paused_s=2.5,
            absences=1,
            absent_s=3600.0,
            damaged_records=2,
            damaged_bytes=99,
        ),
    )
    server.control.states[egress.egress_id] = replace(state, status="complete", integrity={"frames": 3})
    assert await recorder.facts(egress.egress_id) == RecordingFacts(final=True, compose="after")


async def test_refusals(media: LiveKitMediaServer, server: Server) -> None:
    server.registry.create("a")
    assert await media.recorder.facts("EG_none") is None
    with pytest.raises(EgressNotFound):
        await media.recorder.set_paused("EG_none", True)
    egress_id = (await media.recorder.start("a", compose="live", **WISH)).egress_id
    server.control.silent = True
    with pytest.raises(EgressSilent):
        await media.recorder.set_paused(egress_id, True)
    server.control.away = True
    with pytest.raises(MediaServerUnavailable):
        await media.recorder.facts(egress_id)
    await server.control.stop(egress_id)
    with pytest.raises(EgressNotActive):
        await media.recorder.set_paused(egress_id, True)
    server.control.full = "disk"
    with pytest.raises(RecordingRefused):
        await media.recorder.start("a", compose="live", **WISH)


@pytest.fixture(params=["bare 404", "twirp"])
async def foreign(request: pytest.FixtureRequest) -> AsyncIterator[LiveKitMediaServer]:
    """A LiveKit server: unknown services are the router's 404, or Twirp's."""

    async def bad_route(_: web.Request) -> web.Response:
        return web.json_response({"code": "bad_route", "msg": "no handler"}, status=404)

    app = web.Application()
    if request.param == "twirp":
        app.add_routes([web.route("*", "/twirp/{tail:.*}", bad_route)])
    running = TestServer(app)
    await running.start_server()
    media = LiveKitMediaServer(str(running.make_url("")), KEY, SECRET)
    yield media
    await media.close()
    await running.close()


async def test_a_media_server_of_somebody_else(foreign: LiveKitMediaServer) -> None:
    with pytest.raises(RecorderMissing, match="cannot pause recordings"):
        await foreign.recorder.set_paused("EG_1", True)
    with pytest.raises(RecorderMissing, match="cannot tell more"):
        await foreign.recorder.facts("EG_1")
    with pytest.raises(RecorderMissing, match="cannot choose when"):
        await foreign.recorder.start("a", compose="after", **WISH)


async def test_a_media_server_that_is_away() -> None:
    media = LiveKitMediaServer("ws://127.0.0.1:1", KEY, SECRET)
    try:
        with pytest.raises(MediaServerUnavailable):
            await media.recorder.facts("EG_1")
    finally:
        await media.close()
