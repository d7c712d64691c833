"""`<openvidu-meet>` in a site of another origin: what it shows, says and does. Real server, real meeting."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from html import escape
from typing import Any
from urllib.parse import urlencode

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from playwright.async_api import BrowserContext, FrameLocator, Page, expect

from meet.demo.api import Api
from meet.demo.server import Server
from tests.e2e.browser import pages

pytestmark = pytest.mark.asyncio(loop_scope="module")

PAGE = """<!doctype html>
<script src="{server}/v1/openvidu-meet.js"></script>
<openvidu-meet {given} style="height: 90vh"></openvidu-meet>
<script>
  const meet = document.querySelector("openvidu-meet");
  window.heard = [];
  for (const name of ["joined", "left", "closed"]) {{
    meet.addEventListener(name, (event) => heard.push([name, event.detail]));
    meet.once(name, (detail) => heard.push(["once " + name, detail]));
  }}
</script>"""


@asynccontextmanager
async def site(server: Server) -> AsyncIterator[str]:
    """The origin of a site that embeds the element with the attributes that its query says."""

    async def page(request: web.Request) -> web.Response:
        given = " ".join(f'{name}="{escape(value)}"' for name, value in request.query.items())
        return web.Response(content_type="text/html", text=PAGE.format(server=server.url, given=given))

    async def elsewhere(request: web.Request) -> web.Response:
        return web.Response(text="elsewhere")

    app = web.Application()
    app.add_routes([web.get("/", page), web.get("/{path}", elsewhere)])
    running = TestServer(app)
    async with running:
        yield f"http://localhost:{running.port}"


async def embedding(context: BrowserContext, origin: str, **attributes: str) -> Page:
    """A page of that site. It keeps what it hears, in the order and the two ways of hearing it."""
    page = await context.new_page()
    await page.goto(f"{origin}/?{urlencode({name.replace('_', '-'): text for name, text in attributes.items()})}")
    return page


def inside(page: Page) -> FrameLocator:
    return page.frame_locator("openvidu-meet iframe")


async def hears(page: Page, name: str) -> dict[str, Any]:
    """The payload of the latest event of this name, waited for."""
    found = await page.wait_for_function(
        f"heard.findLast(([name]) => name === {json.dumps(name)})", timeout=pages.TIMEOUT_MS
    )
    return dict((await found.json_value())[1])


@pytest.mark.timeout(300)
async def test_a_meeting_in_another_site(shared_server: Server, shared_api: Api) -> None:
    room = await shared_api.create_room("Inside")
    url = room["access"]["anonymous"]["moderator"]["url"]
    async with site(shared_server) as origin, pages.chromium() as browser:
        context = await browser.new_context()
        page = await embedding(context, origin, room_url=url, participant_name="Ada")
        await expect(inside(page).get_by_test_id("join-name")).to_have_value("Ada")
        await inside(page).get_by_test_id("join-button").click()
        joined = await hears(page, "joined")
        assert joined == await hears(page, "once joined")
        assert joined["roomId"] == room["roomId"] and joined["participantIdentity"].startswith("ada-")

        guest = await context.new_page()
        await pages.join_room(guest, room["access"]["anonymous"]["speaker"]["url"], "Grace", camera=False)
        await expect(inside(page).get_by_test_id("tile")).to_have_count(2)
        people = inside(page).locator('[data-testid="person"][data-identity^="grace-"]')
        identity = await people.get_attribute("data-identity")
        await page.evaluate("(who) => meet.kickParticipant(who)", identity)
        await expect(guest.get_by_test_id("left")).to_contain_text("You were removed")

        await page.evaluate("meet.endMeeting()")
        left = await hears(page, "left")
        assert left == {**joined, "reason": "meeting_ended_by_self"}
        assert not await page.evaluate("heard.some(([name]) => name === 'closed')")
        await inside(page).get_by_test_id("left-home").click()
        await hears(page, "closed")
        order = [name for name, _ in await page.evaluate("heard")]
        assert order == ["joined", "once joined", "left", "once left", "closed", "once closed"]


@pytest.mark.timeout(300)
async def test_leaving_leads_to_where_the_site_says(shared_server: Server, shared_api: Api) -> None:
    room = await shared_api.create_room("Onwards")
    url = room["access"]["anonymous"]["moderator"]["url"]
    async with site(shared_server) as origin, pages.chromium() as browser:
        context = await browser.new_context()
        page = await embedding(context, origin, room_url=url, leave_redirect_url=f"{origin}/thanks")
        await inside(page).get_by_test_id("join-name").fill("Ada", timeout=pages.TIMEOUT_MS)
        await inside(page).get_by_test_id("join-button").click()
        await hears(page, "joined")
        await page.evaluate("meet.leaveRoom()")
        await page.wait_for_url(f"{origin}/thanks", timeout=pages.TIMEOUT_MS)

        # The same without the element: the address may say so itself, but nothing that is no web page.
        alone = await context.new_page()
        await pages.join_room(
            alone, f"{url}&leave-redirect-url={origin}/alone&participant-name=Bob", "Bob", camera=False
        )
        await alone.get_by_test_id("leave-button").click()
        await alone.wait_for_url(f"{origin}/alone", timeout=pages.TIMEOUT_MS)
        hostile = await context.new_page()
        await pages.join_room(hostile, f"{url}&leave-redirect-url=javascript:document.title=1", "Eve", camera=False)
        await hostile.get_by_test_id("leave-button").click()
        await expect(hostile.get_by_test_id("left")).to_be_visible()

        listed = await embedding(context, origin, room_url=url, show_only_recordings="")
        await expect(inside(listed).get_by_role("heading", name="Onwards")).to_be_visible()
        await expect(inside(listed).get_by_text("Nothing has been recorded in this room yet.")).to_be_visible()
        await expect(inside(listed).locator("#enter-room")).to_be_hidden()
        nothing = await embedding(context, origin, room_url="javascript:alert(1)")
        assert await nothing.evaluate(
            "document.querySelector('openvidu-meet').shadowRoot.querySelector('iframe').src"
        ) in (
            "",
            "about:blank",
        )
