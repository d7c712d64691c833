"""RoomService: create, read, list, change."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from meet.core.callers import ANONYMOUS, Caller, RoomMemberClaims
from meet.core.errors import (
    InsufficientPermissions,
    RoomHasActiveMeeting,
    RoomNotFound,
    ValidationFailed,
)
from meet.core.links import access_document, room_document
from meet.core.model.paging import PageRequest, RoomQuery
from meet.core.model.permissions import MODERATOR, SPEAKER, overlay
from meet.core.model.room import NewRoom
from tests.unit.core.conftest import World

HOUR = 3_600_000
PAGE = PageRequest("creationDate")


async def ids(world: World, caller: Caller, **filters: object) -> set[str]:
    page = await world.core.rooms.list(caller, RoomQuery(page=PAGE, **filters))  # type: ignore[arg-type]
    return {view.room.room_id for view in page.items}


async def test_defaults(world: World) -> None:
    room = await world.room()
    assert room == await world.stored(room.room_id)
    assert re.fullmatch(r"room-[0-9a-f]{15}", room.room_id)
    assert (room.room_name, room.owner, room.status) == ("Room", "admin", "open")
    assert room.config == {
        "recording": {"enabled": True, "layout": "grid", "encoding": "H264_720P_30"},
        "chat": {"enabled": True},
        "virtualBackground": {"enabled": True},
        "e2ee": {"enabled": False},
        "captions": {"enabled": True},
    }
    assert room.roles["moderator"]["permissions"] == MODERATOR
    assert room.roles["speaker"]["permissions"] == SPEAKER
    secrets = {entry["secret"] for entry in room.access["anonymous"].values()}  # type: ignore[index]
    assert len(secrets) == 3
    assert room.access["user"] == {"enabled": False}
    assert (room.meeting_end_action, room.auto_deletion_date, room.auto_deletion_policy) == ("none", None, None)


async def test_name_is_cleaned(world: World) -> None:
    assert (await world.room(room_name="  A \t b ")).room_name == "A b"
    with pytest.raises(ValidationFailed) as caught:
        await world.room(room_name="   ")
    assert caught.value.issues[0].field == "roomName"


async def test_partial_input_is_laid_over_the_defaults(world: World) -> None:
    room = await world.room(
        config={"recording": {"enabled": True, "layout": "speaker"}, "chat": {"enabled": False}},
        roles={"speaker": {"permissions": {"canRecord": True}}},
        access={"anonymous": {"speaker": {"enabled": False}}, "user": {"enabled": True}},
    )
    assert room.config["recording"] == {"enabled": True, "layout": "speaker", "encoding": "H264_720P_30"}
    assert room.config["chat"] == {"enabled": False}
    assert room.roles["speaker"]["permissions"] == {**SPEAKER, "canRecord": True}
    assert list(room.roles["speaker"]["permissions"]) == list(MODERATOR)
    assert room.access["anonymous"]["speaker"]["enabled"] is False
    assert room.access["anonymous"]["moderator"]["enabled"] is True
    assert room.access["user"]["enabled"] is True


async def test_encryption_switches_recording_off(world: World) -> None:
    room = await world.room(config={"e2ee": {"enabled": True}, "recording": {"enabled": True}})
    assert room.config["recording"]["enabled"] is False
    other = await world.room()
    config = await world.core.rooms.update_config(world.admin, other.room_id, {"e2ee": {"enabled": True}})
    assert config["recording"]["enabled"] is False


async def test_auto_deletion(world: World) -> None:
    date = world.clock.now + HOUR
    room = await world.room(auto_deletion_date=date)
    assert room.auto_deletion_date == date
    assert room.auto_deletion_policy == {"withMeeting": "when_meeting_ends", "withRecordings": "close"}
    kept = await world.room(auto_deletion_policy={"withMeeting": "force", "withRecordings": "force"})
    assert kept.auto_deletion_policy is None


async def test_only_admins_and_managers_create(world: World) -> None:
    manager = await world.user("manny", "room_manager")
    assert (await world.core.rooms.create(manager, NewRoom())).owner == "manny"
    for caller in (await world.user("membra"), ANONYMOUS, replace(ANONYMOUS, user=world.admin.user)):
        if caller.kind == "anonymous" and caller.user is not None:
            continue
        with pytest.raises(InsufficientPermissions):
            await world.core.rooms.create(caller, NewRoom())


async def test_who_may_read(world: World) -> None:
    room = await world.room()
    owner = await world.user("owner1", "room_manager")
    own = await world.core.rooms.create(owner, NewRoom())
    plain = await world.user("plain1")
    assert (await world.core.rooms.get(owner, own.room_id)).permissions == MODERATOR
    for caller in (owner, plain, ANONYMOUS):
        with pytest.raises(InsufficientPermissions):
            await world.core.rooms.get(caller, room.room_id)
    with pytest.raises(RoomNotFound):
        await world.core.rooms.get(plain, "nowhere")
    await world.member(room.room_id, "plain1", "moderator")
    assert (await world.core.rooms.get(plain, room.room_id)).permissions["canRecord"] is True
    await world.core.rooms.update_access(world.admin, own.room_id, {"user": {"enabled": True}})
    assert (await world.core.rooms.get(plain, own.room_id)).permissions == SPEAKER


async def test_room_member_token_reads_its_own_room_only(world: World) -> None:
    room, other = await world.room(), await world.room()
    claims = RoomMemberClaims(iat=0, room_id=room.room_id, permissions=overlay(SPEAKER, None), badge="other")
    caller = Caller("room_member", user=world.admin.user, member=claims)
    assert (await world.core.rooms.get(caller, room.room_id)).permissions == SPEAKER
    with pytest.raises(InsufficientPermissions):
        await world.core.rooms.get(caller, other.room_id)
    with pytest.raises(InsufficientPermissions):
        await world.core.rooms.list(caller, RoomQuery(page=PAGE))
    with pytest.raises(InsufficientPermissions):
        await world.core.rooms.update_config(caller, room.room_id, {})


async def test_list_scope(world: World) -> None:
    manager, plain = await world.user("manny", "room_manager"), await world.user("plain1")
    own = await world.core.rooms.create(manager, NewRoom())
    hidden = await world.room()
    joined = await world.room()
    shared = await world.room(access={"user": {"enabled": True}})
    await world.member(joined.room_id, "manny")
    await world.member(joined.room_id, "plain1")
    everything = {room.room_id for room in (own, hidden, joined, shared)}
    assert await ids(world, world.admin) == everything
    assert await ids(world, manager) == everything - {hidden.room_id}
    assert await ids(world, plain) == {joined.room_id, shared.room_id}
    assert await ids(world, manager, owner="manny") == {own.room_id}
    assert await ids(world, plain, member="plain1") == {joined.room_id}
    assert await ids(world, plain, user_access=True) == {shared.room_id}
    assert await ids(world, world.admin, owner="manny", user_access=True) == {own.room_id, shared.room_id}
    for filters in ({"owner": "admin"}, {"member": "manny"}):
        with pytest.raises(InsufficientPermissions):
            await ids(world, plain, **filters)


async def test_config_update_is_a_deep_merge_and_refused_during_a_meeting(world: World) -> None:
    room = await world.meeting()
    with pytest.raises(RoomHasActiveMeeting):
        await world.core.rooms.update_config(world.admin, room.room_id, {"chat": {"enabled": False}})
    await world.end_meeting(room.room_id)
    options = {
        "video": {"width": 640, "height": 360, "framerate": 25, "codec": "H264_MAIN", "bitrate": 800},
        "audio": {"codec": "AAC", "bitrate": 64, "frequency": 44100},
    }
    config = await world.core.rooms.update_config(
        world.admin,
        room.room_id,
        {"recording": {"enabled": False, "encoding": options}},  # type: ignore[typeddict-item]
    )
    assert config["recording"] == {"enabled": False, "layout": "grid", "encoding": options}
    config = await world.core.rooms.update_config(
        world.admin, room.room_id, {"recording": {"enabled": True, "encoding": "H264_1080P_60"}}
    )
    assert config["recording"]["encoding"] == "H264_1080P_60"
    assert config["chat"] == {"enabled": True}
    assert (await world.stored(room.room_id)).config == config


async def test_status(world: World) -> None:
    room = await world.room()
    closed = await world.core.rooms.update_status(world.admin, room.room_id, "closed")
    assert (closed.room.status, closed.deferred) == ("closed", False)
    opened = await world.core.rooms.update_status(world.admin, room.room_id, "open")
    assert (opened.room.status, opened.deferred) == ("open", False)
    busy = await world.meeting()
    later = await world.core.rooms.update_status(world.admin, busy.room_id, "closed")
    assert (later.room.status, later.room.meeting_end_action, later.deferred) == ("active_meeting", "close", True)
    await world.end_meeting(busy.room_id)
    after = await world.stored(busy.room_id)
    assert (after.status, after.meeting_end_action) == ("closed", "none")


async def test_roles_and_access_move_the_invalidation_point(world: World) -> None:
    room = await world.room()
    world.clock.advance(5)
    changes = {"speaker": {"permissions": {"canShareScreen": False}}}
    roles = await world.core.rooms.update_roles(world.admin, room.room_id, changes)  # type: ignore[arg-type]
    assert roles["speaker"]["permissions"]["canShareScreen"] is False
    assert (await world.stored(room.room_id)).roles_updated_at == world.clock.now
    world.clock.advance(5)
    secret = room.access["anonymous"]["speaker"]["secret"]
    changed = await world.core.rooms.update_access(
        world.admin, room.room_id, {"anonymous": {"speaker": {"enabled": False}}}
    )
    assert changed.access["anonymous"]["speaker"] == {"enabled": False, "secret": secret}
    assert changed.roles_updated_at == world.clock.now


async def test_documents_hide_links_on_demand(world: World) -> None:
    room = await world.room()
    document = room_document(room, "https://x/meet")
    speaker = room.access["anonymous"]["speaker"]["secret"]
    assert document["access"]["anonymous"]["speaker"]["url"] == f"https://x/meet/room/{room.room_id}?secret={speaker}"
    recording = document["access"]["anonymous"]["recording"]["url"]
    assert recording.startswith(f"https://x/meet/room/{room.room_id}/recordings?secret=")
    bare = access_document(room, "https://x/meet", links=False)
    assert bare["anonymous"]["speaker"] == {"enabled": True}
    assert bare["user"]["url"] == f"https://x/meet/room/{room.room_id}"
    assert "autoDeletionDate" not in document
