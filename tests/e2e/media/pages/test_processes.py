"""Rooms in two media processes, as `meet serve` runs them: one is killed, one drained, people stay in their meetings.

The processes are the supervisor's own; only the backend is missing, in whose place the test takes the webhooks.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from livekit import api
from playwright.async_api import Browser
from prometheus_client.parser import text_string_to_metric_families

from meet import credentials
from meet.config import Settings
from meet.media.front.places import Places
from meet.media.room import RoomRegistry
from meet.supervisor.child import Child
from meet.supervisor.run import claim_ports, media_children
from tests.e2e.media.conftest import KEY, SECRET, access_token
from tests.e2e.media.pages.acts import advances, holds
from tests.e2e.media.pages.conftest import page_routes
from tests.e2e.media.sdk import Robot, until

SHOW = """identity => {
  const publications = [...(room.remoteParticipants.get(identity)?.trackPublications.values() ?? [])];
  for (const { track, kind } of publications)
    if (track && !track.attachedElements.length) {
      const element = track.attach();
      element.muted = true;
      element.dataset.name = `${kind} ${identity}`;
      document.getElementById('media').append(element);
    }
  return publications.some(publication => publication.isSubscribed);
}"""
"""Show what is subscribed. For two seconds after `reconnected`, livekit-client 2.23 swallows its event trackSubscribed
(Room.emitWhenConnected keeps it back while engine.pendingReconnect, and nothing sends it later)."""


@dataclass
class Machine:
    """The front and the workers; `told` are the webhooks that came, as (event, room name)."""

    settings: Settings
    children: list[Child]
    told: list[tuple[str, str]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.settings.livekit_port}"

    @property
    def workers(self) -> list[Child]:
        return self.children[1:]

    async def rooms(self, worker: int) -> int:
        """How many rooms a worker has."""
        path = Places(self.settings.data_dir / "run").metrics(worker)
        async with (
            aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(path))) as http,
            http.get("http://worker/metrics") as response,
        ):
            families = {family.name: family for family in text_string_to_metric_families(await response.text())}
        return round(families["meet_media_rooms"].samples[0].value)

    async def two_rooms(self) -> tuple[int, str, str]:
        """The worker of the first room, the first, and a second that is with the other worker."""
        async with api.LiveKitAPI(self.url, KEY, SECRET) as server:
            await server.room.create_room(api.CreateRoomRequest(name="first", empty_timeout=60))
            home = 0 if await self.rooms(0) else 1
            for number in range(120):  # at once, unless that worker is late just now: the machine may be busy
                name = f"second-{number}"
                await server.room.create_room(api.CreateRoomRequest(name=name, empty_timeout=60))
                if await self.rooms(1 - home):
                    return home, "first", name
                await server.room.delete_room(api.DeleteRoomRequest(room=name))
                await asyncio.sleep(0.25)  # they say every second how they are
        raise AssertionError("all rooms are with one worker")


@pytest.fixture
async def machine(tmp_path: Path) -> AsyncIterator[Machine]:
    wanted = credentials.fill(
        Settings.load(
            port=0,
            livekit_port=0,
            rtc_port=0,
            livekit_url="",
            media_processes=2,
            data_dir=tmp_path,
            livekit_api_key=KEY,
            livekit_api_secret=SECRET,
        )
    )
    settings = claim_ports(wanted)
    (tmp_path / "run").mkdir()
    machine = Machine(settings, media_children(settings, {**os.environ, **settings.to_env()}))

    async def hook(request: web.Request) -> web.Response:
        event = json.loads(await request.read())
        machine.told.append((event["event"], event.get("room", {}).get("name", "")))
        return web.Response()

    app = web.Application()
    app.router.add_post("/livekit/webhook", hook)
    app.add_routes((await page_routes(RoomRegistry())).routes)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", settings.port).start()
    try:
        await asyncio.gather(*(child.start() for child in machine.children))
        yield machine
    finally:
        await asyncio.gather(*(child.stop(10) for child in machine.children))
        await runner.cleanup()


@pytest.mark.timeout(300)
async def test_one_process_dies_and_one_is_drained(machine: Machine, browser: Browser) -> None:
    page = await (await browser.new_context()).new_page()
    await page.goto(f"http://127.0.0.1:{machine.settings.port}/page")
    wish = {"url": machine.url, "single": True, "codec": "vp8", "publish": True, "options": {}}
    robots = {name: Robot(name) for name in ("bob", "carol", "dave")}
    changes: dict[str, list[str]] = {name: [] for name in robots}
    for name, robot in robots.items():
        for event in ("reconnecting", "reconnected", "disconnected"):
            robot.room.on(event, lambda *_, name=name, event=event: changes[name].append(event))

    async def flowing(*names: str) -> None:
        """Pictures of the others go on coming."""
        before = {name: sum(robots[name].frames.values()) for name in names}
        await until(lambda: all(sum(robots[name].frames.values()) > before[name] + 5 for name in names))

    try:
        home, first, second = await machine.two_rooms()
        await page.evaluate("wanted => join(wanted)", {**wish, "token": access_token("alice", first)})
        await robots["bob"].join(machine.url, access_token("bob", first))
        for name in ("carol", "dave"):
            await robots[name].join(machine.url, access_token(name, second))
        assert [await machine.rooms(0), await machine.rooms(1)] == [1, 1]
        for robot in robots.values():
            await robot.publish_video()
        await flowing(*robots)
        await advances(page, "video bob")

        # The worker of the second room is killed: its people are back by themselves, the first has not noticed.
        victim = machine.workers[1 - home].pid
        assert victim is not None
        os.kill(victim, signal.SIGKILL)
        await until(lambda: all("reconnected" in changes[name] for name in ("carol", "dave")))
        await flowing(*robots)
        assert [await machine.rooms(0), await machine.rooms(1)] == [1, 1]

        # The worker of the first is drained: everybody is with the other one, and one process is fresh.
        await machine.workers[home].renew()
        await until(lambda: "reconnected" in changes["bob"])
        await holds(page, "() => seen.events.includes('reconnected')")
        await flowing(*robots)
        await holds(page, SHOW, "bob")
        await advances(page, "video bob")
        assert [await machine.rooms(home), await machine.rooms(1 - home)] == [0, 2]

        assert await page.evaluate("seen.events") == ["reconnecting", "reconnected"]
        assert changes["bob"] == ["reconnecting", "reconnected"]
        assert "disconnected" not in changes["carol"] + changes["dave"]
        told = [event for event in machine.told if event[0].startswith("room_") and event[1] in (first, second)]
        assert sorted(told) == [("room_started", first), ("room_started", second)]
    finally:
        for robot in robots.values():
            await robot.leave()
