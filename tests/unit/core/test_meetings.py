"""Moderation: ending, kicking, promoting, demoting, and what the next token says (contract 2.5.6, 3.8, 7.3)."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import jwt
import pytest

from meet.core.callers import ANONYMOUS, Caller
from meet.core.errors import InsufficientPermissions, MediaServerUnavailable, ParticipantNotFound, RoomNotFound
from meet.core.meeting_errors import CaptionsUnavailable, NotDemotable, NotPromotable, UnreadableParticipant
from meet.core.model.permissions import SPEAKER
from meet.core.model.room import Room
from meet.core.tokens import MemberTokenRequest
from tests.unit.core.conftest import World

LIVEKIT = "wss://meet.example:7880"


def claims(token: str) -> dict[str, Any]:
    decoded: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    decoded["metadata"] = json.loads(decoded["metadata"])
    return decoded


def secret(room: Room, role: str) -> str:
    found: str = room.access["anonymous"][role]["secret"]  # type: ignore[literal-required]
    return found


async def join(world: World, room: Room, role: str, name: str) -> str:
    """A participant who came by a link; returns the token."""
    request = MemberTokenRequest(secret=secret(room, role), join_meeting=True, participant_name=name)
    token = await world.core.tokens.generate(ANONYMOUS, room.room_id, request, livekit_url=LIVEKIT)
    decoded = claims(token)
    world.media.join(room.room_id, decoded["sub"], decoded["name"], json.dumps(decoded["metadata"]))
    return token


async def caller(world: World, token: str) -> Caller:
    return await world.core.auth.by_room_member_token(token)


def held(world: World, room: Room, token: str) -> dict[str, Any]:
    """The participant's metadata on the media server."""
    identity = claims(token)["sub"]
    participant = next(each for each in world.media.rooms[room.room_id] if each.identity == identity)
    metadata: dict[str, Any] = json.loads(participant.metadata)
    return metadata


async def test_a_moderator_ends_the_meeting_and_ending_none_is_fine(world: World) -> None:
    room = await world.meeting()
    moderator = await caller(world, await join(world, room, "moderator", "Mo"))
    for _ in range(2):
        await world.core.meetings.end(moderator, room.room_id)
    assert room.room_id not in world.media.rooms


async def test_a_kicked_participant_is_gone(world: World) -> None:
    room = await world.meeting()
    moderator = await caller(world, await join(world, room, "moderator", "Mo"))
    identity = claims(await join(world, room, "speaker", "Sam"))["sub"]
    await world.core.meetings.kick(moderator, room.room_id, identity)
    assert identity not in {each.identity for each in world.media.rooms[room.room_id]}
    with pytest.raises(ParticipantNotFound):
        await world.core.meetings.kick(moderator, room.room_id, identity)


async def test_rights_are_those_of_the_token_in_its_own_room(world: World) -> None:
    room, other = await world.meeting(), await world.meeting()
    speaker = await caller(world, await join(world, room, "speaker", "Sam"))
    elsewhere = await caller(world, await join(world, other, "moderator", "Mo"))
    meetings = world.core.meetings
    for who in (speaker, elsewhere):
        with pytest.raises(InsufficientPermissions):
            await meetings.end(who, room.room_id)
        with pytest.raises(InsufficientPermissions):
            await meetings.kick(who, room.room_id, "alice")
        with pytest.raises(InsufficientPermissions):
            await meetings.change_role(who, room.room_id, "alice", "upgrade")
    with pytest.raises(RoomNotFound):
        await meetings.end(elsewhere, "room-000000000000000")


async def test_a_promotion_reaches_the_token_and_ends_with_a_demotion(world: World) -> None:
    room = await world.meeting()
    moderator = await caller(world, await join(world, room, "moderator", "Mo"))
    token = await join(world, room, "speaker", "Sam")
    identity = claims(token)["sub"]

    await world.core.meetings.change_role(moderator, room.room_id, identity, "upgrade")
    metadata = held(world, room, token)
    assert (metadata["badge"], metadata["isPromotedModerator"]) == ("moderator", True)
    assert metadata["originalPermissions"] == dict(SPEAKER)
    promoted = claims(await world.core.tokens.refresh(room.room_id, token))
    assert (promoted["sub"], promoted["name"]) == (identity, "Sam")
    assert promoted["metadata"]["permissions"]["canRecord"] is True
    assert promoted["metadata"]["isPromotedModerator"] is True
    assert promoted["metadata"]["livekitUrl"] == LIVEKIT
    assert "originalPermissions" not in promoted["metadata"]

    await world.core.meetings.change_role(moderator, room.room_id, identity, "downgrade")
    metadata = held(world, room, token)
    assert (metadata["badge"], metadata["permissions"]) == ("other", dict(SPEAKER))
    assert {"isPromotedModerator", "originalPermissions"}.isdisjoint(metadata)
    demoted = claims(await world.core.tokens.refresh(room.room_id, token))["metadata"]
    assert (demoted["badge"], demoted["permissions"]["canRecord"]) == ("other", False)
    assert "isPromotedModerator" not in demoted

    await world.core.signals.drain()
    told = [sent for sent in world.media.sent if sent.topic == "meet_participant_role_updated"]
    assert [sent.identities for sent in told] == [(identity,), (identity,)]
    payloads = [json.loads(sent.payload) for sent in told]
    assert [payload.pop("newBadge") for payload in payloads] == ["moderator", "other"]
    assert payloads[0] == {
        "roomId": room.room_id,
        "participantIdentity": identity,
        "timestamp": world.clock.now,
    }


async def test_a_promotion_survives_a_regeneration_with_the_rights_of_that_moment(world: World) -> None:
    room = await world.meeting()
    moderator = await caller(world, await join(world, room, "moderator", "Mo"))
    token = await join(world, room, "speaker", "Sam")
    identity = claims(token)["sub"]
    await world.core.meetings.change_role(moderator, room.room_id, identity, "upgrade")
    request = MemberTokenRequest(secret=secret(room, "speaker"), join_meeting=True)
    again = await world.core.tokens.generate(
        ANONYMOUS, room.room_id, request, livekit_url=LIVEKIT, previous_token=token
    )
    assert (claims(again)["sub"], claims(again)["metadata"]["badge"]) == (identity, "moderator")
    await world.core.meetings.change_role(moderator, room.room_id, identity, "downgrade")
    assert held(world, room, token)["permissions"] == dict(SPEAKER)


async def test_only_others_are_promoted_and_only_the_promoted_demoted(world: World) -> None:
    room = await world.meeting()
    token = await join(world, room, "moderator", "Mo")
    moderator, identity = await caller(world, token), claims(token)["sub"]
    change = world.core.meetings.change_role
    with pytest.raises(NotPromotable, match="not eligible for promotion"):
        await change(moderator, room.room_id, identity, "upgrade")
    with pytest.raises(NotDemotable, match="not a promoted moderator"):
        await change(moderator, room.room_id, identity, "downgrade")
    with pytest.raises(ParticipantNotFound):
        await change(moderator, room.room_id, "nobody", "upgrade")
    world.media.join(room.room_id, "stranger", metadata="not ours")
    with pytest.raises(UnreadableParticipant):
        await change(moderator, room.room_id, "stranger", "upgrade")


async def test_of_many_promotions_at_once_one_counts(world: World) -> None:
    room = await world.meeting()
    moderator = await caller(world, await join(world, room, "moderator", "Mo"))
    identity = claims(await join(world, room, "speaker", "Sam"))["sub"]
    change = world.core.meetings.change_role
    results = await asyncio.gather(
        *(change(moderator, room.room_id, identity, "upgrade") for _ in range(10)), return_exceptions=True
    )
    assert sum(result is None for result in results) == 1
    assert sum(isinstance(result, NotPromotable) for result in results) == 9


async def test_captions_are_refused_with_the_reason(world: World) -> None:
    room = await world.meeting()
    participant = await caller(world, await join(world, room, "speaker", "Sam"))
    with pytest.raises(CaptionsUnavailable, match="Please set CAPTIONS_ENABLED to true"):
        await world.core.assistants.create(participant)
    await world.core.assistants.cancel(participant)
    request = MemberTokenRequest(secret=secret(room, "speaker"))
    no_join = await caller(
        world, await world.core.tokens.generate(ANONYMOUS, room.room_id, request, livekit_url=LIVEKIT)
    )
    for call in (world.core.assistants.create, world.core.assistants.cancel):
        with pytest.raises(InsufficientPermissions):
            await call(no_join)


async def test_who_may_be_promoted_or_demoted_is_not_read_from_metadata(world: World) -> None:
    room = await world.meeting()
    moderator = await caller(world, await join(world, room, "moderator", "Mo"))
    token = await join(world, room, "speaker", "Sam")
    identity = claims(token)["sub"]
    change = world.core.meetings.change_role

    async def forge(**changes: Any) -> None:
        text = json.dumps({**held(world, room, token), **changes})
        await world.media.update_participant_metadata(room.room_id, identity, text)

    everything = dict.fromkeys(SPEAKER, True)
    await forge(badge="moderator", isPromotedModerator=True, originalPermissions=everything)
    with pytest.raises(NotDemotable):
        await change(moderator, room.room_id, identity, "downgrade")
    await forge(permissions=everything)
    await change(moderator, room.room_id, identity, "upgrade")
    assert held(world, room, token)["originalPermissions"] == dict(SPEAKER)
    await forge(badge="other", originalPermissions=everything)
    with pytest.raises(NotPromotable):
        await change(moderator, room.room_id, identity, "upgrade")
    await change(moderator, room.room_id, identity, "downgrade")
    assert held(world, room, token)["permissions"] == dict(SPEAKER)


async def test_a_promotion_the_media_server_did_not_take_did_not_happen(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = await world.meeting()
    moderator = await caller(world, await join(world, room, "moderator", "Mo"))
    token = await join(world, room, "speaker", "Sam")
    identity = claims(token)["sub"]

    async def refuse(*_: object) -> None:
        raise MediaServerUnavailable("updating", "down")

    with monkeypatch.context() as patch:
        patch.setattr(world.media, "update_participant_metadata", refuse)
        with pytest.raises(MediaServerUnavailable):
            await world.core.meetings.change_role(moderator, room.room_id, identity, "upgrade")
    assert claims(await world.core.tokens.refresh(room.room_id, token))["metadata"]["badge"] == "other"
    await world.core.meetings.change_role(moderator, room.room_id, identity, "upgrade")


async def test_a_promotion_ends_with_the_meeting(world: World) -> None:
    room = await world.meeting()
    moderator = await caller(world, await join(world, room, "moderator", "Mo"))
    token = await join(world, room, "speaker", "Sam")
    identity = claims(token)["sub"]
    await world.core.meetings.change_role(moderator, room.room_id, identity, "upgrade")
    promoted = await world.core.tokens.refresh(room.room_id, token)
    await world.end_meeting(room.room_id)
    world.media.join(room.room_id, identity, "Sam", json.dumps(claims(promoted)["metadata"]))
    fresh = claims(await world.core.tokens.refresh(room.room_id, promoted))["metadata"]
    assert (fresh["badge"], fresh["permissions"]) == ("other", dict(SPEAKER))
