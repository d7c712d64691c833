"""What `meet serve` does: lock, media server, recorders, backend; then wait, and stop them in the other order."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import socket
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog

from meet.config import Settings
from meet.supervisor import control
from meet.supervisor.child import Child
from meet.supervisor.lifeline import ChildFailed
from meet.supervisor.recorders import Recorders

log = structlog.get_logger(__name__)

SHUTDOWN_S: Final = 29.0
RECORDERS_SHARE: Final = 0.75
_ATTEMPTS: Final = 20


class StartFailed(Exception):
    """A process could not be started; it has said why itself."""


class PortInUse(Exception):
    """A port that was asked for is taken."""


@dataclass(frozen=True)
class Port:
    """A port that the server listens on; `setting` is the field of Settings, `option` what chooses another."""

    setting: str
    kind: socket.SocketKind
    host: str
    option: str


def ports(settings: Settings) -> list[Port]:
    """Every port that `meet serve` needs with these settings."""
    needed = [Port("port", socket.SOCK_STREAM, settings.host, "--port")]
    if settings.livekit_embedded:
        needed.append(Port("livekit_port", socket.SOCK_STREAM, settings.host, "--livekit-port"))
        needed.append(Port("rtc_port", socket.SOCK_DGRAM, settings.rtc_host, "--rtc-port"))
        if settings.rtc_tcp:
            needed.append(Port("rtc_port", socket.SOCK_STREAM, settings.rtc_host, "--rtc-port"))
    if settings.metrics_port is not None:
        needed.append(Port("metrics_port", socket.SOCK_STREAM, settings.metrics_host, "MEET_METRICS_PORT"))
    return needed


def try_port(port: Port, number: int) -> int:
    """Bind and let go; the number that is free. Raises PortInUse, which names the option to change."""
    with socket.socket(socket.AF_INET6 if ":" in port.host else socket.AF_INET, port.kind) as probe:
        if port.kind == socket.SOCK_STREAM:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((port.host, number))
        except OSError as error:
            reason = "is already in use" if error.errno == errno.EADDRINUSE else f"cannot be bound: {error.strerror}"
            raise PortInUse(f"port {number} {reason} on {port.host}; choose another with {port.option}") from error
        chosen: int = probe.getsockname()[1]
        return chosen


def claim_ports(settings: Settings) -> Settings:
    """Check every port, and replace each 0 by a free one so that all processes agree on the number.

    Raises PortInUse.
    """
    for left in reversed(range(_ATTEMPTS)):
        update: dict[str, int] = {}
        try:
            for port in ports(settings):
                # Media over TCP has the number that was found for UDP.
                update[port.setting] = try_port(port, update.get(port.setting, getattr(settings, port.setting)))
            break
        except PortInUse:
            if getattr(settings, port.setting) or not left:
                raise
    return settings.model_copy(update=update)


async def _start(services: Sequence[Child], recorders: Recorders) -> None:
    """The backend is the last of `services`. Raises ChildFailed."""
    recorders.prepare()
    media, backend = services[:-1], services[-1]
    for child in media:
        await child.start()
    recorders.recover()  # before the backend, without which recording goes on
    await backend.start()


async def _unless(stop: asyncio.Event, work: Coroutine[Any, Any, None]) -> bool:
    """Do it, and say so; False when `stop` came first, which ends it where it is. Raises what `work` raises."""
    doing, stopped = asyncio.create_task(work), asyncio.create_task(stop.wait())
    await asyncio.wait((doing, stopped), return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if doing.done():
        doing.result()
        return True
    doing.cancel()
    await asyncio.wait((doing,))
    return False


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
        if not await _unless(stop, _start(services, recorders)):
            return
        recorders.warm()
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
