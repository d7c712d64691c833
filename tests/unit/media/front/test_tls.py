"""Clients of a front with a certificate: the front keeps the connection and carries the bytes."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import aiohttp
from livekit import api

from tests.e2e.test_tls import self_signed
from tests.unit.media.front.machine import running
from tests.unit.media.gateway.client import KEY, SECRET, Client, token


class SecureClient(Client):
    """The same over wss."""

    def __init__(self, http: aiohttp.ClientSession, port: int) -> None:
        self._http = http
        self._base = f"https://127.0.0.1:{port}"


async def test_signalling_and_server_api(tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    trust = ssl.create_default_context(cafile=str(certificate))
    async with (
        running(tmp_path / "run", tls=context) as machine,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trust)) as http,
    ):
        port = machine.front.port
        ann = await SecureClient(http, port).v1(token("ann"))
        await ann.expect("join")
        bob = await SecureClient(http, port).v0(token("bob"))
        await bob.expect("join")
        assert machine.worker_of("room") is not None
        async with http.get(f"https://127.0.0.1:{port}/rtc/validate") as response:
            assert response.status == 401
        async with api.LiveKitAPI(f"https://127.0.0.1:{port}", KEY, SECRET, session=http) as server:
            # 60 kB through the pump, towards a client
            await server.room.update_room_metadata(api.UpdateRoomMetadataRequest(room="room", metadata="m" * 60_000))
        assert len((await ann.expect("room_update")).room.metadata) == 60_000

        # Everything ends at once: the last word still reaches the clients, because the front goes last.
        stopping = asyncio.create_task(machine.front.stop())
        await asyncio.gather(*(worker.duty.drain() for worker in machine.workers.values()))
        for worker in list(machine.workers.values()):
            await worker.die()
        machine.workers.clear()
        assert (await bob.expect("leave")).can_reconnect
        await bob.ended()
        await asyncio.wait_for(stopping, 40)
