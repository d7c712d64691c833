"""Room member tokens, as the tests of them ask for and read them."""

from __future__ import annotations

import json
from typing import Any

import jwt

from meet.core.callers import ANONYMOUS, Caller
from meet.core.model.room import Room
from meet.core.tokens import MemberTokenRequest
from tests.unit.core.conftest import World

URL = "ws://media.example"


async def generate(world: World, caller: Caller, room_id: str, *, previous: str | None = None, **request: Any) -> str:
    """A token, as the caller asks for it."""
    return await world.core.tokens.generate(
        caller, room_id, MemberTokenRequest(**request), livekit_url=URL, previous_token=previous
    )


async def join_by_link(
    world: World, room: Room, which: str = "speaker", name: str | None = "Bob", *, previous: str | None = None
) -> str:
    """A token for the meeting, for somebody who has a link of the room and nothing else."""
    return await generate(
        world,
        ANONYMOUS,
        room.room_id,
        secret=secret(room, which),
        join_meeting=True,
        participant_name=name,
        previous=previous,
    )


async def joined(world: World, room: Room, which: str = "speaker") -> str:
    """The token of Bob, who is in the meeting."""
    token = await join_by_link(world, room, which)
    payload, metadata = read(token)
    world.media.join(room.room_id, payload["sub"], payload["name"], json.dumps(metadata))
    return token


def read(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Payload and metadata."""
    payload: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return payload, json.loads(payload["metadata"])


def secret(room: Room, which: str) -> str:
    """What the link of that role carries."""
    value: str = room.access["anonymous"][which]["secret"]  # type: ignore[literal-required]
    return value
