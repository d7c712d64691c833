"""Live captions: one agent for all who want them in a room, gone with the last of them."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from meet.core.assistants import AGENT, AssistantService
from meet.core.callers import Caller, RoomMemberClaims
from meet.core.errors import MediaServerUnavailable
from meet.core.meeting_errors import AssistantStarting, AssistantStopping, CaptionsUnavailable
from meet.core.model.media import MediaParticipant
from meet.core.model.permissions import ALL, overlay
from meet.core.model.room import Room
from meet.core.settings import CoreSettings
from tests.unit.core.conftest import World

DAY_MS = 24 * 3_600_000


@pytest.fixture
def settings(settings: CoreSettings) -> CoreSettings:
    return replace(settings, captions_enabled=True)


def participant(room: Room, identity: str = "ana-1") -> Caller:
    claims = RoomMemberClaims(
        iat=1, room_id=room.room_id, permissions=overlay(ALL, None), badge="other", identity=identity, name="Ana"
    )
    return Caller("room_member", member=claims)


async def leaves(world: World, room: Room, identity: str) -> None:
    await world.core.media_events.participant_left(
        room.room_id, MediaParticipant(identity=identity, sid="PA_1", name="Ana", metadata="")
    )


async def test_one_agent_serves_all_and_leaves_with_the_last(world: World) -> None:
    room, other = await world.room(), await world.room()
    captions = world.core.assistants
    first = await captions.create(participant(room))
    assert {await captions.create(participant(room, name)) for name in ("ana-1", "bob-1", "cleo-1")} == {first}
    assert world.media.agents == [(room.room_id, AGENT, first)]
    assert await captions.create(participant(other)) != first
    await captions.cancel(participant(room))
    await captions.cancel(participant(room))
    await leaves(world, room, "bob-1")
    assert await world.media.list_dispatches(room.room_id, AGENT) == [first]
    await leaves(world, room, "cleo-1")
    assert await world.media.list_dispatches(room.room_id, AGENT) == []
    assert len(world.media.agents) == 1


async def test_who_vanished_counts_for_a_day(world: World) -> None:
    room = await world.room()
    await world.core.assistants.create(participant(room, "ghost"))
    world.clock.now += DAY_MS + 1
    await world.core.assistants.create(participant(room))
    await world.core.assistants.cancel(participant(room))
    assert world.media.agents == []


async def test_the_end_of_a_meeting_is_the_end_of_its_captions(world: World) -> None:
    room = await world.meeting()
    await world.core.assistants.create(participant(room, "alice"))
    await world.end_meeting(room.room_id)
    world.media.agents.clear()
    again = await world.core.assistants.create(participant(room, "bob-1"))
    await world.core.assistants.cancel(participant(room, "bob-1"))
    assert again not in [dispatch for _, _, dispatch in world.media.agents]


async def test_the_room_may_rule_captions_out(world: World) -> None:
    silent = await world.room(config={"captions": {"enabled": False}})
    with pytest.raises(CaptionsUnavailable, match="not enabled in the room configuration"):
        await world.core.assistants.create(participant(silent))


async def test_nothing_is_noted_of_an_agent_that_could_not_be_called(world: World) -> None:
    room = await world.room()
    world.media.down = True
    with pytest.raises(MediaServerUnavailable):
        await world.core.assistants.create(participant(room))
    await world.core.assistants.cancel(participant(room))
    world.media.down = False
    await world.core.assistants.create(participant(room))
    world.media.down = True
    await leaves(world, room, "ana-1")


async def test_who_waits_too_long_is_told(world: World) -> None:
    room = await world.room()
    gate = asyncio.Event()

    class Slow:
        async def list_dispatches(self, room: str, agent: str) -> list[str]:
            await gate.wait()
            return ["AD_1"]

        async def create_dispatch(self, room: str, agent: str) -> str:
            raise AssertionError("there is one")

        async def delete_dispatch(self, room: str, dispatch_id: str) -> None:
            return None

    captions = AssistantService(
        rooms=world.repositories.rooms,
        users=world.repositories.caption_users,
        agents=Slow(),
        clock=world.clock,
        captions_enabled=True,
    )
    patient = asyncio.create_task(captions.create(participant(room)))
    await asyncio.sleep(0)
    with pytest.raises(AssistantStarting, match=r"AI assistant  for room '.*' is already starting"):
        await captions.create(participant(room, "bob-1"))
    with pytest.raises(AssistantStopping, match="AI assistant cannot be stopped for room"):
        await captions.cancel(participant(room))
    gate.set()
    assert await patient == "AD_1"
