"""What clients and the backend see of a front with two workers."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from livekit import api
from livekit.protocol import rtc as sig
from prometheus_client.parser import text_string_to_metric_families

from meet.media.front import head
from meet.media.front.placement import SILENT_S
from meet.media.front.server import FrontServer
from meet.supervisor import listening
from tests.unit.media.fakes import Clock
from tests.unit.media.front.machine import Machine, join
from tests.unit.media.gateway.client import KEY, SECRET, Client, token


@pytest.fixture
async def server_api(machine: Machine) -> AsyncIterator[api.LiveKitAPI]:
    async with api.LiveKitAPI(f"http://127.0.0.1:{machine.front.port}", KEY, SECRET) as client:
        yield client


class Port:
    """Where a client goes."""

    def __init__(self, port: int) -> None:
        self.port = port


def bearer(**grants: Any) -> dict[str, str]:
    text = api.AccessToken(KEY, SECRET).with_grants(api.VideoGrants(**grants)).to_jwt()
    return {"Authorization": f"Bearer {text}"}


async def test_rooms_spread_and_stay_together(machine: Machine, http: aiohttp.ClientSession) -> None:
    clients = [await join(http, machine, f"{room}-{n}", room) for n in range(2) for room in ("a", "b", "c", "d")]
    homes = [machine.worker_of(room) for room in ("a", "b", "c", "d")]
    assert sorted(str(home) for home in homes) == ["0", "0", "1", "1"]
    for room in ("a", "b", "c", "d"):
        home = machine.workers[machine.worker_of(room) or 0].server
        assert sorted(home.registry.require(room).participants) == [f"{room}-0", f"{room}-1"]
    for client in clients:
        await client.socket.close()


async def test_racing_first_joins_find_each_other(machine: Machine, http: aiohttp.ClientSession) -> None:
    clients = await asyncio.gather(*(join(http, machine, f"p{n}", "race") for n in range(8)))
    home = machine.worker_of("race")
    assert home is not None
    assert len(machine.workers[home].server.registry.require("race").participants) == 8
    for client in clients:
        await client.socket.close()


async def test_signalling_both_ways_v1_and_v0(machine: Machine, http: aiohttp.ClientSession) -> None:
    for connect in (Client(http, machine.front).v0, Client(http, machine.front).v1):
        client = await connect(token("ann", "r"))
        await client.expect("join")
        await client.send(ping_req=sig.Ping(timestamp=int(time.time() * 1000)))
        await client.expect("pong_resp")
        await client.send(leave=sig.LeaveRequest())
        await client.ended()


async def test_what_a_worker_refuses_is_refused_through_the_front(
    machine: Machine, http: aiohttp.ClientSession
) -> None:
    base = f"http://127.0.0.1:{machine.front.port}"
    for path, status in (("/rtc/validate", 401), ("/rtc", 401), ("/rtc/v1/validate?access_token=junk", 401)):
        async with http.get(base + path) as response:
            assert (response.status, response.headers["Connection"]) == (status, "close"), path
    async with http.get(f"{base}/rtc/validate", params={"access_token": token("ann")}) as response:
        assert (response.status, await response.text()) == (200, "success")
    async with http.get(f"{base}/rtc/validate", params={"access_token": token("spy", hidden=True)}) as response:
        assert response.status == 404
    assert [machine.worker_of(room) for room in ("room", "spy")] == [None, None]
    async with http.get(base) as response:
        assert (response.status, await response.text()) == (200, "OK")
    async with http.get(f"{base}/nothing") as response:
        assert response.status == 404


async def test_requests_in_many_pieces(machine: Machine) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", machine.front.port)
    for piece in ("GET /rtc/validate?access_", f"token={token('ann')} HTTP/1.1\r", "\nHost: x\r\n", "\r\n"):
        writer.write(piece.encode())
        await writer.drain()
        await asyncio.sleep(0.02)
    answer = await asyncio.wait_for(reader.read(), 40)
    assert answer.startswith(b"HTTP/1.1 200") and answer.endswith(b"success")
    writer.close()


async def test_junk_is_a_bad_request(machine: Machine) -> None:
    for junk in (b"\x16\x03\x01\x02\x00\r\n\r\n", b"GET\r\n\r\n", b"GET http://[ HTTP/1.1\r\n\r\n"):
        reader, writer = await asyncio.open_connection("127.0.0.1", machine.front.port)
        writer.write(junk)
        assert b" 400 " in await asyncio.wait_for(reader.read(), 40), junk
        writer.close()


async def test_an_address_with_bad_tokens_only_is_turned_away(
    machine: Machine, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("meet.media.gateway.refusals.source", lambda host: host)  # loopback is let off otherwise
    monkeypatch.setattr("meet.media.gateway.refusals.BURST", 5)
    url = f"http://127.0.0.1:{machine.front.port}/rtc/validate"
    statuses = []
    for _ in range(12):
        async with http.get(url, params={"access_token": "junk"}) as response:
            statuses.append(response.status)
    assert statuses[:3] == [401, 401, 401]
    assert statuses[-1] == 429


async def test_an_endless_head_is_cut_off(machine: Machine) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", machine.front.port)
    writer.write(b"GET /rtc?x=" + b"y" * head.MAX_HEAD)
    assert b" 431 " in await asyncio.wait_for(reader.read(), 40)
    writer.close()


async def test_a_head_that_never_ends_is_given_up(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("meet.media.front.door._HEAD_S", 0.1)
    reader, writer = await asyncio.open_connection("127.0.0.1", machine.front.port)
    writer.write(b"GET /rtc HTTP/1.1\r\n")
    assert await asyncio.wait_for(reader.read(), 40) == b""
    writer.close()


# -- the server API


async def test_the_server_api_finds_the_room(
    machine: Machine, server_api: api.LiveKitAPI, http: aiohttp.ClientSession
) -> None:
    made = [await server_api.room.create_room(api.CreateRoomRequest(name=name)) for name in ("a", "b", "c")]
    assert len({machine.worker_of(room.name) for room in made}) == 2
    listed = (await server_api.room.list_rooms(api.ListRoomsRequest())).rooms
    assert {room.name: room.sid for room in listed} == {room.name: room.sid for room in made}
    (one,) = (await server_api.room.list_rooms(api.ListRoomsRequest(names=["b"]))).rooms
    assert one.name == "b"
    client = await join(http, machine, "ann", "c")
    (member,) = (await server_api.room.list_participants(api.ListParticipantsRequest(room="c"))).participants
    assert member.identity == "ann"
    await server_api.room.update_room_metadata(api.UpdateRoomMetadataRequest(room="c", metadata="new"))
    assert (await client.expect("room_update")).room.metadata == "new"
    await server_api.room.delete_room(api.DeleteRoomRequest(room="c"))
    await client.expect("leave")
    assert machine.worker_of("c") is None
    with pytest.raises(api.TwirpError, match="not_found"):
        await server_api.room.delete_room(api.DeleteRoomRequest(room="c"))


async def test_the_same_as_json(machine: Machine, http: aiohttp.ClientSession) -> None:
    url = f"http://127.0.0.1:{machine.front.port}/twirp/livekit.RoomService"
    for name in ("a", "b"):
        async with http.post(f"{url}/CreateRoom", json={"name": name}, headers=bearer(room_create=True)) as response:
            assert (response.status, (await response.json())["name"]) == (200, name)
    async with http.post(f"{url}/ListRooms", json={}, headers=bearer(room_list=True)) as response:
        assert sorted(room["name"] for room in (await response.json())["rooms"]) == ["a", "b"]
    assert len({machine.worker_of("a"), machine.worker_of("b")}) == 2


REFUSALS: list[tuple[str, str, dict[str, bool], int]] = [
    ("livekit.RoomService/ListRooms", "{}", {}, 403),
    ("livekit.RoomService/CreateRoom", '{"name": "x"}', {}, 403),
    ("livekit.RoomService/CreateRoom", "nonsense", {"room_create": True}, 400),
    ("livekit.RoomService/Juggle", "{}", {"room_create": True}, 404),
    ("livekit.RoomService/CreateRoom", '{"name": "' + "x" * 600_000 + '"}', {"room_create": True}, 429),
    ("livekit.Egress/StartRoomCompositeEgress", '{"room_name": "none"}', {"room_record": True}, 404),
    ("livekit.Egress/StopEgress", '{"egress_id": "EG_none"}', {"room_record": True}, 404),
    ("livekit.SIP/ListSIPTrunk", "{}", {}, 501),
]


async def test_refusals_are_the_workers(machine: Machine, http: aiohttp.ClientSession) -> None:
    for path, body, grants, status in REFUSALS:
        headers = {**bearer(**grants), "Content-Type": "application/json"}
        url = f"http://127.0.0.1:{machine.front.port}/twirp/{path}"
        async with http.post(url, data=body, headers=headers) as response:
            assert response.status == status, (path, await response.text())
            assert set(await response.json()) == {"code", "msg"}
    assert machine.worker_of("x") is None


async def test_recordings_start_where_the_room_is(machine: Machine, server_api: api.LiveKitAPI) -> None:
    for name in ("a", "b"):
        await server_api.room.create_room(api.CreateRoomRequest(name=name))
        request = api.RoomCompositeEgressRequest(
            room_name=name, file_outputs=[api.EncodedFileOutput(filepath=f"p/{name}")]
        )
        await server_api.egress.start_room_composite_egress(request)
    found = (await server_api.egress.list_egress(api.ListEgressRequest())).items
    assert [info.room_name for info in found] == ["a", "b"]


# -- workers and front that die


async def test_a_dead_workers_rooms_wait_for_it(
    machine: Machine, server_api: api.LiveKitAPI, http: aiohttp.ClientSession
) -> None:
    for name in ("a", "b"):
        await server_api.room.create_room(api.CreateRoomRequest(name=name, metadata=f"of {name}", empty_timeout=60))
    there, gone = machine.worker_of("a"), machine.worker_of("b")
    assert there is not None and gone is not None
    sid = machine.workers[gone].server.registry.require("b").sid
    unaffected = await join(http, machine, "ann", "a")
    await machine.workers.pop(gone).die()

    waiting = asyncio.create_task(join(http, machine, "bob", "b"))
    listing = asyncio.create_task(server_api.room.list_rooms(api.ListRoomsRequest()))
    members = await server_api.room.list_participants(api.ListParticipantsRequest(room="a"))
    assert [member.identity for member in members.participants] == ["ann"]
    assert not waiting.done() and not listing.done()
    await machine.start_worker(gone)
    client = await asyncio.wait_for(waiting, 40)
    rooms = {room.name: room for room in (await asyncio.wait_for(listing, 40)).rooms}
    assert (rooms["b"].sid, rooms["b"].metadata, machine.worker_of("b")) == (sid, "of b", gone)
    for each in (client, unaffected):
        await each.socket.close()


async def test_a_worker_that_stays_away_is_unavailable(
    machine: Machine, server_api: api.LiveKitAPI, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not left out of the list: its meetings would be taken for ended."""
    await server_api.room.create_room(api.CreateRoomRequest(name="a"))
    home = machine.worker_of("a")
    assert home is not None
    await machine.workers.pop(home).die()
    fleet = machine.front.fleet
    of_room, everybody = fleet.of_room, fleet.all
    monkeypatch.setattr(fleet, "of_room", lambda room, *, creates=False: of_room(room, creates=creates, patience_s=0.1))
    monkeypatch.setattr(fleet, "all", lambda: everybody(0.1))
    with pytest.raises(api.TwirpError, match="unavailable"):
        await server_api.room.list_rooms(api.ListRoomsRequest())
    with pytest.raises(api.TwirpError, match="unavailable"):
        await server_api.room.delete_room(api.DeleteRoomRequest(room="a"))
    with pytest.raises(aiohttp.WSServerHandshakeError, match="503"):
        await Client(http, machine.front).v0(token("ann", "a"))
    client = await join(http, machine, "bob", "new")  # the other one takes what is new
    assert machine.worker_of("new") == 1 - home
    await client.socket.close()


async def test_a_new_front_finds_everything_as_it_is(machine: Machine, http: aiohttp.ClientSession) -> None:
    before = [await join(http, machine, f"p-{room}", room) for room in ("a", "b")]
    homes = [machine.worker_of(room) for room in ("a", "b")]
    await machine.front.stop()
    assert not any(client.socket.closed for client in before)
    machine.front = FrontServer(machine.config)
    await machine.front.start()
    after = [await join(http, machine, f"q-{room}", room) for room in ("b", "a")]
    assert [machine.worker_of(room) for room in ("a", "b")] == homes
    await before[0].expect("update")  # of the one who came
    for client in (*before, *after):
        await client.socket.close()


async def test_who_comes_while_there_is_no_front_waits_for_the_next(
    machine: Machine, http: aiohttp.ClientSession
) -> None:
    """The listening sockets are the supervisor's, and outlive the front."""
    with listening.listen("127.0.0.1", 0)[0] as kept:
        await machine.front.stop()
        for number in range(2):
            coming = asyncio.create_task(Client(http, Port(kept.getsockname()[1])).v0(token(f"p{number}", "a")))
            await asyncio.sleep(0.1)
            assert not coming.done()
            machine.front = FrontServer(replace(machine.config, sockets=[kept.dup()]))
            await machine.front.start()
            client = await asyncio.wait_for(coming, 40)
            await client.expect("join")
            await machine.front.stop()
            await client.socket.close()


async def test_whether_a_room_is_recorded_reaches_its_worker(machine: Machine, server_api: api.LiveKitAPI) -> None:
    started: list[str] = []
    machine.front.fleet.on_room_started.append(started.append)
    await server_api.room.create_room(api.CreateRoomRequest(name="a"))
    home = machine.worker_of("a")
    assert home is not None and started == ["a"]
    room = machine.workers[home].server.registry.require("a")
    machine.front.fleet.show_recording("a", True)
    async with asyncio.timeout(40):
        while not room.active_recording:
            await asyncio.sleep(0.01)


async def test_metrics_of_all_workers(machine: Machine, http: aiohttp.ClientSession, tmp_path: Path) -> None:
    client = await join(http, machine, "ann", "a")
    connector = aiohttp.UnixConnector(str(tmp_path / "run" / "metrics.sock"))
    async with aiohttp.ClientSession(connector=connector) as local, local.get("http://front/metrics") as response:
        families = list(text_string_to_metric_families(await response.text()))
    assert len({family.name for family in families}) == len(families)
    values = {(s.name, json.dumps(s.labels, sort_keys=True)): s.value for f in families for s in f.samples}
    rooms = [values["meet_media_rooms", json.dumps({"worker": str(index)})] for index in (0, 1)]
    assert sorted(rooms) == [0.0, 1.0]
    assert values["meet_media_worker_up", '{"worker": "1"}'] == 1.0
    assert values["meet_media_packets_total", '{"direction": "in", "worker": "0"}'] == 0.0
    await client.socket.close()


async def test_a_worker_that_hangs_gets_no_new_room(
    machine: Machine, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Long before its process is replaced, and only as long as another one says something."""
    monkeypatch.setattr("meet.media.front.duty._LOOK_S", 0.01)
    fleet, clock = machine.front.fleet, Clock()
    monkeypatch.setattr(fleet.placement, "_clock", clock)
    clients = [await join(http, machine, "ann", room) for room in ("a", "b")]
    there, hung = machine.worker_of("a"), machine.worker_of("b")
    assert there is not None and hung is not None and there != hung

    def silence(index: int) -> None:
        monkeypatch.setattr(machine.workers[index].duty._channel, "send", lambda *_, **__: True)

    async def takers(expected: set[int]) -> None:
        async with asyncio.timeout(40):
            while set(fleet.takers()) != expected:
                await asyncio.sleep(0.02)

    await takers({there, hung})
    silence(hung)
    clock.now += 2 * SILENT_S
    await takers({there})
    for room in ("c", "d", "e"):
        clients.append(await join(http, machine, "ann", room))
        assert machine.worker_of(room) == there
    assert (await fleet.of_room("b", creates=True)).index == hung, "a room that is there stays there"
    silence(there)
    clock.now += 2 * SILENT_S
    await takers({there, hung})
    for client in clients:
        await client.socket.close()
