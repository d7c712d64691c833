"""Room member tokens: sources, join, regeneration, refresh."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import replace
from typing import Any

import jwt
import pytest

from meet.core.callers import ANONYMOUS, Caller
from meet.core.errors import (
    AnonymousAccessDisabled,
    InsufficientPermissions,
    InvalidToken,
    MediaServerUnavailable,
    ParticipantNameRequired,
    ParticipantNotFound,
    RoomClosed,
    RoomMemberNotFound,
    RoomNotFound,
    Unauthorized,
    UnknownRoomSecret,
)
from meet.core.model.member import NewMember
from meet.core.model.permissions import ALL, MODERATOR, NONE, SPEAKER
from meet.core.model.room import NewRoom, Room
from meet.core.tokens import MemberTokenRequest
from tests.unit.core.conftest import World

URL = "ws://media.example"


async def generate(world: World, caller: Caller, room_id: str, *, previous: str | None = None, **request: Any) -> str:
    return await world.core.tokens.generate(
        caller, room_id, MemberTokenRequest(**request), livekit_url=URL, previous_token=previous
    )


def read(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    payload: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return payload, json.loads(payload["metadata"])


def secret(room: Room, which: str) -> str:
    value: str = room.access["anonymous"][which]["secret"]  # type: ignore[literal-required]
    return value


async def test_without_join(world: World) -> None:
    room = await world.room()
    payload, metadata = read(await generate(world, ANONYMOUS, room.room_id, secret=secret(room, "speaker")))
    now = world.clock.now // 1000
    assert set(payload) == {"iss", "nbf", "exp", "metadata"}
    assert (payload["iss"], payload["exp"] - now) == ("devkey", 7200)
    assert metadata == {
        "iat": world.clock.now,
        "roomId": room.room_id,
        "permissions": SPEAKER,
        "badge": "other",
    }
    assert world.media.rooms == {}


async def test_join_is_a_media_server_token(world: World) -> None:
    room = await world.room(room_name="Demo")
    token = await generate(
        world,
        ANONYMOUS,
        room.room_id,
        secret=secret(room, "moderator"),
        join_meeting=True,
        participant_name="Åsa B",
    )
    payload, metadata = read(token)
    assert re.fullmatch(r"asa_b-[0-9a-f]{15}", payload["sub"])
    assert payload["name"] == "Åsa B"
    assert payload["video"] == {
        "room": room.room_id,
        "roomJoin": True,
        "canPublish": True,
        "canPublishSources": ["microphone", "camera", "screen_share", "screen_share_audio"],
        "canSubscribe": True,
        "canPublishData": True,
        "canUpdateOwnMetadata": True,
    }
    assert (metadata["badge"], metadata["livekitUrl"]) == ("moderator", URL)
    assert metadata["permissions"] == MODERATOR
    media_room = json.loads(world.media.metadata[room.room_id])
    assert media_room["createdBy"] == "openviduMeet"
    assert media_room["roomOptions"]["roomName"] == "Demo"
    assert not any(secret(room, each) in world.media.metadata[room.room_id] for each in ("moderator", "speaker"))
    assert (await world.stored(room.room_id)).status == "open"


async def test_grant_follows_the_permissions(world: World) -> None:
    off = {"canPublishAudio": False, "canPublishVideo": False, "canShareScreen": False}
    room = await world.room(roles={"speaker": {"permissions": off}})
    token = await generate(
        world,
        ANONYMOUS,
        room.room_id,
        secret=secret(room, "speaker"),
        join_meeting=True,
        participant_name="Bob",
    )
    video = read(token)[0]["video"]
    assert (video["canPublish"], video["canPublishSources"]) == (False, [])


async def test_recording_link(world: World) -> None:
    room = await world.room()
    link = secret(room, "recording")
    metadata = read(await generate(world, ANONYMOUS, room.room_id, secret=link))[1]
    assert metadata["permissions"] == {**NONE, "canRetrieveRecordings": True}
    with pytest.raises(InsufficientPermissions):
        await generate(world, ANONYMOUS, room.room_id, secret=link, join_meeting=True, participant_name="x")


@pytest.mark.parametrize(
    ("entry", "target"),
    [("moderator", "role 'moderator'"), ("speaker", "role 'speaker'"), ("recording", "recordings")],
)
async def test_switched_off_links(world: World, entry: str, target: str) -> None:
    room = await world.room(access={"anonymous": {entry: {"enabled": False}}})
    with pytest.raises(AnonymousAccessDisabled, match=f"is disabled for {target}$"):
        await generate(world, ANONYMOUS, room.room_id, secret=secret(room, entry))


async def test_secrets_that_lead_nowhere(world: World) -> None:
    room = await world.room()
    with pytest.raises(UnknownRoomSecret):
        await generate(world, ANONYMOUS, room.room_id, secret="0000000000")
    with pytest.raises(RoomMemberNotFound):
        await generate(world, ANONYMOUS, room.room_id, secret="guest-0000000000")
    with pytest.raises(RoomNotFound):
        await generate(world, ANONYMOUS, "nowhere", secret="x")
    for empty in (None, ""):
        with pytest.raises(Unauthorized):
            await generate(world, ANONYMOUS, room.room_id, secret=empty)


async def test_guest_member(world: World) -> None:
    room = await world.room()
    await world.member(room.room_id, "guest-0123456789")
    token = await generate(world, ANONYMOUS, room.room_id, secret="guest-0123456789", join_meeting=True)
    payload, metadata = read(token)
    assert (payload["sub"], payload["name"]) == ("guest-0123456789", "guest-0123456789 name")
    assert metadata["memberId"] == "guest-0123456789"


async def test_holders_of_the_api_key_do_not_displace_each_other(world: World) -> None:
    room = await world.room()
    one, other = [read(await generate(world, world.admin, room.room_id, join_meeting=True)) for _ in range(2)]
    assert (one[1]["badge"], all(one[1]["permissions"].values()), "userId" in one[1]) == ("owner", True, False)
    assert one[0]["sub"] != other[0]["sub"] and one[0]["sub"].startswith("admin-")


async def test_users(world: World) -> None:
    manager, plain = await world.user("manny", "room_manager"), await world.user("plain1")
    room = await world.room()
    root = replace(world.admin, kind="user")
    payload, metadata = read(await generate(world, root, room.room_id, join_meeting=True))
    assert (payload["sub"], payload["name"], metadata["badge"]) == ("admin", "Admin", "owner")
    assert metadata["permissions"] == ALL
    for caller in (manager, plain):
        with pytest.raises(InsufficientPermissions):
            await generate(world, caller, room.room_id)
    await world.member(room.room_id, "manny", "moderator")
    metadata = read(await generate(world, manager, room.room_id))[1]
    assert (metadata["memberId"], metadata["userId"], metadata["badge"]) == ("manny", "manny", "moderator")
    await world.core.rooms.update_access(world.admin, room.room_id, {"user": {"enabled": True}})
    metadata = read(await generate(world, plain, room.room_id))[1]
    assert (metadata["userId"], metadata["permissions"], metadata["badge"]) == ("plain1", SPEAKER, "other")


async def test_secret_and_user_add_up(world: World) -> None:
    plain = await world.user("plain1")
    room = await world.room()
    caller = Caller("anonymous", user=plain.user)
    metadata = read(await generate(world, caller, room.room_id, secret=secret(room, "moderator")))[1]
    assert "userId" not in metadata  # no access as a user: the link is all there is
    await world.member(room.room_id, "plain1")
    metadata = read(await generate(world, caller, room.room_id, secret=secret(room, "moderator")))[1]
    assert (metadata["userId"], metadata["memberId"], metadata["badge"]) == ("plain1", "plain1", "moderator")
    assert metadata["permissions"] == MODERATOR


async def test_names_are_unique_in_the_room(world: World) -> None:
    room = await world.room()
    got = []
    for name in ("Bob", "bob", "Bob_1"):
        token = await generate(
            world,
            ANONYMOUS,
            room.room_id,
            secret=secret(room, "speaker"),
            join_meeting=True,
            participant_name=name,
        )
        got.append(read(token)[0]["name"])
    assert got == ["Bob", "bob_1", "Bob_2"]
    left = world.media.join(room.room_id, "bob-x", name="bob_1")
    await world.core.media_events.participant_left(room.room_id, left)
    again = await generate(
        world,
        ANONYMOUS,
        room.room_id,
        secret=secret(room, "speaker"),
        join_meeting=True,
        participant_name="BOB",
    )
    assert read(again)[0]["name"] == "BOB_1"


async def test_join_refusals(world: World) -> None:
    room = await world.room()
    speaker = secret(room, "speaker")
    with pytest.raises(ParticipantNameRequired):
        await generate(world, ANONYMOUS, room.room_id, secret=speaker, join_meeting=True)
    world.media.down = True
    with pytest.raises(MediaServerUnavailable):
        await generate(world, ANONYMOUS, room.room_id, secret=speaker, join_meeting=True, participant_name="Bob")
    world.media.down = False
    token = await generate(world, ANONYMOUS, room.room_id, secret=speaker, join_meeting=True, participant_name="Bob")
    assert read(token)[0]["name"] == "Bob"  # the failed attempt did not keep the name
    await world.core.rooms.update_status(world.admin, room.room_id, "closed")
    with pytest.raises(RoomClosed):
        await generate(world, ANONYMOUS, room.room_id, secret=speaker, join_meeting=True, participant_name="x")
    assert await generate(world, ANONYMOUS, room.room_id, secret=speaker)


@pytest.mark.parametrize("join", [False, True])
async def test_a_change_under_way_is_not_missed(world: World, join: bool) -> None:
    """It is dated before the token, so the token must have the rights of after it."""
    room = await world.room()
    wanted = {"speaker": {"permissions": {"canRetrieveRecordings": False}}}
    change = asyncio.create_task(world.core.rooms.update_roles(world.admin, room.room_id, wanted))  # type: ignore[arg-type]
    await asyncio.sleep(0)
    request: dict[str, Any] = {"secret": secret(room, "speaker"), "join_meeting": join, "participant_name": "Ana"}
    _, metadata = read(await generate(world, ANONYMOUS, room.room_id, **request))
    await change
    assert metadata["permissions"]["canRetrieveRecordings"] is False


async def joined(world: World, room: Room, which: str = "speaker") -> str:
    token = await generate(
        world,
        ANONYMOUS,
        room.room_id,
        secret=secret(room, which),
        join_meeting=True,
        participant_name="Bob",
    )
    payload, metadata = read(token)
    world.media.join(room.room_id, payload["sub"], payload["name"], json.dumps(metadata))
    return token


async def test_regeneration_keeps_identity_and_name(world: World) -> None:
    room = await world.room()
    first = await joined(world, room)
    second = await generate(
        world,
        ANONYMOUS,
        room.room_id,
        secret=secret(room, "moderator"),
        join_meeting=True,
        participant_name="ignored",
        previous=first,
    )
    payload, metadata = read(second)
    assert (payload["sub"], payload["name"]) == (read(first)[0]["sub"], "Bob")
    assert metadata["badge"] == "moderator"
    (participant,) = world.media.rooms[room.room_id]
    assert json.loads(participant.metadata) == metadata


async def test_regeneration_of_a_promoted_participant(world: World) -> None:
    room = await world.room()
    first = await joined(world, room)
    await world.repositories.participants.set_promoted(room.room_id, read(first)[0]["sub"], True)
    second = await generate(
        world, ANONYMOUS, room.room_id, secret=secret(room, "speaker"), join_meeting=True, previous=first
    )
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
    again = await generate(
        world, ANONYMOUS, room.room_id, secret=secret(room, "speaker"), join_meeting=True, previous=token
    )
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
    again = await generate(
        world, ANONYMOUS, room.room_id, secret=secret(room, "moderator"), join_meeting=True, previous=token
    )
    assert "isPromotedModerator" not in read(again)[1]
    stored = await world.repositories.participants.get(room.room_id, identity)
    assert stored is not None
    assert (stored.badge, stored.promoted) == ("moderator", False)
