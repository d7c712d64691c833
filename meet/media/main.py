"""The media process: everything in `meet/media` put together, started, and stopped."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import structlog
import uvloop
from aiohttp import web

from meet.media.fastpath import Mode, open_outbox
from meet.media.gateway.handshake import Gateway
from meet.media.gateway.session import MediaContext
from meet.media.gateway.sweeper import Sweeper
from meet.media.gateway.turn import TurnConfig
from meet.media.metrics import MediaMetrics
from meet.media.room import RoomKeeper, RoomRegistry
from meet.media.server import MAX_LINE, adopt, build_app, one_request
from meet.media.transport.aiortc_adapter import Certificate
from meet.media.transport.udpmux import UdpMux
from meet.process import freeze, told_to_end

if TYPE_CHECKING:
    from meet.config import Settings

log = structlog.get_logger(__name__)

_SHUTDOWN_S = 5.0
_KEEP_ALIVE_S = 30.0
GC_THRESHOLDS: Final = (700, 10, 4)
"""The last one less than Python's 10: those who left are found after some hundred joins, not some hundreds."""


@dataclass(frozen=True)
class MediaConfig:
    """What the media server needs to know. Port 0 picks a free one; timeouts are seconds.

    native: `auto` forwards by compiled code where it was built, `off` by Python.
    rooms_dir: where rooms are kept for the next process; None forgets them. metrics_socket: Unix socket on which
    `GET /metrics` is answered. http_socket: serve HTTP there instead of on `port`, one request a connection, and take
    clients by `adopt` (meet/media/front). worker, workers: which of how many processes with one `rooms_dir` this is.
    """

    keys: Mapping[str, str]
    host: str = "127.0.0.1"
    port: int = 7880
    rtc_host: str = "0.0.0.0"
    rtc_port: int = 7882
    rtc_advertised: tuple[str, ...] = ()
    rtc_tcp: bool = True
    native: Mode = "auto"
    turn: TurnConfig | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None
    video_codecs: tuple[str, ...] = ("VP8", "H264")
    empty_timeout_s: float = 300
    departure_timeout_s: float = 20
    rooms_dir: Path | None = None
    metrics_socket: Path | None = None
    http_socket: Path | None = None
    worker: int = 0
    workers: int = 1


async def _nothing() -> None:
    return None


async def _no_metrics() -> bytes:
    return b""


@dataclass(frozen=True)
class Extension:
    """What others add to the server: HTTP routes, work to do when it stops (before clients are told to leave), and
    metrics of their own in the text format."""

    routes: Iterable[web.AbstractRouteDef] = ()
    close: Callable[[], Awaitable[None]] = field(default=_nothing)
    metrics: Callable[[], Awaitable[bytes]] = field(default=_no_metrics)


Extend = Callable[[RoomRegistry], Awaitable[Extension]]


class MediaServer:
    """A running server: `start`, then `stop`. `port` and `rtc_port` are the bound ports after `start`."""

    def __init__(self, config: MediaConfig, extend: Extend | None = None) -> None:
        self._config = config
        self._extend = extend
        self._extension = Extension()
        self._runner: web.AppRunner | None = None
        self._metrics_runner: web.AppRunner | None = None
        self.metrics = MediaMetrics()
        self._sweeper = Sweeper(self.metrics.connections_ended.labels("no_request").inc)
        self.registry = RoomRegistry(
            empty_timeout_s=round(config.empty_timeout_s),
            departure_timeout_s=round(config.departure_timeout_s),
            codecs=(*(f"video/{name}" for name in config.video_codecs), "audio/opus"),
        )
        self.keeper = (
            RoomKeeper(config.rooms_dir, worker=config.worker, of=config.workers)
            if config.rooms_dir is not None
            else None
        )
        self.mux: UdpMux
        self.gateway: Gateway
        self.port = 0
        self.rtc_port = 0

    async def start(self) -> None:
        """Bind the ports and serve. Raises OSError when a port is taken, ssl.SSLError for a bad certificate."""
        config = self._config
        tls = tls_context(config)
        self.mux = UdpMux(
            config.rtc_host,
            config.rtc_port,
            config.rtc_advertised,
            tcp=config.rtc_tcp,
            outbox=open_outbox(config.native),
        )
        self.rtc_port = self.mux.port
        try:
            self.gateway = Gateway(
                self.registry, MediaContext(self.mux, Certificate(), self.metrics, config.turn), config.keys
            )
            if self.keeper is not None:
                self.keeper.open(self.registry)  # first: the extension shows in them what is being recorded
            if self._extend is not None:
                self._extension = await self._extend(self.registry)
            self.metrics.watch(self.registry, self.mux)
            middlewares = [self._sweeper.middleware, *([one_request] if config.http_socket is not None else [])]
            app = build_app(self.gateway, extra_routes=self._extension.routes, middlewares=middlewares)
            self._runner = web.AppRunner(
                app,
                access_log=None,
                max_line_size=MAX_LINE,
                max_field_size=MAX_LINE,
                handle_signals=False,
                shutdown_timeout=_SHUTDOWN_S,
                keepalive_timeout=_KEEP_ALIVE_S,
            )
            await self._runner.setup()
            if self._runner.server is not None:
                self._sweeper.watch(self._runner.server)
            await self.mux.start_tcp()
            if config.http_socket is not None:
                await _serve_socket(self._runner, config.http_socket)
            else:
                await web.TCPSite(self._runner, config.host, config.port, ssl_context=tls).start()
                self.port = self._runner.addresses[0][1]
            if config.metrics_socket is not None:
                await self._serve_metrics(config.metrics_socket)
        except BaseException:
            await self.stop()
            raise
        self.mux.start()
        self.gateway.pulse.start()
        log.info(
            "media_server_ready",
            port=self.port,
            rtc_port=self.rtc_port,
            addresses=[c.host for c in self.mux.candidates],
        )

    async def _serve_metrics(self, path: Path) -> None:
        app = web.Application()
        app.add_routes(self.metrics.routes(self._extension.metrics))
        self._metrics_runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=0.5)
        await self._metrics_runner.setup()
        await _serve_socket(self._metrics_runner, path)

    async def adopt(self, sock: socket.socket, received: bytes) -> None:
        """Serve a client whose connection the front has taken; `received` was read already. Raises OSError."""
        if self._runner is None or self._runner.server is None:
            raise OSError("not serving any more")
        await adopt(self._runner.server, sock, received)

    async def let_go(self, room_name: str) -> None:
        """Another process has the room now: its clients are told so. Returns when they have been."""
        sessions = [session for session in self.gateway.pulse.sessions if session.room.name == room_name]
        self.registry.hand_over(room_name)
        await asyncio.gather(*(session.wait_closed() for session in sessions))

    async def stop(self) -> None:
        """Tell clients to come back later, then close everything."""
        await self._extension.close()
        if self.keeper is not None:
            await self.keeper.close()
        if hasattr(self, "gateway"):
            sessions = list(self.gateway.pulse.sessions)
            self.registry.shutdown()
            await asyncio.gather(*(s.wait_closed() for s in sessions))
            await self.gateway.pulse.stop()
        self._sweeper.stop()
        for runner in (self._runner, self._metrics_runner):
            if runner is not None:
                await runner.cleanup()
        self.mux.close()


async def _serve_socket(runner: web.AppRunner, path: Path) -> None:
    path.unlink(missing_ok=True)
    await web.UnixSite(runner, str(path)).start()
    path.chmod(0o600)


def tls_context(config: MediaConfig) -> ssl.SSLContext | None:
    """What the signalling port presents. Raises OSError or ssl.SSLError for a bad certificate."""
    if config.tls_cert is None or config.tls_key is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(config.tls_cert, config.tls_key)
    return context


def config_from(settings: Settings) -> MediaConfig:
    """The media server's part of the process settings."""
    return MediaConfig(
        keys={settings.livekit_api_key: settings.livekit_api_secret},
        host=settings.host,
        port=settings.livekit_port,
        rtc_host=settings.rtc_host,
        rtc_port=settings.rtc_port,
        rtc_advertised=tuple(settings.rtc_advertised),
        rtc_tcp=settings.rtc_tcp,
        native=settings.media_native,
        turn=TurnConfig(settings.turn_urls, settings.turn_secret, settings.turn_ttl_s) if settings.turn_urls else None,
        tls_cert=settings.tls_cert,
        tls_key=settings.tls_key,
        video_codecs=tuple(name.upper() for name in settings.video_codecs),
        empty_timeout_s=settings.meeting_empty_timeout_s,
        departure_timeout_s=settings.meeting_departure_timeout_s,
        rooms_dir=settings.data_dir / "run" / "rooms",
        metrics_socket=settings.media_metrics_socket,
    )


async def serve_config(
    config: MediaConfig, *, extend: Extend | None = None, on_ready: Callable[[MediaServer], None]
) -> None:
    """Run until SIGTERM or SIGINT."""
    told = told_to_end()
    server = MediaServer(config, extend)
    await server.start()
    freeze(*GC_THRESHOLDS)
    on_ready(server)
    await told.wait()
    with contextlib.suppress(asyncio.CancelledError):
        await server.stop()


async def serve(
    settings: Settings, *, extend: Extend | None = None, on_ready: Callable[[], None] = lambda: None
) -> None:
    """Run the media server of these settings until SIGTERM or SIGINT; `on_ready` is called once it serves."""
    await serve_config(config_from(settings), extend=extend, on_ready=lambda _server: on_ready())


def run(settings: Settings, *, extend: Extend | None = None, on_ready: Callable[[], None] = lambda: None) -> None:
    """`serve` on uvloop; returns after a clean stop."""
    uvloop.run(serve(settings, extend=extend, on_ready=on_ready))


if __name__ == "__main__":
    from meet.media.standalone import main

    main()
