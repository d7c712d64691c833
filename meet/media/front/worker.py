"""One worker: a media server without a port for signalling; the front hands it its clients."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import uvloop

from meet.media.front.duty import Duty
from meet.media.front.places import Places
from meet.media.main import GC_THRESHOLDS, Extend, MediaConfig, MediaServer, config_from
from meet.process import freeze, told_to_end

if TYPE_CHECKING:
    from meet.config import Settings


def worker_config(config: MediaConfig, index: int, count: int, places: Places) -> MediaConfig:
    """The server's configuration with this worker's part of it: its sockets, its media port, its rooms."""
    return replace(
        config,
        http_socket=places.worker(index),
        metrics_socket=places.metrics(index),
        rooms_dir=places.rooms,
        worker=index,
        workers=count,
        rtc_port=config.rtc_port + index if config.rtc_port else 0,
        tls_cert=None,
        tls_key=None,
    )


async def serve(
    config: MediaConfig, places: Places, *, extend: Extend | None = None, on_ready: Callable[[], None] = lambda: None
) -> None:
    """Run until SIGTERM or SIGINT; then the rooms go to other workers, as far as there are any."""
    told = told_to_end()
    server = MediaServer(config, extend)
    await server.start()
    duty = Duty(config.worker, places, server)
    duty.start()
    freeze(*GC_THRESHOLDS)
    on_ready()
    await told.wait()
    with contextlib.suppress(asyncio.CancelledError):
        await duty.drain()
        await server.stop()
        await duty.close()


def run(
    settings: Settings, index: int, *, extend: Extend | None = None, on_ready: Callable[[], None] = lambda: None
) -> None:
    """`serve` worker `index` of these settings on uvloop; returns after a clean stop."""
    places = Places(settings.data_dir / "run")
    config = worker_config(config_from(settings), index, settings.media_workers, places)
    uvloop.run(serve(config, places, extend=extend, on_ready=on_ready))
