"""What `meet serve` does: lock, media server, recorders, backend; then wait, and stop them in the other order."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import socket
import time
from collections.abc import Callable
from typing import Final

import structlog

from meet.config import Settings
from meet.supervisor import control
from meet.supervisor.child import Child, ChildFailed
from meet.supervisor.recorders import Recorders

log = structlog.get_logger(__name__)

SHUTDOWN_S: Final = 29.0
RECORDERS_SHARE: Final = 0.75


class StartFailed(Exception):
    """A process could not be started; it has said why itself."""


class PortInUse(Exception):
    """A port that was asked for is taken."""


def claim_ports(settings: Settings) -> Settings:
    """Check every port, and replace each 0 by a free one so that all processes agree on the number.

    Raises PortInUse, which names the option to change.
    """
    wanted = [("port", socket.SOCK_STREAM, settings.host, "--port")]
    if settings.livekit_embedded:
        wanted.append(("livekit_port", socket.SOCK_STREAM, settings.host, "--livekit-port"))
        wanted.append(("rtc_port", socket.SOCK_DGRAM, settings.rtc_host, "--rtc-port"))
    update = {}
    for name, kind, host, option in wanted:
        port: int = getattr(settings, name)
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind) as probe:
            if kind == socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as error:
                reason = (
                    "is already in use" if error.errno == errno.EADDRINUSE else f"cannot be bound: {error.strerror}"
                )
                raise PortInUse(f"port {port} {reason} on {host}; choose another with {option}") from error
            update[name] = probe.getsockname()[1]
    return settings.model_copy(update=update)


async def supervise(settings: Settings, on_ready: Callable[[], None]) -> None:
    """Run everything until SIGTERM or SIGINT; `on_ready` is called once. Raises StartFailed."""
    env = {**os.environ, **settings.to_env()}
    run_dir = settings.data_dir / "run"
    run_dir.mkdir(parents=True, exist_ok=True)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)

    recorders = Recorders(settings.data_dir / "spool", env)
    server = await control.listen(run_dir / "supervisor.sock", recorders)
    services = [Child(("media",), env)] if settings.livekit_embedded else []
    services.append(Child(("backend",), env))
    try:
        for child in services:
            await child.start()
        recorders.recover()
        on_ready()
        gone = [asyncio.create_task(child.unrecoverable.wait()) for child in services]
        waiting = [asyncio.create_task(stop.wait()), *gone]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
        if not stop.is_set():
            raise StartFailed("a process cannot be started again; its last log lines say why")
    except ChildFailed as error:
        raise StartFailed(str(error)) from error
    finally:
        log.info("shutting_down")
        started = time.monotonic()
        server.close()
        # Recorders first: while they finish, the media server and the backend still carry their last events.
        await recorders.close(SHUTDOWN_S * RECORDERS_SHARE)
        for child in services:
            left = SHUTDOWN_S - (time.monotonic() - started)
            await child.stop(max(1.0, left / 2))
        log.info("stopped", after_s=round(time.monotonic() - started, 1))
