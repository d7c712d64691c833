"""What may be sent besides VP8, H264 and plain Opus."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest
from playwright.async_api import Browser

from meet.demo.api import Api
from meet.demo.server import Server
from meet.media.main import MediaServer
from meet.media.room import TrackKind
from tests.e2e.media.pages.acts import advances, holds
from tests.e2e.media.pages.conftest import Enter, thorough
from tests.support.media import decode, moving_share


@thorough
@pytest.mark.parametrize(("red", "most"), [(True, 0.03), (False, 1.0)], ids=["redundant", "plain"])
async def test_sound_under_loss(enter: Enter, media: MediaServer, red: bool, most: float) -> None:
    """A tenth of the packets is lost on the way to bob: with redundancy he hardly has to make up any sound."""
    alice = await enter("alice", single=True, publish=False, options={"publishDefaults": {"red": red}})
    await alice.evaluate("room.localParticipant.setMicrophoneEnabled(true)")
    bob = await enter("bob", single=True, publish=False)
    await advances(bob, "audio alice")
    await holds(bob, "() => seen.peaks['alice'] > 0.1")
    await asyncio.sleep(2)
    chance = random.Random(1)
    before = await bob.evaluate("concealment()")
    media.mux.drop = lambda outgoing, data: (
        outgoing and data[0] >= 128 and not 192 <= data[1] <= 223 and chance.random() < 0.1
    )
    await asyncio.sleep(8)
    after = await bob.evaluate("concealment()")
    media.mux.drop = None
    share = (after[0] - before[0]) / (after[1] - before[1])
    print(f"made up: {share:.1%}")
    assert share < most
    assert red or share > 0.03


class TestLayers:
    """VP9 and AV1, which livekit-client sends with three spatial layers in one stream."""

    @pytest.fixture
    def video_codecs(self) -> tuple[str, ...]:
        return ("VP8", "VP9", "AV1")

    @pytest.mark.parametrize("codec", [pytest.param("vp9", marks=thorough), "av1"])
    async def test_they_are_forwarded_where_they_are_allowed(
        self, enter: Enter, media: MediaServer, codec: str
    ) -> None:
        await enter("alice", single=True, codec=codec)
        bob, carol = await enter("bob", single=True, publish=False), await enter("carol", single=False, publish=False)
        for page in (bob, carol):
            await advances(page, "video alice", width=320)
        (track,) = (
            t for t in media.registry.require("room").participants["alice"].live_tracks if t.kind is TrackKind.VIDEO
        )
        assert track.mime_type == f"video/{codec.upper()}"


@thorough
@pytest.mark.parametrize("codec", ["vp9", "av1"])
async def test_they_are_recorded(media: MediaServer, browser: Browser, tmp_path: Path, codec: str) -> None:
    environment = {"MEET_LOG_FORMAT": "json", "MEET_VIDEO_CODECS": "VP8,VP9,AV1", "MEET_RATE_LIMITS": "false"}
    async with Server(tmp_path / "data", env=environment) as server, Api(server.url, server.api_key) as api:
        room = await api.create_room("Layers")
        url, token = await api.join_token(room, "Alice")
        page = await (await browser.new_context()).new_page()
        await page.goto(f"http://127.0.0.1:{media.port}/page")
        wanted = {"url": url, "token": token, "single": True, "codec": codec, "publish": True, "options": {}}
        await page.evaluate("wanted => join(wanted)", wanted)
        await holds(page, "async () => (await sendingLayers()).length === 1")
        recording = await api.start_recording(room["roomId"])
        await asyncio.sleep(8)
        await api.stop_recording(recording["recordingId"])
        done = await api.wait_for(recording["recordingId"], "complete", "failed", "aborted")
        assert done["status"] == "complete", done
        path = tmp_path / done["filename"]
        await api.download(recording["recordingId"], path, lambda _done, _total: None)
    decoded = decode(path)
    assert (decoded.width, decoded.height) == (1280, 720)
    # Chromium's fake camera shows a moving disc: where it is, and nowhere else, pixels change.
    assert moving_share(decoded, (slice(None), slice(None))) > 0.8
