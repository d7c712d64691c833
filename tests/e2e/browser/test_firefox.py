"""A recording in the player page of an unmodified Firefox."""

from __future__ import annotations

import pytest

from meet.demo.api import Api
from meet.demo.server import Server
from tests.e2e.browser import pages
from tests.e2e.media.pages.acts import holds
from tests.e2e.media.pages.conftest import thorough
from tests.e2e.media.pages.firefox import PATH, Firefox

pytestmark = [thorough, pytest.mark.skipif(PATH is None, reason="no Firefox here")]

PLAY = "() => { const v = document.querySelector('[data-testid=player]'); v.muted = true; return v.play() }"


async def test_a_recording_plays_and_can_be_sought(server: Server, api: Api) -> None:
    room = await api.create_room("Fox")
    async with pages.chromium() as browser, Firefox() as firefox:
        ada = await (await browser.new_context()).new_page()
        await pages.join_room(ada, room["access"]["anonymous"]["moderator"]["url"], "Ada")
        await pages.start_recording(ada)
        await ada.wait_for_timeout(5000)
        await ada.get_by_test_id("record-button").click()
        await pages.leave(ada)
        page = await firefox.new_page(await pages.recording_link(ada))
        await holds(page, "() => document.querySelector('[data-testid=player]')?.readyState >= 1")
        await page.evaluate(PLAY)
        await holds(page, "() => document.querySelector('[data-testid=player]').currentTime > 1")
        await page.evaluate("() => { document.querySelector('[data-testid=player]').currentTime = 3 }")
        await holds(page, "() => document.querySelector('[data-testid=player]').currentTime > 3.5")
        width = await page.evaluate("document.querySelector('[data-testid=player]').videoWidth")
        assert width == 1280
