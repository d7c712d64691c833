"""The admin port: one scrape tells everything."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

import aiohttp
import structlog
from aiohttp import web
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from meet.metrics.backend import BackendMetrics

log = structlog.get_logger(__name__)

_MEDIA_TIMEOUT_S: Final = 2.0
_UP = "# HELP meet_media_up Whether the media process answers\n# TYPE meet_media_up gauge\nmeet_media_up {}\n"


class MetricsListener:
    """Serves `GET /metrics`. media_socket: where the media process answers the same; None when there is none here."""

    def __init__(self, backend: BackendMetrics, media_socket: Path | None) -> None:
        self._backend = backend
        self._media_socket = media_socket
        self._runner: web.AppRunner | None = None
        self._lag: asyncio.Task[None] | None = None
        self.port = 0

    async def start(self, host: str, port: int) -> None:
        """Listen. Raises OSError when the port is taken."""
        app = web.Application()
        app.router.add_get("/metrics", self._metrics)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=0.5)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        self.port = self._runner.addresses[0][1]
        self._lag = asyncio.create_task(self._backend.watch_loop())
        log.info("metrics_ready", host=host, port=self.port)

    async def stop(self) -> None:
        """Stop listening; does nothing when it never did."""
        if self._lag is not None:
            self._lag.cancel()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _metrics(self, _request: web.Request) -> web.Response:
        media = await self._media()
        return web.Response(body=self._backend.text() + media, headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def _media(self) -> bytes:
        if self._media_socket is None:
            return b""
        timeout = aiohttp.ClientTimeout(total=_MEDIA_TIMEOUT_S)
        connector = aiohttp.UnixConnector(str(self._media_socket))
        try:
            async with (
                aiohttp.ClientSession(connector=connector, timeout=timeout) as session,
                session.get("http://media/metrics") as response,
            ):
                response.raise_for_status()
                text = await response.read()
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            log.warning("media_metrics_missing", error=type(error).__name__)
            return _UP.format(0).encode()
        return text + _UP.format(1).encode()
