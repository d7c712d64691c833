"""Room member tokens that take the place of earlier ones: generated again, refreshed, after a promotion."""

from __future__ import annotations

import json

import pytest

from meet.core.callers import ANONYMOUS
from meet.core.errors import (
    InsufficientPermissions,
    InvalidToken,
    ParticipantNotFound,
    Unauthorized,
)
from meet.core.model.member import NewMember
from meet.core.model.permissions import ALL, MODERATOR, SPEAKER
from meet.core.model.room import NewRoom, Room
from tests.unit.core.conftest import World
from tests.unit.core.tokens import URL, generate, join_by_link, joined, read, secret


async def test_regeneration_keeps_identity_and_name(world: World) -> None:
    room = await world.room()
    first = await joined(world, room)
    second = await join_by_link(world, room, "moderator", "ignored", previous=first)
    payload, metadata = read(second)
    assert (payload["sub"], payload["name"]) == (read(first)[0]["sub"], "Bob")
    assert metadata["badge"] == "moderator"
    (participant,) = world.media.rooms[room.room_id]
    assert json.loads(participant.metadata) == metadata


async def test_regeneration_of_a_promoted_participant(world: World) -> None:
    room = await world.room()
    first = await joined(world, room)
    await world.repositories.participants.set_promoted(room.room_id, read(first)[0]["sub"], True)
    second = await join_by_link(world, room, "speaker", None, previous=first)
    metadata = read(second)[1]
    assert (metadata["badge"], metadata["isPromotedModerator"]) == ("moderator", True)
    assert metadata["permissions"] == MODERATOR
    (participant,) = world.media.rooms[room.room_id]
    assert json.loads(participant.metadata)["originalPermissions"] == SPEAKER


async def test_regeneration_refusals(world: World) -> None:
    room, other = await world.room(), await world.room()
    foreign = await joined(world, other)
    base = {"secret": secret(room, "speaker"), "join_meeting": True, "participant_name": "x"}
    with pytest.raises(InsufficientPermissions):
        await generate(world, ANONYMOUS, room.room_id, previous=foreign, **base)
    with pytest.raises(InvalidToken):
        await generate(world, ANONYMOUS, room.room_id, previous="junk", **base)
    mine = await joined(world, room)
    world.media.rooms[room.room_id] = []
    with pytest.raises(ParticipantNotFound):
        await generate(world, ANONYMOUS, room.room_id, previous=mine, **base)


async def test_refresh(world: World) -> None:
    room = await world.room()
    token = await joined(world, room)
    world.clock.advance(7209)  # expired, but within the tolerance
    fresh = await world.core.tokens.refresh(room.room_id, token)
    payload, metadata = read(fresh)
    assert (payload["sub"], payload["name"]) == (read(token)[0]["sub"], "Bob")
    assert (metadata["iat"], metadata["livekitUrl"]) == (world.clock.now, URL)
    assert payload["video"]["room"] == room.room_id
    world.clock.advance(2)
    with pytest.raises(InvalidToken):
        await world.core.tokens.refresh(room.room_id, token)


async def test_rights_that_were_taken_away_are_not_refreshed(world: World) -> None:
    """The member has to generate a token, and gets the rights of now."""
    room = await world.room()
    member = await world.core.members.create(world.admin, room.room_id, NewMember(name="Ana", base_role="moderator"))
    token = await generate(world, ANONYMOUS, room.room_id, secret=member.member_id, join_meeting=True)
    world.media.join(room.room_id, member.member_id, "Ana")
    assert await world.core.tokens.refresh(room.room_id, token)
    world.clock.advance(1)
    await world.core.members.update(world.admin, room.room_id, member.member_id, base_role="speaker")
    with pytest.raises(InvalidToken):
        await world.core.tokens.refresh(room.room_id, token)
    current = await generate(world, ANONYMOUS, room.room_id, secret=member.member_id, join_meeting=True, previous=token)
    assert read(await world.core.tokens.refresh(room.room_id, current))[1]["permissions"] == SPEAKER


async def test_tokens_of_before_a_change_of_the_user_are_not_refreshed(world: World) -> None:
    alice = await world.user("alice", "room_manager")
    room = await world.core.rooms.create(alice, NewRoom())
    token = await generate(world, alice, room.room_id, join_meeting=True)
    world.media.join(room.room_id, "alice")
    world.clock.advance(1)
    await world.core.users.change_role(world.admin, "alice", "room_member")
    with pytest.raises(InvalidToken):
        await world.core.tokens.refresh(room.room_id, token)


async def test_refresh_refusals(world: World) -> None:
    room, other = await world.room(), await world.room()
    token = await joined(world, room)
    no_join = await generate(world, ANONYMOUS, room.room_id, secret=secret(room, "speaker"))
    for missing in (None, ""):
        with pytest.raises(Unauthorized):
            await world.core.tokens.refresh(room.room_id, missing)
    for bad in ("junk", no_join):
        with pytest.raises(InvalidToken):
            await world.core.tokens.refresh(room.room_id, bad)
    with pytest.raises(InsufficientPermissions):
        await world.core.tokens.refresh(other.room_id, token)
    world.media.rooms[room.room_id] = []
    with pytest.raises(ParticipantNotFound):
        await world.core.tokens.refresh(room.room_id, token)


async def forge(world: World, room: Room) -> None:
    """The only participant writes a promotion into their own metadata, as their media grant lets them."""
    (participant,) = world.media.rooms[room.room_id]
    held = json.loads(participant.metadata)
    forged = {
        **held,
        "permissions": dict(ALL),
        "badge": "moderator",
        "isPromotedModerator": True,
        "originalPermissions": dict(ALL),
        "userId": "admin",
    }
    await world.media.update_participant_metadata(room.room_id, participant.identity, json.dumps(forged))


async def test_forged_metadata_gains_nothing(world: World) -> None:
    room = await world.room()
    token = await joined(world, room)
    await forge(world, room)
    fresh = await world.core.tokens.refresh(room.room_id, token)
    again = await join_by_link(world, room, "speaker", None, previous=token)
    for metadata in (read(fresh)[1], read(again)[1]):
        assert (metadata["badge"], metadata["permissions"]) == ("other", SPEAKER)
        assert {"isPromotedModerator", "userId"}.isdisjoint(metadata)
    (participant,) = world.media.rooms[room.room_id]
    assert "originalPermissions" not in json.loads(participant.metadata)


async def test_a_token_of_a_promotion_is_worth_no_more_than_the_record(world: World) -> None:
    room = await world.room()
    token = await joined(world, room)
    identity = read(token)[0]["sub"]
    participants = world.repositories.participants
    await participants.set_promoted(room.room_id, identity, True)
    promoted = await world.core.tokens.refresh(room.room_id, token)
    assert read(promoted)[1]["permissions"] == MODERATOR
    await participants.set_promoted(room.room_id, identity, False)
    await forge(world, room)
    demoted = read(await world.core.tokens.refresh(room.room_id, promoted))[1]
    assert (demoted["badge"], demoted["permissions"]) == ("other", SPEAKER)
    await participants.end_meeting(room.room_id, world.clock.now + 1)  # forgets the participant
    with pytest.raises(InvalidToken):
        await world.core.tokens.refresh(room.room_id, promoted)
    plain = read(await world.core.tokens.refresh(room.room_id, token))[1]
    assert (plain["badge"], plain["permissions"]) == ("other", SPEAKER)
    assert await participants.get(room.room_id, identity) is not None


async def test_a_promotion_ends_with_moderator_rights_of_ones_own(world: World) -> None:
    room = await world.room()
    token = await joined(world, room)
    identity = read(token)[0]["sub"]
    await world.repositories.participants.set_promoted(room.room_id, identity, True)
    again = await join_by_link(world, room, "moderator", None, previous=token)
    assert "isPromotedModerator" not in read(again)[1]
    stored = await world.repositories.participants.get(room.room_id, identity)
    assert stored is not None
    assert (stored.badge, stored.promoted) == ("moderator", False)
