"""A server with something on every page, and the list of those pages: for accessibility tests and screenshots."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from playwright.async_api import Browser, Page, ViewportSize, expect

from meet.demo.api import Api
from meet.demo.server import Server
from tests.e2e.browser import pages

DESK = ViewportSize(width=1280, height=800)
PHONE = ViewportSize(width=360, height=740)
NAMES = ("Weekly planning", "Design review", "Book club", "Interview Ms Okafor", "Support line", "All hands")


@dataclass(frozen=True)
class Tour:
    """What was put on the server."""

    room: dict[str, Any]
    recording_url: str

    def console(self) -> dict[str, str]:
        """Name -> path of every page for people who are signed in."""
        paths = {name: name for name in ("rooms", "recordings", "users", "config", "profile")}
        return {**paths, "room-settings": f"rooms/{self.room['roomId']}"}

    def guest(self) -> dict[str, str]:
        """Name -> address of the pages that a link opens."""
        anonymous = self.room["access"]["anonymous"]
        return {
            "lobby": anonymous["moderator"]["url"],
            "room-recordings": anonymous["recording"]["url"],
            "player": self.recording_url,
            "problem": anonymous["moderator"]["url"].partition("?")[0] + "?secret=wrong",
        }


async def furnish(server: Server, api: Api, *browsers: Browser, seconds: float = 3.0) -> Tour:
    """Rooms in every state, users of every role, members, and a recording of a short meeting in `browsers`."""
    rooms = [await api.create_room(name) for name in reversed(NAMES)]
    room = rooms[-1]
    await api.call("PUT", f"/api/v1/rooms/{rooms[1]['roomId']}/status", {"status": "closed"})
    people = {"grace_hopper": ("Grace Hopper", "room_manager"), "alan_turing": ("Alan Turing", "room_member")}
    people["ada_lovelace"] = ("Ada Lovelace", "admin")
    for user, (name, role) in people.items():
        body = {"userId": user, "name": name, "role": role, "password": "first-password"}
        await api.call("POST", "/api/v1/users", body)
    members = f"/api/v1/rooms/{room['roomId']}/members"
    await api.call("POST", members, {"userId": "grace_hopper", "baseRole": "moderator"})
    await api.call("POST", members, {"name": "Katherine (guest)", "baseRole": "speaker"})
    recording = await record(api, browsers, room, seconds)
    url = await api.call("GET", f"/api/v1/recordings/{recording}/url")
    return Tour(room, url["url"])


async def record(api: Api, browsers: tuple[Browser, ...], room: dict[str, Any], seconds: float) -> str:
    """Two people meet and are recorded; the recording's id."""
    contexts = [await browsers[0].new_context(), await browsers[-1].new_context()]
    links = room["access"]["anonymous"]
    for name, role, context in (("Ada", "moderator", contexts[0]), ("Grace", "speaker", contexts[1])):
        await pages.join_room(await context.new_page(), links[role]["url"], name)
    started = await api.start_recording(room["roomId"])
    await asyncio.sleep(seconds)
    await api.stop_recording(started["recordingId"])
    await api.wait_for(started["recordingId"], "complete")
    for context in contexts:
        await context.close()
    return str(started["recordingId"])


async def signed_in(page: Page, server: Server) -> None:
    """Sign in as the root administrator."""
    settings = server.settings
    await pages.sign_in(page, server.url, settings.initial_admin_user, settings.initial_admin_password)


async def settled(page: Page) -> None:
    """Wait until the page has shown what it was opened for and its colours stand still."""
    shown = page.locator("main > [data-view]:not([hidden])")
    await expect(shown.and_(page.locator(":not([data-view=loading])"))).to_have_count(1)
    await page.wait_for_load_state("networkidle")
    await page.evaluate("document.fonts.ready")
