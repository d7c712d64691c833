"""Captions that are switched on in a server that has none."""

from __future__ import annotations

import pytest

from meet.core.assistants import AssistantService
from meet.core.callers import Caller, RoomMemberClaims
from meet.core.meeting_errors import CaptionsUnavailable
from meet.core.model.permissions import ALL, overlay
from meet.core.model.room import Room
from tests.unit.core.conftest import World


def participant(room: Room) -> Caller:
    claims = RoomMemberClaims(
        iat=1, room_id=room.room_id, permissions=overlay(ALL, None), badge="other", identity="ana-1", name="Ana"
    )
    return Caller("room_member", member=claims)


async def test_the_room_is_asked_next_and_then_the_server_says_what_it_lacks(world: World) -> None:
    assistants = AssistantService(rooms=world.repositories.rooms, captions_enabled=True)
    with pytest.raises(CaptionsUnavailable, match="no speech processing built in"):
        await assistants.create(participant(await world.room()))
    silent = await world.room(config={"captions": {"enabled": False}})
    with pytest.raises(CaptionsUnavailable, match="not enabled in the room configuration"):
        await assistants.create(participant(silent))
