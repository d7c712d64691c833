"""What the pages say when something is not as it should be, and what a meeting is like by keyboard. Real server."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, Route, expect

from meet.demo.api import Api
from meet.demo.server import Server
from tests.e2e.browser import pages


async def problem(page: Page, url: str, title: str) -> None:
    """Open an address and expect the page's problem card with this title."""
    await page.goto(url)
    card = page.get_by_test_id("problem")
    await expect(card).to_be_visible()
    await expect(card.get_by_role("heading")).to_have_text(title)
    assert "ecret=" not in page.url


async def waits_for_its_turn(page: Page, link: str) -> None:
    """Many people behind one address: the page says so, and goes on by itself."""
    refused = 0

    async def busy(route: Route) -> None:
        nonlocal refused
        refused += 1
        if refused > 2:
            return await route.fallback()
        body = {"error": "Too Many Requests", "message": "Too many token requests, please try again later"}
        await route.fulfill(status=429, headers={"Retry-After": "0"}, json=body)

    await page.add_init_script("Math.random = () => 0")  # nobody else waits
    await page.route("**/members/token", busy)
    await page.goto(link)
    await expect(page.get_by_test_id("waiting")).to_contain_text("goes on by itself in about 1 seconds")
    await expect(page.get_by_test_id("join-button")).to_be_visible()
    await expect(page.get_by_test_id("waiting")).to_have_count(0)
    assert refused == 3


@pytest.mark.timeout(300)
async def test_refusals_are_explained(server: Server, api: Api) -> None:
    room = await api.create_room("Refusals")
    room_id, access = room["roomId"], room["access"]["anonymous"]
    async with pages.chromium() as browser:
        context = await browser.new_context()
        complaints = pages.Complaints(server.url, context)
        page = await context.new_page()
        await problem(page, f"{server.url}/room/{room_id}?secret=wrong", "This link is not valid")
        await problem(page, f"{server.url}/room/nowhere-1?secret=0123456789", "Room not found")
        await problem(
            page, f"{server.url}/recording/{room_id}--EG_x--0123456789?recordingSecret=a", "Recording not found"
        )

        stranger = await browser.new_page()
        await problem(stranger, f"{server.url}/room/{room_id}", "Please sign in")
        await stranger.get_by_role("link", name="Sign in").click()
        await expect(stranger.get_by_test_id("sign-in-button")).to_be_visible()

        await page.goto(access["recording"]["url"])
        await expect(page.get_by_text("Nothing has been recorded in this room yet.")).to_be_visible()

        off = await api.create_room("Links off", access={"anonymous": {"speaker": {"enabled": False}}})
        link = off["access"]["anonymous"]["speaker"]["url"]
        await problem(page, link, "Access by link is switched off")
        assert complaints.found == []
        await waits_for_its_turn(await browser.new_page(), access["speaker"]["url"])


@pytest.mark.timeout(300)
async def test_signing_in_and_out(server: Server) -> None:
    settings = server.settings
    async with pages.chromium() as browser:
        context = await browser.new_context()
        complaints = pages.Complaints(server.url, context)
        page = await context.new_page()
        await page.goto(f"{server.url}/")
        await page.get_by_test_id("sign-in-user").fill(settings.initial_admin_user)
        await page.get_by_test_id("sign-in-password").fill("not the password")
        await page.get_by_test_id("sign-in-button").click()
        await expect(page.get_by_test_id("sign-in-error")).to_have_text("User id or password is wrong.")

        await pages.sign_in(page, server.url, settings.initial_admin_user, settings.initial_admin_password)
        room_id = await pages.create_room(page, "Planning <b>2027</b>")
        assert await page.locator("#rooms b").count() == 0, "names are text, not markup"
        row = page.locator(f'[data-room-id="{room_id}"]')
        await row.get_by_test_id("room-open").click()
        await expect(page.get_by_test_id("room-name")).to_have_text("Planning <b>2027</b>")
        await page.go_back()
        await expect(row).to_be_visible()
        await page.get_by_test_id("sign-out").click()
        await expect(page.get_by_test_id("sign-in-button")).to_be_visible()
        await page.goto(f"{server.url}/users")
        await expect(page.get_by_test_id("sign-in-button")).to_be_visible()  # nobody is signed in any more
        assert complaints.found == []


@pytest.mark.timeout(300)
async def test_chat_screen_and_leaving_by_keyboard(server: Server, api: Api) -> None:
    links = (await api.create_room("Keys"))["access"]["anonymous"]
    async with pages.chromium() as browser:
        ada, grace = windows = await pages.windows(browser, 2)
        complaints = pages.Complaints(server.url, *(page.context for page in windows))
        await pages.join_room(ada, links["moderator"]["url"], "Ada")
        await pages.join_room(grace, links["speaker"]["url"], "Grace", camera=False)
        await pages.wait_tiles(ada, 2)
        await expect(ada.get_by_test_id("announcer")).to_contain_text("Grace joined.")

        await ada.get_by_test_id("chat-button").press("Enter")
        await ada.get_by_test_id("chat-input").fill("Is this on? <i>")
        await ada.keyboard.press("Enter")
        await expect(grace.get_by_test_id("announcer")).to_contain_text("Ada: Is this on? <i>")
        await ada.keyboard.press("Escape")
        await expect(ada.get_by_test_id("chat-button")).to_be_focused()

        await ada.get_by_test_id("microphone-button").press(" ")
        await expect(ada.get_by_test_id("microphone-button")).to_have_attribute("aria-pressed", "false")
        await expect(pages.tile_of(grace, "Ada").get_by_text("muted")).to_be_attached()

        await ada.get_by_test_id("screen-button").press("Enter")
        await expect(grace.get_by_test_id("screen-tile")).to_have_count(1)
        await grace.bring_to_front()
        await pages.video_advances(grace.get_by_test_id("screen-tile"))

        await ada.get_by_test_id("leave-button").press("Enter")
        await expect(ada.get_by_test_id("left")).to_contain_text("You left the meeting")
        await pages.wait_tiles(grace, 1)
        assert complaints.found == []
