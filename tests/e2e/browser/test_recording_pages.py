"""A finished recording through every door that leads to it: link, list, console, private link. Real server."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from meet.demo.api import Api
from meet.demo.server import Server
from tests.e2e.browser import pages
from tests.e2e.browser.test_pages import problem


async def pauses(ada: Page, late: Page, url: str) -> None:
    """Who may record pauses and resumes, in the meeting and in the list; everybody sees it."""
    badge = late.get_by_test_id("recording-badge")
    button = ada.get_by_role("button", name="Pause recording")
    await button.click()
    await expect(badge).to_have_text("Paused")
    await expect(late.get_by_test_id("pause-button")).to_be_hidden()
    listed = await ada.context.new_page()
    await listed.goto(url.replace("?", "/recordings?"))
    await listed.get_by_role("button", name="Resume the recording of Doors").click()
    await expect(listed.get_by_test_id("recording").get_by_text("Recording now")).to_be_visible()
    await listed.close()
    await expect(badge).to_contain_text("REC")
    await expect(button).to_be_visible()


@pytest.mark.timeout(300)
async def test_every_way_to_a_recording(server: Server, api: Api, tmp_path: Path) -> None:
    settings = server.settings
    room = await api.create_room("Doors")
    links = room["access"]["anonymous"]
    async with pages.chromium() as browser:
        ada, late = windows = await pages.windows(browser, 2)
        complaints = pages.Complaints(server.url, *(page.context for page in windows))
        await pages.join_room(ada, links["moderator"]["url"], "Ada")
        await pages.start_recording(ada)
        await pages.join_room(late, links["speaker"]["url"], "Late")
        await pages.wait_recording(late)
        await late.wait_for_timeout(2000)
        await pauses(ada, late, links["moderator"]["url"])
        await ada.get_by_test_id("record-button").click()
        await pages.leave(ada)
        link = await pages.recording_link(ada)  # also offered to those who left before it was finished
        assert await pages.recording_link(late) == link

        stranger = await (await browser.new_context(accept_downloads=True)).new_page()
        assert await pages.play_recording(stranger, link) > 1
        assert "recordingSecret" not in stranger.url
        assert "/stream?" in await stranger.evaluate("document.querySelector('video').currentSrc")
        path = await pages.download_recording(stranger, tmp_path / "download.mp4")
        recording = (await api.call("GET", "/api/v1/recordings"))["recordings"][0]
        assert path.stat().st_size == recording["size"]
        await stranger.reload()
        await expect(stranger.get_by_test_id("player")).to_be_visible()

        guest = await (await browser.new_context(permissions=["clipboard-read", "clipboard-write"])).new_page()
        await guest.goto(links["recording"]["url"])
        await guest.get_by_test_id("recording-watch").click()
        await expect(guest.get_by_test_id("player")).to_be_visible()

        private = (await api.call("GET", f"/api/v1/recordings/{recording['recordingId']}/url?privateAccess=true"))[
            "url"
        ]
        await guest.goto(private)
        await expect(guest.get_by_test_id("problem").get_by_role("heading")).to_have_text("Please sign in")
        await guest.get_by_role("link", name="Sign in").click()
        await guest.get_by_test_id("sign-in-user").fill(settings.initial_admin_user)
        await guest.get_by_test_id("sign-in-password").fill(settings.initial_admin_password)
        await guest.get_by_test_id("sign-in-button").click()
        await expect(guest.get_by_test_id("player")).to_be_visible()  # back where the sign-in was asked for
        assert await pages.play_recording(guest, guest.url) > 1

        await guest.goto(f"{server.url}/recordings")
        row = guest.get_by_test_id("recording")
        await guest.get_by_test_id("recording-search").fill("nothing like it")
        await expect(row).to_have_count(0)
        await guest.get_by_test_id("recording-search").fill("doo")
        await guest.get_by_test_id("recording-share").click()
        await guest.get_by_test_id("share-time").select_option("1")
        await guest.get_by_test_id("choose-copy").click()
        await expect(guest.get_by_text("Link copied")).to_be_visible()
        shared: str = await guest.evaluate("navigator.clipboard.readText()")
        assert await pages.play_recording(stranger, shared) > 1
        await guest.get_by_test_id("recording-share").click()
        await guest.get_by_test_id("share-revoke").click()
        await expect(guest.get_by_test_id("share-link")).to_have_count(0)
        await guest.keyboard.press("Escape")
        await problem(stranger, shared, "This link is not valid")
        await stranger.goto(link)
        await guest.get_by_test_id("recording-select").check()
        await expect(guest.get_by_test_id("selection-count")).to_have_text("1 selected")
        async with guest.expect_download() as waiting:
            await guest.get_by_test_id("selection-zip").click()
        archive = tmp_path / "recordings.zip"
        await (await waiting.value).save_as(archive)
        assert [entry.file_size for entry in zipfile.ZipFile(archive).infolist()] == [recording["size"]]
        await guest.get_by_test_id("selection-delete").click()
        await guest.get_by_test_id("choose-yes").click()
        await expect(row).to_have_count(0)
        await stranger.reload()
        await expect(stranger.get_by_test_id("problem").get_by_role("heading")).to_have_text("Recording not found")
        assert complaints.found == []
