"""Webhooks to a receiver that is a process of its own: signed, in order, through outages, slowness and a SIGKILL."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from meet.demo.api import Api
from meet.demo.robot import Robot
from meet.demo.server import Server
from tests.e2e.test_serve import pid_of
from tests.support.ports import free_port
from tests.support.receiver import Receiver

pytestmark = pytest.mark.timeout(300)

KEY = "ovmeet-e2e-0123456789abcdef0123456789abcdef"
DELIVERIES = "/api/extra/v1/webhooks/deliveries"


@pytest.fixture
async def receiver(tmp_path: Path) -> AsyncIterator[Receiver]:
    async with Receiver(free_port(), KEY, tmp_path / "received.jsonl") as running:
        yield running


@pytest.fixture
async def server(tmp_path: Path, receiver: Receiver) -> AsyncIterator[Server]:
    env = {
        "MEET_LOG_FORMAT": "json",
        "MEET_INITIAL_API_KEY": KEY,
        "MEET_INITIAL_WEBHOOK_ENABLED": "true",
        "MEET_INITIAL_WEBHOOK_URL": receiver.url,
        "MEET_WEBHOOK_ALLOW_PRIVATE": "true",
        "MEETING_DEPARTURE_TIMEOUT": "1s",
    }
    async with Server(tmp_path / "data", env=env) as running:
        yield running


async def meet_once(api: Api, name: str, *, record: bool = False) -> tuple[str, str]:
    """A meeting from beginning to end; ids of the room and of its recording."""
    room = await api.create_room(name)
    url, token = await api.join_token(room, "Ada")
    recording_id = ""
    async with Robot(url, token):
        if record:
            recording_id = (await api.start_recording(room["roomId"]))["recordingId"]
            await asyncio.sleep(2)
            await api.stop_recording(recording_id)
            await api.wait_for(recording_id, "complete")
    return room["roomId"], recording_id


async def deliveries(api: Api, **query: str) -> list[dict[str, Any]]:
    text = "&".join(f"{name}={value}" for name, value in {"maxItems": "100", **query}.items())
    found: list[dict[str, Any]] = (await api.call("GET", f"{DELIVERIES}?{text}"))["deliveries"]
    return found


async def test_a_recorded_meeting_is_told_from_beginning_to_end(server: Server, receiver: Receiver) -> None:
    async with Api(server.url, KEY) as api:
        room, recording = await meet_once(api, "Réunion", record=True)
        await receiver.wait_for(room, ["meetingStarted", "meetingEnded"])
        steps = ["recordingStarted", "recordingUpdated", "recordingUpdated", "recordingEnded"]
        await receiver.wait_for(recording, steps)
        stored = await api.call("GET", f"/api/v1/recordings/{recording}")
    requests = receiver.requests()
    assert all(line["taken"] and line["type"] == "application/json" for line in requests)
    assert all(line["timestamp"] == str(line["body"]["creationDate"]) for line in requests)
    told = [line["body"]["data"] for line in requests if line["body"]["data"].get("recordingId") == recording]
    assert [data["status"] for data in told] == ["starting", "active", "ending", "complete"]
    assert told[-1] == stored
    started = next(line["body"]["data"] for line in requests if line["body"]["event"] == "meetingStarted")
    assert (started["roomName"], started["status"]) == ("Réunion", "active_meeting")
    assert started["access"]["user"]["url"] == f"{server.url}/meet/room/{room}"


async def test_an_outage_and_a_killed_backend_lose_nothing(server: Server, receiver: Receiver) -> None:
    async with Api(server.url, KEY) as api:
        await receiver.down()
        rooms = [(await meet_once(api, f"Outage {number}"))[0] for number in range(2)]
        deadline = time.monotonic() + 60
        while len(waiting := await deliveries(api, status="pending")) < 4 or not any(
            each["attempts"] for each in waiting
        ):
            assert time.monotonic() < deadline, waiting
            await asyncio.sleep(0.2)
        assert {each["error"] for each in waiting if each["attempts"]} == {"Connection refused by server"}
        os.kill(pid_of(server, "meet backend"), signal.SIGKILL)
        await asyncio.sleep(3)
        await receiver.up()
        for room in rooms:
            await receiver.wait_for(room, ["meetingStarted", "meetingEnded"], timeout_s=90)
        deadline = time.monotonic() + 60
        while await deliveries(api, status="pending"):
            assert time.monotonic() < deadline
            await asyncio.sleep(0.2)
    assert all(line["signed"] for line in receiver.requests())


async def test_a_slow_receiver_does_not_slow_the_api(server: Server, receiver: Receiver) -> None:
    async with Api(server.url, KEY) as api:
        receiver.behave(slow_s=4)
        room, _ = await meet_once(api, "Slow")
        deadline = time.monotonic() + 60
        while not await deliveries(api, subject=room):
            assert time.monotonic() < deadline
            await asyncio.sleep(0.1)
        slowest = 0.0
        for _ in range(50):
            began = time.monotonic()
            await api.call("GET", f"/api/v1/rooms/{room}")
            slowest = max(slowest, time.monotonic() - began)
        assert slowest < 3, "a request waited for the receiver"
        await receiver.wait_for(room, ["meetingStarted", "meetingEnded"])


async def test_a_delivery_is_repeated_on_demand(server: Server, receiver: Receiver) -> None:
    async with Api(server.url, KEY) as api:
        receiver.behave(refuse=True)
        room, _ = await meet_once(api, "Again")
        deadline = time.monotonic() + 60
        while not any(line["signed"] for line in receiver.requests()):
            assert time.monotonic() < deadline
            await asyncio.sleep(0.1)
        receiver.behave()
        await receiver.wait_for(room, ["meetingStarted", "meetingEnded"])
        before = len(receiver.requests())
        (first,) = await deliveries(api, subject=room, event="meetingStarted")
        await api.call("POST", f"{DELIVERIES}/{first['deliveryId']}/redeliver")
        while len(receiver.requests()) == before:
            assert time.monotonic() < deadline + 30
            await asyncio.sleep(0.1)
    again = receiver.requests()[-1]
    assert (again["delivery"], again["body"]["event"]) == (first["deliveryId"], "meetingStarted")


async def test_private_receivers_are_refused_by_default(tmp_path: Path, receiver: Receiver) -> None:
    env = {"MEET_INITIAL_API_KEY": KEY, "MEET_RATE_LIMITS": "true", "NODE_ENV": ""}
    async with Server(tmp_path / "careful", env=env) as careful, Api(careful.url, KEY) as api:
        path = "/internal-api/v1/config/webhooks/test"
        async with api._session.post(path, json={"url": receiver.url}) as response:
            assert response.status == 400
            assert "refused unless MEET_WEBHOOK_ALLOW_PRIVATE=true" in (await response.json())["message"]
        async with aiohttp.request("GET", f"{careful.url}/internal-api/v1/config/captions") as response:
            assert response.headers["RateLimit-Policy"] == "120;w=60"
    assert receiver.requests() == []
