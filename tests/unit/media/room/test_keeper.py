"""Rooms that survive the process: written as they change, brought back without being announced again."""

from __future__ import annotations

import asyncio
import socket
import threading
from pathlib import Path

import pytest
from livekit.api import CreateRoomRequest, DeleteRoomRequest, UpdateRoomMetadataRequest

import meet.media.room.keeper as keeper_module
from meet.media.front.channel import Channel, Message
from meet.media.room import LeaveAction, LeaveReason, RoomEvent, RoomKeeper, RoomOptions, RoomRegistry
from meet.media.room.keeper import kept_rooms
from meet.media.twirp.auth import Grants
from meet.media.twirp.rooms import MAX_METADATA, MAX_NAME, RoomServiceApi
from tests.unit.media.fakes import Clock, FakeLink, World


async def kept(directory: Path) -> tuple[RoomRegistry, list[RoomEvent], Clock]:
    """The next process."""
    clock = Clock()
    registry = RoomRegistry(clock=clock, wall_ms=lambda: 5)
    events: list[RoomEvent] = []
    registry.add_listener(events.append)
    keeper = RoomKeeper(directory)
    keeper.open(registry)
    await keeper.close()
    return registry, events, clock


async def test_a_room_comes_back_as_it_was(tmp_path: Path) -> None:
    world = World()
    keeper = RoomKeeper(tmp_path / "rooms")
    keeper.open(world.registry)
    options = RoomOptions(metadata="m", empty_timeout_s=7, departure_timeout_s=9, max_participants=3)
    room = world.registry.create("a/../b", options)
    room.update_metadata("new")
    world.registry.create("gone")
    world.registry.delete("gone")
    await keeper.close()
    world.registry.shutdown()  # what a stop of the process does must not be taken for the end of the meetings

    registry, events, _ = await kept(tmp_path / "rooms")
    (again,) = registry.list()
    assert (again.name, again.sid, again.created_at_ms) == ("a/../b", room.sid, room.created_at_ms)
    assert (again.metadata, again.empty_timeout_s, again.departure_timeout_s) == ("new", 7, 9)
    assert (again.max_participants, again.restored, events) == (3, True, [])


async def test_what_was_answered_is_kept(tmp_path: Path) -> None:
    """The process may be killed right after its answer."""
    registry = RoomRegistry()
    await registry.settle()  # nobody keeps these
    keeper = RoomKeeper(tmp_path)
    keeper.open(registry)
    rooms = RoomServiceApi(registry)
    grants = Grants(room_create=True, room_list=True, room_admin=True, room="one")
    for name in ("one", "other"):
        await rooms.create_room(grants, CreateRoomRequest(name=name, metadata="old"))
    await rooms.update_room_metadata(grants, UpdateRoomMetadataRequest(room="one", metadata="new"))
    await rooms.delete_room(grants, DeleteRoomRequest(room="other"))
    assert [(room.name, room.metadata) for room in kept_rooms(tmp_path)] == [("one", "new")]
    await keeper.close()


async def test_a_disk_that_hesitates_does_not_keep_an_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper_module, "_PATIENCE_S", 0.05)
    going_on = threading.Event()
    monkeypatch.setattr(keeper_module, "_write", lambda path, content: going_on.wait(30))
    registry, keeper = RoomRegistry(), RoomKeeper(tmp_path)
    keeper.open(registry)
    registry.create("room")
    await registry.settle()
    assert not going_on.is_set()
    going_on.set()
    await keeper.close()


async def test_nobody_comes_back(tmp_path: Path) -> None:
    """The departure timeout ends the room, and its end is told."""
    world = World()
    keeper = RoomKeeper(tmp_path)
    keeper.open(world.registry)
    world.registry.create("room", RoomOptions(departure_timeout_s=9))
    world.join("ann")
    await keeper.close()

    registry, events, clock = await kept(tmp_path)
    clock.now += 8
    registry.tick()
    assert registry.get("room") is not None
    clock.now += 2
    registry.tick()
    assert registry.get("room") is None
    assert [type(e).__name__ for e in events] == ["RoomFinished"]


async def test_a_damaged_file_is_skipped(tmp_path: Path) -> None:
    for name, content in (("a", "{"), ("b", '{"name": "x"}'), ("c", "[]"), ("d", '{"name": 1, "bogus": 2}')):
        (tmp_path / f"{name}.json").write_text(content)
    registry, _, _ = await kept(tmp_path)
    assert registry.list() == []


async def test_each_process_brings_back_its_own_rooms(tmp_path: Path) -> None:
    for worker, name in ((0, "a"), (1, "b"), (5, "c")):
        registry = RoomRegistry()
        keeper = RoomKeeper(tmp_path, worker=worker, of=6)
        keeper.open(registry)
        registry.create(name)
        await keeper.close()
    found = {}
    for worker in (0, 1):  # there are fewer processes now
        registry = RoomRegistry()
        keeper = RoomKeeper(tmp_path, worker=worker, of=2)
        keeper.open(registry)
        found[worker] = sorted(room.name for room in registry.list())
        await keeper.close()
    assert found == {0: ["a"], 1: ["b", "c"]}


async def test_a_room_moves(tmp_path: Path) -> None:
    """What the first process does to a released room is not written: the file is the other one's."""
    source, target = RoomRegistry(), RoomRegistry()
    first, second = RoomKeeper(tmp_path, worker=0, of=2), RoomKeeper(tmp_path, worker=1, of=2)
    first.open(source)
    second.open(target)
    room = source.create("room", RoomOptions(metadata="m"))
    assert await second.take("room", target, await first.release(room))
    room.update_metadata("late")
    source.delete("room")
    moved = target.require("room")
    assert (moved.metadata, moved.sid, moved.restored) == ("m", room.sid, False)
    await first.close()
    await second.close()
    (kept,) = kept_rooms(tmp_path)
    assert (kept.metadata, kept.worker) == ("m", 1)


@pytest.mark.parametrize("character", ["\x01", '"', "\n", "\x7f", "\N{SNOWMAN}", "\U0001f3a5"])
async def test_all_that_the_api_accepts_fits_into_the_message_in_which_it_moves(tmp_path: Path, character: str) -> None:
    source, target = RoomRegistry(), RoomRegistry()
    first, second = RoomKeeper(tmp_path, worker=0, of=2), RoomKeeper(tmp_path, worker=1, of=2)
    first.open(source)
    second.open(target)
    name, grants = character * MAX_NAME, Grants(room_create=True, room_admin=True, room=character * MAX_NAME)
    metadata = character * (MAX_METADATA // len(character.encode()))
    most = 2**32 - 1
    request = CreateRoomRequest(
        name=name, metadata=metadata, empty_timeout=most, departure_timeout=most, max_participants=most
    )
    await RoomServiceApi(source).create_room(grants, request)
    packed = await first.release(source.require(name))
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    heard: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
    ends = Channel(near, heard.set_result, print), Channel(far, print, print)
    assert ends[1].send("kept", {"name": name}, data=packed)
    message = await asyncio.wait_for(heard, 40)
    assert await second.take(message.text("name"), target, message.data)
    moved, room = target.require(name), source.require(name)
    assert (moved.metadata, moved.sid, moved.max_participants) == (metadata, room.sid, most)
    for end in ends:
        end.close()
    await first.close()
    await second.close()
    (kept,) = kept_rooms(tmp_path)
    assert (kept.name, kept.metadata) == (name, metadata)


async def test_a_room_that_begins_again_is_written_again(tmp_path: Path) -> None:
    world = World()
    keeper = RoomKeeper(tmp_path)
    keeper.open(world.registry)
    await keeper.release(world.registry.create("room"))
    world.registry.hand_over("room")
    world.registry.create("room", RoomOptions(metadata="second"))
    await keeper.close()
    (kept,) = kept_rooms(tmp_path)
    assert kept.metadata == "second"


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"name": "x"}', b'{"sid": "RM_1"}\nm', b"{}\n\xff"])
async def test_what_cannot_be_read_is_not_taken(tmp_path: Path, content: bytes) -> None:
    registry = RoomRegistry()
    keeper = RoomKeeper(tmp_path)
    keeper.open(registry)
    assert not await keeper.take("nothing", registry, content)
    assert registry.list() == []
    await keeper.close()


def test_handing_over_is_told_to_clients_only() -> None:
    world = World()
    ann = world.join("ann")
    world.events.clear()
    world.registry.hand_over("room")
    assert world.events == []
    assert isinstance(ann.link, FakeLink)
    assert ann.link.left == (LeaveReason.MIGRATION, LeaveAction.RECONNECT)
    assert world.registry.get("room") is None
