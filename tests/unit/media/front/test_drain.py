"""A worker that is asked to stop gives its rooms away, and nobody but the clients' SDKs notices."""

from __future__ import annotations

import asyncio
import errno
from pathlib import Path

import aiohttp
import pytest
from livekit.protocol import models as pb
from livekit.protocol import rtc as sig

from meet.media.room import ParticipantLeft, RoomFinished, RoomOptions, TrackUnpublished
from meet.media.twirp.rooms import MAX_METADATA
from tests.unit.media.front.machine import Machine, join, running


async def test_rooms_move_with_all_they_are(machine: Machine, http: aiohttp.ClientSession) -> None:
    clients = {room: await join(http, machine, "ann", room) for room in ("a", "b", "c")}
    leaving = machine.worker_of("a")
    assert leaving is not None
    source, target = machine.workers[leaving], machine.workers[1 - leaving]
    moving = {room for room in clients if machine.worker_of(room) == leaving}
    staying = set(clients) - moving
    room = source.server.registry.create("a", RoomOptions(metadata="m", max_participants=5, departure_timeout_s=77))

    await asyncio.wait_for(source.duty.drain(), 40)
    for name in moving:
        left = await clients[name].expect("leave")
        assert (left.action, left.reason) == (sig.LeaveRequest.RECONNECT, pb.DisconnectReason.MIGRATION)
        await clients[name].ended()
    assert {name: machine.worker_of(name) for name in clients} == dict.fromkeys(clients, 1 - leaving)
    again = target.server.registry.require("a")
    assert (again.sid, again.metadata, again.max_participants, again.departure_timeout_s) == (room.sid, "m", 5, 77)
    told = [*source.events, *target.events]
    assert not any(isinstance(event, RoomFinished | ParticipantLeft | TrackUnpublished) for event in told)

    back = await join(http, machine, "ann", "a")
    assert machine.worker_of("a") == 1 - leaving
    for name in staying:
        assert not clients[name].socket.closed
        await clients[name].socket.close()
    await back.socket.close()


async def test_an_emptied_worker_gets_nothing_and_comes_back_with_nothing(
    machine: Machine, http: aiohttp.ClientSession
) -> None:
    await join(http, machine, "ann", "a")
    leaving = machine.worker_of("a")
    assert leaving is not None
    worker = machine.workers[leaving]
    await asyncio.wait_for(worker.duty.drain(), 40)
    for room in ("d", "e", "f"):
        await join(http, machine, "ann", room)
        assert machine.worker_of(room) == 1 - leaving
    await machine.workers.pop(leaving).die()
    fresh = await machine.start_worker(leaving)
    assert fresh.server.registry.list() == []
    async with asyncio.timeout(40):
        while leaving not in machine.front.fleet.takers():
            await asyncio.sleep(0.01)
    await join(http, machine, "ann", "g")
    assert machine.worker_of("g") == leaving  # the one with less to do


async def test_with_nobody_to_take_them_clients_come_back_later(machine: Machine, http: aiohttp.ClientSession) -> None:
    """All stop at once, as at the end of `meet serve`: nothing is moved to who stops a moment later."""
    clients = [await join(http, machine, "ann", room) for room in ("a", "b")]
    finished: list[str] = []  # what would end their recordings
    machine.front.fleet.on_room_finished.append(finished.append)
    await asyncio.wait_for(asyncio.gather(*(w.duty.drain() for w in machine.workers.values())), 40)
    while machine.workers:
        worker = machine.workers.popitem()[1]
        await worker.server.stop()
        await worker.duty.close()
    for client in clients:
        left = await client.expect("leave")
        assert (left.action, left.reason) == (sig.LeaveRequest.RECONNECT, pb.DisconnectReason.SERVER_SHUTDOWN)
    assert finished == []
    assert len(list(machine.places.rooms.glob("*.json"))) == 2


async def test_a_front_that_ends_as_well_moves_nothing(machine: Machine, http: aiohttp.ClientSession) -> None:
    await join(http, machine, "ann", "a")
    home = machine.worker_of("a")
    assert home is not None
    stopping = asyncio.create_task(machine.front.stop())
    await asyncio.sleep(0.05)
    await asyncio.wait_for(machine.workers[home].duty.drain(), 40)
    assert machine.worker_of("a") == home
    await machine.workers.pop(home).die()
    await asyncio.wait_for(stopping, 40)


async def test_without_a_front_a_worker_just_stops(machine: Machine, http: aiohttp.ClientSession) -> None:
    await join(http, machine, "ann", "a")
    home = machine.worker_of("a")
    assert home is not None
    await machine.front.stop()
    await asyncio.wait_for(machine.workers[home].duty.drain(), 40)
    assert machine.worker_of("a") == home


async def test_who_joins_while_the_room_moves_waits_for_it(machine: Machine, http: aiohttp.ClientSession) -> None:
    await join(http, machine, "ann", "a")
    home = machine.worker_of("a")
    assert home is not None
    fleet = machine.front.fleet
    moved = fleet.moving["a"] = asyncio.Event()
    coming = asyncio.create_task(join(http, machine, "bob", "a"))
    await asyncio.sleep(0.1)
    assert not coming.done()
    del fleet.moving["a"]
    moved.set()
    await asyncio.wait_for(coming, 40)
    assert len(machine.workers[home].server.registry.require("a").participants) == 2


async def test_a_room_moves_as_it_is_though_the_disk_is_full(
    machine: Machine, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    await join(http, machine, "ann", "a")
    home = machine.worker_of("a")
    assert home is not None

    def full(_path: Path, _content: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("meet.media.room.keeper._write", full)
    metadata = "\x01" * MAX_METADATA  # as long as it can be, and six times that in JSON
    machine.workers[home].server.registry.require("a").update_metadata(metadata)
    await asyncio.wait_for(machine.workers[home].duty.drain(), 40)
    assert machine.worker_of("a") == 1 - home
    assert machine.workers[1 - home].server.registry.require("a").metadata == metadata


async def test_a_taker_that_does_not_answer_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("meet.media.front.drain._ANSWER_S", 0.3)
    async with running(tmp_path / "run", count=3) as machine, aiohttp.ClientSession() as http:
        await join(http, machine, "ann", "a")
        home = machine.worker_of("a")
        assert home is not None
        deaf, good = (index for index in range(3) if index != home)
        monkeypatch.setattr(machine.workers[deaf].duty, "_answer", lambda *_: None)
        monkeypatch.setattr(machine.front.fleet.placement, "least_loaded", min if deaf < good else max)
        source = machine.workers[home]
        await asyncio.wait_for(source.duty.drain(), 40)
        assert source.server.registry.get("a") is None
        assert machine.front.fleet.placement.where("a") == good
        async with asyncio.timeout(
            10
        ):  # nor keeps a second one, which would end some time and be told as the end of it
            while machine.workers[deaf].server.registry.get("a") is not None:
                await asyncio.sleep(0.01)
