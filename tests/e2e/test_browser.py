"""A newcomer's story in Chromium, with our pages and an unmodified livekit-client: meet, record, watch."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from meet.demo.api import Api
from meet.demo.server import Server
from tests.e2e.browser import pages
from tests.support import media

LEFT = (slice(None), slice(0, 80))
RIGHT = (slice(None), slice(80, 160))


@pytest.mark.timeout(300)
async def test_two_people_meet_record_and_watch(server: Server, api: Api, tmp_path: Path) -> None:
    settings = server.settings
    async with pages.chromium() as browser:
        console, ada, grace = windows = await pages.windows(browser, 3)
        for page in windows:
            await page.add_init_script(pages.PEERS_SCRIPT)
        complaints = pages.Complaints(server.url, *(page.context for page in windows))
        await pages.sign_in(console, server.url, settings.initial_admin_user, settings.initial_admin_password)
        room_id = await pages.create_room(console, "Book club")
        room = await api.call("GET", f"/api/v1/rooms/{room_id}")
        links = room["access"]["anonymous"]
        await pages.join_room(ada, links["moderator"]["url"], "Ada")
        await pages.join_room(grace, links["speaker"]["url"], "Grace")
        for page, other in ((ada, "Grace"), (grace, "Ada")):
            await pages.wait_tiles(page, 2)
            await pages.video_advances(pages.tile_of(page, other))
            await pages.audio_advances(page)
            assert await pages.hears_sound(page) > 0
            assert "secret=" not in page.url
        assert not await grace.get_by_test_id("record-button").is_visible(), "speakers may not record"

        pressed = time.monotonic()
        await pages.start_recording(ada)
        started = time.monotonic()
        await pages.wait_recording(grace)
        await asyncio.sleep(2)
        await asyncio.gather(*(pages.take_microphone_again(page, 1.0) for page in (ada, grace)))
        await asyncio.sleep(3)
        asked = time.monotonic() - started
        link = await pages.stop_recording(ada)
        over = time.monotonic() - pressed
        shown = await pages.play_recording(console, link)
        assert complaints.found == []

    recordings = (await api.call("GET", "/api/v1/recordings"))["recordings"]
    assert [recording["status"] for recording in recordings] == ["complete"]
    path = tmp_path / "browser.mp4"
    await api.download(recordings[0]["recordingId"], path, lambda _done, _total: None)
    decoded = media.decode(path)
    assert asked - 0.5 <= decoded.video_s <= over, "pressing buttons takes its time too"
    assert abs(decoded.video_s - (recordings[0]["endDate"] - recordings[0]["startDate"]) / 1000) <= 0.5
    assert abs(shown - decoded.video_s) <= 0.1
    for side in (LEFT, RIGHT):
        assert media.moving_share(decoded, side) > 0.8
    beeps = media.beeps(decoded)
    assert len(beeps) >= 3
    assert beeps[-1] > decoded.audio_s - 2, "whose microphone was taken again is heard again"
