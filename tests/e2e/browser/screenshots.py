"""Take the pictures of docs/images again: `make screenshots` (Chromium, half a minute)."""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, Page

from meet.demo.api import Api
from meet.demo.server import Server
from tests.e2e.browser import pages, tour
from tests.support import portrait

IMAGES = Path(__file__).parents[3] / "docs" / "images"


PEOPLE = {
    "Ada": {"wall": (196, 214, 206), "shirt": (32, 92, 104), "skin": (226, 184, 156), "hair": (74, 50, 40)},
    "Grace": {"wall": (222, 205, 184), "shirt": (150, 62, 70), "skin": (150, 104, 78), "hair": (30, 24, 24)},
}

DEVICES = """
const names = { videoinput: "Built-in camera", audioinput: "Built-in microphone", audiooutput: "Built-in speakers" };
const list = navigator.mediaDevices?.enumerateDevices.bind(navigator.mediaDevices);
if (list) navigator.mediaDevices.enumerateDevices = async () =>
  (await list()).map(({ deviceId, groupId, kind }) => ({ deviceId, groupId, kind, label: names[kind] }));
"""
"""Devices by the names people know, not by the files that Chromium's fake ones read."""


async def main() -> None:
    os.environ["MEET_RATE_LIMITS"] = "false"
    with tempfile.TemporaryDirectory() as scratch:
        cameras = [portrait.write_y4m(Path(scratch) / f"{name}.y4m", **look) for name, look in PEOPLE.items()]
        flags = [f"--use-file-for-fake-video-capture={camera}" for camera in cameras]
        async with (
            Server(Path(scratch) / "data", env={"MEET_LOG_FORMAT": "json"}) as server,
            Api(server.url, server.api_key) as api,
            pages.chromium(flags[0]) as first,
            pages.chromium(flags[1]) as second,
        ):
            furnished = await tour.furnish(server, api, first, second)
            await _meeting((first, second), furnished)
            await _console(first, server, furnished)


async def _context(browser: Browser, **options: Any) -> BrowserContext:
    settings: dict[str, Any] = {"viewport": tour.DESK, "color_scheme": "light", "reduced_motion": "reduce"}
    context = await browser.new_context(**{**settings, **options})
    await context.add_init_script(DEVICES)
    return context


async def _take(page: Page, name: str) -> None:
    await tour.settled(page)
    await page.screenshot(path=IMAGES / f"{name}.png", animations="disabled")


async def _console(browser: Browser, server: Server, furnished: tour.Tour) -> None:
    page = await (await _context(browser)).new_page()
    await page.goto(f"{server.url}/")
    await _take(page, "login")
    await tour.signed_in(page, server)
    for name, path in furnished.console().items():
        await page.goto(f"{server.url}/{path}")
        if name != "profile":
            await _take(page, name)
    await pages.play_recording(page, furnished.recording_url)
    await page.get_by_test_id("player").evaluate("(video) => video.pause()")
    await page.get_by_test_id("player").hover()
    await _take(page, "player")

    phone = await _context(browser, viewport=tour.PHONE, color_scheme="dark", device_scale_factor=2)
    page = await phone.new_page()
    await tour.signed_in(page, server)
    await _take(page, "phone-rooms")
    await page.goto(furnished.guest()["lobby"])
    await page.get_by_test_id("join-name").fill("Ada")
    await pages.video_advances(page.get_by_test_id("preview"))
    await _take(page, "phone-lobby")


async def _meeting(browsers: tuple[Browser, Browser], furnished: tour.Tour) -> None:
    contexts = [await _context(browser) for browser in browsers]
    links = furnished.room["access"]["anonymous"]
    people = [("Ada", "moderator", True), ("Grace", "speaker", True), ("Alan", "speaker", False)]
    opened = []
    for (name, role, camera), context in zip(people, (contexts[0], contexts[1], contexts[0]), strict=True):
        opened.append(await context.new_page())
        await pages.join_room(opened[-1], links[role]["url"], name, camera=camera)
    ada, grace, _ = opened
    await pages.wait_tiles(ada, 3)
    await pages.video_advances(pages.tile_of(ada, "Grace"))
    await pages.start_recording(ada)
    await ada.get_by_test_id("people-button").click()
    await ada.bring_to_front()
    await asyncio.sleep(2)
    await _take(ada, "meeting")
    await grace.emulate_media(color_scheme="dark")
    await grace.set_viewport_size(tour.PHONE)
    await grace.bring_to_front()
    await asyncio.sleep(2)
    await _take(grace, "phone-meeting")
    for context in contexts:
        await context.close()


if __name__ == "__main__":
    asyncio.run(main())
