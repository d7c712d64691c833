"""Every page against axe-core, in light and in dark, and at the width of a small phone. Real server."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Page, expect

from meet.demo.api import Api
from meet.demo.server import Server
from tests.e2e.browser import pages, tour
from tests.unit.web.conftest import ROOT

pytestmark = pytest.mark.asyncio(loop_scope="module")

AXE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"


class Inspector:
    """Collects what axe-core and the phone's width object to, by the name of the page."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self._axe = AXE.read_text()

    async def look(self, page: Page, name: str) -> None:
        await tour.settled(page)
        await page.evaluate(self._axe)
        for scheme in ("light", "dark"):
            await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            await self._violations(page, f"{name}, {scheme}")
        await page.set_viewport_size(tour.PHONE)
        await self._violations(page, f"{name}, phone")
        width = await page.evaluate("document.documentElement.scrollWidth")
        if width > tour.PHONE["width"]:
            self.found.append(f"{name}: {width} px wide on a phone")
        await page.set_viewport_size(tour.DESK)

    async def _violations(self, page: Page, where: str) -> None:
        result: dict[str, Any] = await page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        for violation in result["violations"]:
            nodes = "; ".join(node["target"][0] for node in violation["nodes"][:3])
            self.found.append(f"{where}: {violation['id']} ({violation['help']}) at {nodes}")


@pytest.mark.timeout(400)
async def test_every_page_can_be_used_by_everyone(shared_server: Server, shared_api: Api) -> None:
    inspector = Inspector()
    async with pages.chromium() as browser:
        furnished = await tour.furnish(shared_server, shared_api, browser, seconds=1.0)
        page = await (await browser.new_context(viewport=tour.DESK)).new_page()
        await page.goto(f"{shared_server.url}/")
        await inspector.look(page, "start")
        for name, url in furnished.guest().items():
            await page.goto(url)
            await inspector.look(page, name)
        await tour.signed_in(page, shared_server)
        for name, path in furnished.console().items():
            await page.goto(f"{shared_server.url}/{path}")
            await tour.settled(page)
            for summary in await page.locator("summary").all():
                await summary.click()
            await inspector.look(page, name)
        await page.get_by_test_id("room-delete").click()
        await inspector.look(page, "dialog")
        assert inspector.found == []


@pytest.mark.timeout(300)
async def test_a_meeting_can_be_used_by_everyone(shared_server: Server, shared_api: Api) -> None:
    inspector = Inspector()
    links = (await shared_api.create_room("Everyone"))["access"]["anonymous"]
    async with pages.chromium() as browser:
        context = await browser.new_context(viewport=tour.DESK)
        ada, grace = await context.new_page(), await context.new_page()
        await pages.join_room(ada, links["moderator"]["url"], "Ada")
        await pages.join_room(grace, links["speaker"]["url"], "Grace", camera=False)
        await pages.wait_tiles(ada, 2)
        await ada.get_by_test_id("chat-button").click()
        await ada.get_by_test_id("chat-input").fill("Hello")
        await ada.keyboard.press("Enter")
        await ada.bring_to_front()
        await inspector.look(ada, "meeting with chat")
        await ada.get_by_test_id("people-button").click()
        await inspector.look(ada, "meeting with people")
        await ada.get_by_test_id("people-button").click()
        await ada.set_viewport_size(tour.PHONE)
        bottom = await ada.get_by_test_id("leave-button").evaluate("(e) => e.getBoundingClientRect().bottom")
        assert bottom <= tour.PHONE["height"], "all controls are on the screen"
        await ada.get_by_test_id("settings-button").click()
        await inspector.look(ada, "settings")
        await ada.keyboard.press("Escape")
        await ada.get_by_test_id("leave-button").click()
        await expect(ada.get_by_test_id("left")).to_be_visible()
        await inspector.look(ada, "left")
        assert inspector.found == []
