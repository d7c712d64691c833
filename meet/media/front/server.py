"""The front: the port that clients and the backend know, before the workers that hold the rooms."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import structlog
import uvloop
from aiohttp import web

from meet.media.front import channel, door
from meet.media.front.drain import Drains
from meet.media.front.fleet import Fleet
from meet.media.front.forward import Forwarder
from meet.media.front.metrics import WorkersMetrics
from meet.media.front.places import Places
from meet.media.gateway.sweeper import Sweeper
from meet.media.main import config_from, tls_context
from meet.media.room.keeper import kept_rooms
from meet.media.server import MAX_LINE, one_request
from meet.process import told_to_end

if TYPE_CHECKING:
    from meet.config import Settings

log = structlog.get_logger(__name__)

_SETTLE_S: Final = 5.0
"""How long a front that starts waits for workers that are still away; clients of theirs wait longer."""
_GOODBYE_S: Final = 0.5
_LAST_WORD_S: Final = 10.0


@dataclass(frozen=True)
class FrontConfig:
    """keys: API key to secret. workers: how many; tls: for clients; metrics_socket: Unix socket of `GET /metrics`.

    sockets: listen already and are used instead of host and port, when there are any."""

    keys: Mapping[str, str]
    places: Places
    workers: int
    host: str = "127.0.0.1"
    port: int = 7880
    tls: ssl.SSLContext | None = None
    metrics_socket: Path | None = None
    sockets: Sequence[socket.socket] = ()


async def _nothing() -> None:
    return None


async def _no_metrics() -> bytes:
    return b""


@dataclass(frozen=True)
class FrontExtension:
    """What others add: routes for the workers, what to do once all rooms are known, and when the front ends; metrics of
    their own in the text format."""

    routes: Iterable[web.AbstractRouteDef] = ()
    settled: Callable[[], None] = field(default=lambda: None)
    close: Callable[[], Awaitable[None]] = field(default=_nothing)
    metrics: Callable[[], Awaitable[bytes]] = field(default=_no_metrics)


FrontExtend = Callable[[Fleet], Awaitable[FrontExtension]]


class FrontServer:
    """`start`, then `stop`. `port` is the bound one after `start`."""

    def __init__(self, config: FrontConfig, extend: FrontExtend | None = None) -> None:
        self._config = config
        self._extend = extend
        self._extension = FrontExtension()
        self.fleet = Fleet(config.workers)
        self._drains = Drains(self.fleet)
        self.fleet.on_drain = self._drains.start
        self._sweeper = Sweeper()
        self._runners: list[web.AppRunner] = []
        self._doors: door.Doors | None = None
        self._listeners: list[asyncio.Server] = []
        self._forwarder: Forwarder | None = None
        self._unlink: Callable[[], None] = lambda: None
        self._settling: asyncio.Task[None] | None = None
        self.port = 0

    async def start(self) -> None:
        """Find the workers, then let clients in. Raises OSError when the port is taken."""
        config, fleet = self._config, self.fleet
        try:
            for kept in kept_rooms(config.places.rooms):
                fleet.placement.started(kept.name, kept.worker % config.workers)
            if self._extend is not None:
                self._extension = await self._extend(fleet)
            if list(self._extension.routes):
                await self._serve_socket(self._extension.routes, config.places.api)
            self._unlink = channel.listen(config.places.link, fleet.connected)
            if config.metrics_socket is not None:
                routes = WorkersMetrics(config.places, config.workers, self._extension.metrics).routes()
                await self._serve_socket(routes, config.metrics_socket)
            self._forwarder = Forwarder(fleet, config.places, config.keys)
            self._doors = door.Doors(fleet, await self._application(self._forwarder), config.keys)
            if not await fleet.settled(_SETTLE_S):
                log.warning("media_workers_missing", workers=[w.index for w in fleet.workers if not w.known])
            self._settling = asyncio.create_task(self._settle(), name="settle")
            self._listeners = await door.listen(self._doors, config.host, config.port, config.tls, config.sockets)
        except BaseException:
            await self.stop()
            raise
        self.port = self._listeners[0].sockets[0].getsockname()[1]
        log.info("media_front_ready", port=self.port, workers=config.workers)

    async def _settle(self) -> None:
        while not await self.fleet.settled(60.0):
            pass
        self._extension.settled()

    async def _application(self, forwarder: Forwarder) -> web.Server:
        """What answers everything but signalling: health and the server API."""
        app = web.Application(client_max_size=1 << 20, middlewares=[self._sweeper.middleware, one_request])
        app.router.add_get("/", _health)
        app.add_routes(forwarder.routes())
        runner = web.AppRunner(
            app,
            access_log=None,
            max_line_size=MAX_LINE,
            max_field_size=MAX_LINE,
            handle_signals=False,
            shutdown_timeout=2.0,
        )
        await runner.setup()
        self._runners.append(runner)
        assert runner.server is not None
        self._sweeper.watch(runner.server)
        return runner.server

    async def _serve_socket(self, routes: Iterable[web.AbstractRouteDef], path: Path) -> None:
        app = web.Application()
        app.add_routes(routes)
        runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=0.5)
        await runner.setup()
        self._runners.append(runner)
        path.unlink(missing_ok=True)
        await web.UnixSite(runner, str(path)).start()
        path.chmod(0o600)

    async def stop(self) -> None:
        """No new clients; workers that end at the same time are waited for, since TLS clients hear them through us."""
        for listener in self._listeners:
            listener.close()
        if self._settling is not None:
            self._settling.cancel()
        await self._extension.close()
        self._drains.stop()
        await asyncio.sleep(_GOODBYE_S if self.fleet.anybody else 0)
        await self.fleet.without_leavers(_LAST_WORD_S)
        if self._doors is not None:
            self._doors.close()
        self._sweeper.stop()
        for runner in self._runners:
            await runner.cleanup()
        if self._forwarder is not None:
            await self._forwarder.close()
        self._unlink()
        self.fleet.close()


async def _health(_request: web.Request) -> web.Response:
    return web.Response(text="OK")


async def serve(
    config: FrontConfig, *, extend: FrontExtend | None = None, on_ready: Callable[[], None] = lambda: None
) -> None:
    """Run until SIGTERM or SIGINT."""
    told = told_to_end()
    server = FrontServer(config, extend)
    await server.start()
    on_ready()
    await told.wait()
    await server.stop()


def run(
    settings: Settings,
    *,
    extend: FrontExtend | None = None,
    sockets: Sequence[socket.socket] = (),
    on_ready: Callable[[], None] = lambda: None,
) -> None:
    """`serve` the front of these settings on uvloop; returns after a clean stop."""
    media = config_from(settings)
    config = FrontConfig(
        keys=media.keys,
        places=Places(settings.data_dir / "run"),
        workers=settings.media_workers,
        host=media.host,
        port=media.port,
        tls=tls_context(media),
        metrics_socket=media.metrics_socket,
        sockets=sockets,
    )
    uvloop.run(serve(config, extend=extend, on_ready=on_ready))
