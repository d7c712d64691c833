"""A front and its workers in one process, over the real Unix sockets; clients that speak signalling only."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from meet.media.front.duty import Duty
from meet.media.front.places import Places
from meet.media.front.server import FrontConfig, FrontServer
from meet.media.front.worker import worker_config
from meet.media.main import Extension, MediaConfig, MediaServer
from meet.media.room import RoomEvent, RoomRegistry
from meet.media.twirp import twirp_routes
from tests.unit.media.gateway.client import KEY, SECRET, Client, token
from tests.unit.media.twirp.fakes import FakeControl


@dataclass
class Worker:
    """One worker; `events` is what it tells of its rooms."""

    server: MediaServer
    duty: Duty
    events: list[RoomEvent] = field(default_factory=list)

    async def die(self) -> None:
        """As after SIGKILL, as far as others can see: no word to anybody."""
        await self.duty.close()
        await self.server.stop()


class Machine:
    """`start` workers by number, then use `front`."""

    def __init__(self, run: Path, *, count: int = 2, tls: ssl.SSLContext | None = None) -> None:
        self.places = Places(run)
        self.count = count
        self.control = FakeControl()
        config = FrontConfig({KEY: SECRET}, self.places, count, port=0, tls=tls, metrics_socket=run / "metrics.sock")
        self.config = config
        self.front = FrontServer(config)
        self.workers: dict[int, Worker] = {}

    async def start_worker(self, index: int) -> Worker:
        events: list[RoomEvent] = []

        async def extend(registry: RoomRegistry) -> Extension:
            registry.add_listener(events.append)
            return Extension(routes=twirp_routes(registry, self.control, {KEY: SECRET}))

        config = MediaConfig(keys={KEY: SECRET}, rtc_host="127.0.0.1", rtc_port=0)
        server = MediaServer(worker_config(config, index, self.count, self.places), extend)
        await server.start()
        duty = Duty(index, self.places, server)
        duty.start()
        worker = self.workers[index] = Worker(server, duty, events)
        return worker

    def worker_of(self, room: str) -> int | None:
        """Where a room really is; None when nowhere. Fails when it is in two places."""
        found = [index for index, worker in self.workers.items() if worker.server.registry.get(room) is not None]
        assert len(found) < 2, f"{room} lives in {found}"
        return found[0] if found else None


async def join(http: aiohttp.ClientSession, machine: Machine, identity: str, room: str) -> Client:
    """Somebody who is in."""
    client = await Client(http, machine.front).v0(token(identity, room))
    await client.expect("join")
    return client


@asynccontextmanager
async def running(run: Path, *, count: int = 2, tls: ssl.SSLContext | None = None) -> AsyncIterator[Machine]:
    """Everything up, and down again."""
    run.mkdir(exist_ok=True)
    machine = Machine(run, count=count, tls=tls)
    async with AsyncExitStack() as stack:
        for index in range(count):
            await machine.start_worker(index)
        await machine.front.start()
        stack.push_async_callback(_stop, machine)
        yield machine


async def _stop(machine: Machine) -> None:
    for worker in machine.workers.values():
        await worker.die()
    await machine.front.stop()
