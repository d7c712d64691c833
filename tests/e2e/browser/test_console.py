"""The console in Chromium: rooms, one room's settings, users, server settings. Real server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from meet.demo.api import Api
from meet.demo.server import Server
from tests.e2e.browser import pages, tour

pytestmark = pytest.mark.asyncio(loop_scope="module")


@asynccontextmanager
async def console(server: Server) -> AsyncIterator[tuple[Browser, Page]]:
    """A page on which the root administrator is signed in, and which never did what pages must not do."""
    async with pages.chromium() as browser:
        context = await browser.new_context(permissions=["clipboard-read", "clipboard-write"])
        complaints = pages.Complaints(server.url, context)
        page = await context.new_page()
        await tour.signed_in(page, server)
        yield browser, page
        assert complaints.found == []


@pytest.mark.timeout(300)
async def test_rooms_are_found_page_by_page(shared_server: Server, shared_api: Api) -> None:
    for number in range(21):
        await shared_api.create_room(f"Room {number:02}")
    closed = await shared_api.create_room("Shut")
    await shared_api.call("PUT", f"/api/v1/rooms/{closed['roomId']}/status", {"status": "closed"})
    async with console(shared_server) as (_, page):
        rows = page.get_by_test_id("room")
        await expect(rows).to_have_count(20)
        await page.get_by_role("button", name="Show more").click()
        await expect(rows).to_have_count(22)
        await expect(page.get_by_role("button", name="Show more")).to_be_hidden()
        await page.get_by_test_id("room-search").fill("room 1")
        await expect(rows).to_have_count(10)
        await expect(page.get_by_test_id("announcer")).to_contain_text("10 results.")
        await page.get_by_test_id("room-search").fill("nowhere")
        await expect(page.get_by_text("No room matches.")).to_be_visible()
        await page.get_by_test_id("room-search").fill("")
        await page.locator("#room-status").select_option("closed")
        await expect(rows).to_have_count(1)
        await page.get_by_test_id("room-copy-speaker").click()
        link = closed["access"]["anonymous"]["speaker"]["url"].rpartition("/room/")[2]
        assert (await pages.copied(page, "/room/")).endswith(f"/room/{link}")


@pytest.mark.timeout(300)
async def test_settings_of_a_room(shared_server: Server, shared_api: Api) -> None:
    await shared_api.call("POST", "/api/v1/users", _user("alan_turing", "Alan"))
    async with console(shared_server) as (_, page):
        room_id = await pages.create_room(page, "Planning")
        path = f"/api/v1/rooms/{room_id}"
        await page.locator(f'[data-room-id="{room_id}"]').get_by_test_id("room-settings").click()
        await expect(page.get_by_test_id("room-title")).to_have_text("Planning")

        await page.get_by_test_id("feature-chat").uncheck()
        await page.get_by_test_id("feature-layout").select_option("speaker")
        await expect(page.get_by_test_id("feature-layout")).to_have_value("speaker")
        await page.get_by_test_id("feature-e2ee").check()
        await expect(page.get_by_test_id("feature-recording")).not_to_be_checked()  # the server's doing
        await expect(page.get_by_test_id("feature-e2ee")).to_be_focused()
        chosen = (False, True, "speaker")
        await _until(
            shared_api,
            f"{path}/config",
            lambda c: (c["chat"]["enabled"], c["e2ee"]["enabled"], c["recording"]["layout"]) == chosen,
        )

        await page.get_by_test_id("access-speaker").uncheck()
        await expect(page.get_by_test_id("copy-speaker")).to_be_hidden()
        await page.get_by_test_id("access-user").check()
        await page.get_by_role("heading", name="Permissions").click()
        await page.get_by_test_id("speaker-canRecord").check()
        await _until(shared_api, f"{path}?extraFields=roles", lambda r: _speaker(r)["canRecord"])
        await _until(shared_api, path, lambda r: not r["access"]["anonymous"]["speaker"]["enabled"])
        await _until(shared_api, path, lambda r: r["access"]["user"]["enabled"])

        await page.get_by_test_id("member-name").fill("alan_turing")
        await page.get_by_test_id("member-add").click()
        await expect(page.get_by_test_id("member")).to_have_count(1)
        await page.get_by_test_id("member-name").fill("alan_turing")
        await page.get_by_test_id("member-add").click()
        await expect(page.locator("#member-error")).to_contain_text("already a member")
        await page.get_by_test_id("member-kind").select_option("guest")
        await page.get_by_test_id("member-name").fill("Guest of honour")
        await page.get_by_test_id("member-add").click()
        guest = page.get_by_test_id("member").filter(has_text="Guest of honour")
        await guest.get_by_test_id("member-link").click()
        await pages.copied(page, "secret=guest-")
        await guest.get_by_role("combobox").select_option("moderator")
        await expect(page.get_by_test_id("announcer")).to_contain_text("Guest of honour is moderator now.")
        await guest.get_by_role("button", name="Remove").click()
        await page.get_by_test_id("choose-yes").click()
        await expect(page.get_by_test_id("member")).to_have_count(1)

        await page.get_by_test_id("room-toggle").click()
        await expect(page.get_by_test_id("room-status")).to_have_text("Closed")
        assert (await shared_api.call("GET", path))["status"] == "closed"
        await page.get_by_test_id("room-delete").click()
        await page.keyboard.press("Escape")
        await expect(page.get_by_test_id("dialog")).to_have_count(0)
        await page.get_by_test_id("room-delete").press("Enter")
        await expect(page.get_by_role("button", name="Cancel")).to_be_focused()
        await page.get_by_test_id("choose-yes").click()
        await expect(page.get_by_test_id("new-room")).to_be_visible()
        await expect(page.locator(f'[data-room-id="{room_id}"]')).to_have_count(0)


@pytest.mark.timeout(300)
async def test_deleting_asks_what_becomes_of_a_meeting_and_recordings(shared_server: Server, shared_api: Api) -> None:
    async with console(shared_server) as (browser, page):
        busy = await shared_api.create_room("Busy")
        recorded = await tour.record(shared_api, (browser,), busy, 1.0)
        guest = await (await browser.new_context()).new_page()
        await pages.join_room(guest, busy["access"]["anonymous"]["speaker"]["url"], "Ada")
        await page.goto(f"{shared_server.url}/rooms/{busy['roomId']}")
        await expect(page.get_by_test_id("room-status")).to_have_text("In a meeting")
        await page.get_by_test_id("room-delete").click()
        await page.get_by_test_id("choose-yes").click()
        await expect(page.get_by_test_id("with-meeting")).to_be_visible()
        await page.get_by_test_id("with-meeting").select_option("force")
        await page.get_by_test_id("with-recordings").select_option("force")
        await page.get_by_test_id("choose-yes").click()
        await expect(page.get_by_test_id("new-room")).to_be_visible()
        await expect(guest.get_by_test_id("left")).to_contain_text("The meeting has ended")
        recordings = await _until(shared_api, "/api/v1/recordings", lambda answer: not answer["recordings"])
        assert recorded not in str(recordings)


@pytest.mark.timeout(300)
async def test_users_and_their_passwords(shared_server: Server, shared_api: Api) -> None:
    async with console(shared_server) as (browser, page):
        await page.get_by_test_id("nav-users").click()
        await expect(page.locator('[data-user-id="admin"]')).to_contain_text("Root administrator")
        await page.get_by_test_id("user-new").click()
        for field, text in {"id": "grace_hopper", "name": "Grace", "password": "first-password"}.items():
            await page.get_by_test_id(f"new-user-{field}").fill(text)
        await page.get_by_test_id("new-user-role").select_option("room_manager")
        await page.get_by_test_id("user-add").click()
        row = page.locator('[data-user-id="grace_hopper"]')
        await row.get_by_role("button", name="Reset password").click()
        await page.get_by_test_id("reset-password").fill("1234")
        await page.get_by_test_id("choose-set").click()
        await expect(page.get_by_test_id("dialog")).to_be_visible()  # too short
        await page.get_by_test_id("reset-password").fill("second-password")
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("Grace has a new password.")).to_be_visible()

        grace = await (await browser.new_context()).new_page()
        await grace.goto(f"{shared_server.url}/")
        await grace.get_by_test_id("sign-in-user").fill("grace_hopper")
        await grace.get_by_test_id("sign-in-password").fill("second-password")
        await grace.get_by_test_id("sign-in-button").click()
        await grace.get_by_label("New password").fill("my-own-password")
        await grace.get_by_role("button", name="Change password").click()
        await expect(grace.get_by_test_id("new-room")).to_be_visible()
        await expect(grace.get_by_test_id("nav-config")).to_be_hidden()
        await grace.goto(f"{shared_server.url}/config")
        await expect(grace.get_by_test_id("problem")).to_contain_text("You have no access")
        await grace.goto(f"{shared_server.url}/profile")
        await grace.get_by_label("Present password").fill("wrong-password")
        await grace.get_by_label("New password", exact=True).fill("another-password")
        await grace.get_by_label("New password again").fill("another-password")
        await grace.get_by_role("button", name="Change password").click()
        await expect(grace.locator("#password-error")).to_have_text("Invalid current password.")
        await grace.get_by_label("Present password").fill("my-own-password")
        await grace.get_by_role("button", name="Change password").click()
        await expect(grace.get_by_text("Your password has been changed.")).to_be_visible()

        await row.get_by_role("combobox").select_option("room_member")
        await expect(page.get_by_test_id("announcer")).to_contain_text("Grace is room member now.")
        assert (await shared_api.call("GET", "/api/v1/users/grace_hopper"))["role"] == "room_member"
        await grace.goto(f"{shared_server.url}/rooms")
        await expect(
            grace.get_by_test_id("sign-in-button").or_(grace.get_by_role("heading", name="Rooms"))
        ).to_be_visible()
        await row.get_by_role("button", name="Delete").click()
        await page.get_by_test_id("choose-yes").click()
        await expect(row).to_have_count(0)


@pytest.mark.timeout(300)
async def test_server_settings(shared_server: Server) -> None:
    async with console(shared_server) as (_, page):
        await page.get_by_test_id("nav-config").click()
        await page.get_by_test_id("webhook-enabled").check()
        await page.get_by_test_id("webhook-url").fill("http://127.0.0.1:9/hook")
        await page.get_by_test_id("webhook-test").click()
        await expect(page.get_by_test_id("webhook-error")).not_to_be_empty()
        await page.get_by_test_id("webhook-url").fill("https://receiver.example/hook")
        await page.get_by_test_id("webhook-save").click()
        await expect(page.get_by_text("Webhook settings saved")).to_be_visible()

        before = await page.get_by_test_id("api-key").text_content()
        await page.get_by_test_id("api-key-create").click()
        await page.get_by_test_id("choose-yes").click()
        await expect(page.get_by_test_id("api-key")).not_to_have_text(before or "")
        await page.get_by_test_id("api-key-copy").click()
        assert (await pages.copied(page, "ovmeet-")).startswith("ovmeet-")
        await page.get_by_test_id("api-key-revoke").click()
        await page.get_by_test_id("choose-yes").click()
        await expect(page.get_by_test_id("api-key")).to_be_hidden()
        await expect(page.get_by_test_id("api-key-create")).to_be_focused()

        await page.get_by_test_id("theme-enabled").check()
        await page.locator("#theme-base").select_option("dark")
        await page.locator("#theme-backgroundColor").fill("#101820")
        await page.locator("#theme-primaryColor").fill("#ffd166")
        await page.get_by_test_id("theme-save").click()
        await expect(page.get_by_text("Appearance saved")).to_be_visible()
        await page.reload()
        await expect(page.get_by_test_id("webhook-url")).to_have_value("https://receiver.example/hook")
        await expect(page.get_by_test_id("webhook-enabled")).to_be_checked()
        await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        await expect(page.locator("body")).to_have_css("background-color", "rgb(16, 24, 32)")
        await expect(page.get_by_test_id("theme-save")).to_have_css("color", "rgb(0, 0, 0)")


def _user(user_id: str, name: str) -> dict[str, str]:
    return {"userId": user_id, "name": name, "role": "room_manager", "password": "first-password"}


def _speaker(room: dict[str, Any]) -> dict[str, bool]:
    permissions: dict[str, bool] = room["roles"]["speaker"]["permissions"]
    return permissions


async def _until(api: Api, path: str, done: Callable[[Any], bool]) -> Any:
    """The answer as soon as `done` says so. Raises TimeoutError."""
    async with asyncio.timeout(60):
        while not done(answer := await api.call("GET", path)):
            await asyncio.sleep(0.2)
    return answer
