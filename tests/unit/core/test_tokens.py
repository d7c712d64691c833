"""Room member tokens: who gets one, for what, and to join the meeting."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import replace
from typing import Any

import pytest

from meet.core.callers import ANONYMOUS, Caller
from meet.core.errors import (
    AnonymousAccessDisabled,
    InsufficientPermissions,
    MediaServerUnavailable,
    ParticipantNameRequired,
    RoomClosed,
    RoomMemberNotFound,
    RoomNotFound,
    Unauthorized,
    UnknownRoomSecret,
)
from meet.core.model.permissions import ALL, MODERATOR, NONE, SPEAKER
from tests.unit.core.conftest import World
from tests.unit.core.tokens import URL, generate, join_by_link, read, secret


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
    token = await join_by_link(world, room, "moderator", "Åsa B")
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
    token = await join_by_link(world, room, "speaker", "Bob")
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
        token = await join_by_link(world, room, "speaker", name)
        got.append(read(token)[0]["name"])
    assert got == ["Bob", "bob_1", "Bob_2"]
    left = world.media.join(room.room_id, "bob-x", name="bob_1")
    await world.core.media_events.participant_left(room.room_id, left)
    again = await join_by_link(world, room, "speaker", "BOB")
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
