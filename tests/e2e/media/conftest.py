"""A media server in this process on free loopback ports, and robots that are cleaned up."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from livekit import api

from meet.media.main import MediaConfig, MediaServer
from tests.e2e.media.sdk import Robot

KEY, SECRET = "key", "secret-secret-secret-secret-secret"

Enter = Callable[..., Awaitable[Robot]]


def access_token(identity: str, room: str = "room", **grants: Any) -> str:
    token = api.AccessToken(KEY, SECRET).with_identity(identity).with_name(identity.title())
    return token.with_grants(api.VideoGrants(room_join=True, room=room, **grants)).to_jwt()


@pytest.fixture
async def media() -> AsyncIterator[MediaServer]:
    server = MediaServer(MediaConfig(keys={KEY: SECRET}, port=0, rtc_port=0))
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def enter(media: MediaServer) -> AsyncIterator[Enter]:
    """`await enter("alice", single_pc=..., can_publish=...)`: a robot in the room."""
    robots: list[Robot] = []

    async def join(identity: str, *, single_pc: bool = True, **grants: Any) -> Robot:
        robot = Robot(identity)
        robots.append(robot)
        await robot.join(f"ws://127.0.0.1:{media.port}", access_token(identity, **grants), single_pc=single_pc)
        return robot

    yield join
    for robot in robots:
        await robot.leave()
