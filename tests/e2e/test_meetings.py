"""Moderation as the people in the meeting see it, through the `livekit` SDK."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import jwt
import pytest
from livekit import rtc

from meet.demo.api import Api, ApiError

pytestmark = pytest.mark.timeout(300)

ROLE_UPDATED = "meet_participant_role_updated"


class Guest:
    """Somebody in a meeting who notes what happens to them."""

    def __init__(self, url: str, token: str) -> None:
        self.room = rtc.Room()
        self.token = token
        self.identity: str = jwt.decode(token, options={"verify_signature": False})["sub"]
        self.signals: asyncio.Queue[Any] = asyncio.Queue()
        self.left: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.url = url
        self.room.on("data_received", self._received)
        self.room.on("disconnected", self._disconnected)

    def _received(self, packet: Any) -> None:
        self.signals.put_nowait((packet.topic, json.loads(packet.data)))

    def _disconnected(self, reason: Any) -> None:
        if not self.left.done():
            self.left.set_result(reason)

    async def __aenter__(self) -> Guest:
        await self.room.connect(self.url, self.token)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.room.disconnect()

    async def signal(self, topic: str) -> Any:
        """The payload of the next signal on `topic`."""
        async with asyncio.timeout(60):
            while True:
                found, payload = await self.signals.get()
                if found == topic:
                    return payload


@asynccontextmanager
async def meeting(api: Api, name: str) -> AsyncIterator[tuple[str, Guest, Guest]]:
    """Room id, Mo the moderator, Sam the speaker."""
    room = await api.create_room(name)
    url, moderator = await api.join_token(room, "Mo")
    _, speaker = await api.join_token(room, "Sam", role="speaker")
    async with Guest(url, moderator) as mo, Guest(url, speaker) as sam:
        yield room["roomId"], mo, sam


def metadata(token: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(jwt.decode(token, options={"verify_signature": False})["metadata"])
    return found


async def moderate(api: Api, method: str, path: str, token: str, body: Any = None) -> Any:
    headers = {"X-Room-Member-Token": f"Bearer {token}"}
    return await api.call(method, f"/internal-api/v1{path}", body, **headers)


async def test_a_promotion_is_told_and_reaches_the_token(api: Api) -> None:
    async with meeting(api, "Promotion") as (room_id, moderator, speaker):
        path = f"/meetings/{room_id}/participants/{speaker.identity}/role"
        refresh = f"/rooms/{room_id}/members/token/refresh"
        for action, badge in (("upgrade", "moderator"), ("downgrade", "other")):
            answer = await moderate(api, "PUT", path, moderator.token, {"action": action})
            expected = f"Moderation action '{action}' applied to participant '{speaker.identity}' in room '{room_id}'"
            assert answer == {"message": expected}
            signal = await speaker.signal(ROLE_UPDATED)
            assert (signal["roomId"], signal["participantIdentity"], signal["newBadge"]) == (
                room_id,
                speaker.identity,
                badge,
            )
            fresh = (await moderate(api, "POST", refresh, speaker.token))["token"]
            assert metadata(fresh)["badge"] == badge
            assert metadata(fresh)["permissions"]["canRecord"] is (badge == "moderator")
            with pytest.raises(ApiError) as repeated:
                await moderate(api, "PUT", path, moderator.token, {"action": action})
            assert repeated.value.status == 409
        assert moderator.signals.empty(), "the signal is for the participant alone"
        assert metadata(speaker.token)["livekitUrl"] == speaker.url


async def test_a_kicked_participant_is_out_and_the_others_stay(api: Api) -> None:
    async with meeting(api, "Kick") as (room_id, moderator, speaker):
        path = f"/meetings/{room_id}/participants/{speaker.identity}"
        with pytest.raises(ApiError) as refused:
            await moderate(api, "DELETE", path, speaker.token)
        assert refused.value.status == 403
        await moderate(api, "DELETE", path, moderator.token)
        reason = await asyncio.wait_for(speaker.left, 60)
        assert reason == rtc.DisconnectReason.PARTICIPANT_REMOVED
        assert not moderator.left.done()
        with pytest.raises(ApiError) as gone:
            await moderate(api, "DELETE", path, moderator.token)
        assert gone.value.status == 404


async def test_an_ended_meeting_is_over_for_everybody(api: Api) -> None:
    async with meeting(api, "End") as (room_id, moderator, speaker):
        await moderate(api, "DELETE", f"/meetings/{room_id}", moderator.token)
        for guest in (moderator, speaker):
            assert await asyncio.wait_for(guest.left, 60) == rtc.DisconnectReason.ROOM_DELETED
    async with asyncio.timeout(60):
        while (await api.call("GET", f"/api/v1/rooms/{room_id}"))["status"] != "open":
            await asyncio.sleep(0.1)
    answer = await moderate(api, "DELETE", f"/meetings/{room_id}", moderator.token)
    assert answer == {"message": f"Meeting in room '{room_id}' ended successfully"}
