"""What `meet serve` does: lock, media server, recorders, backend; then wait, and stop them in the other order."""

from __future__ import annotations

import asyncio
import errno
import os
import random
import socket
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import structlog

from meet.config import Settings
from meet.process import told_to_end
from meet.supervisor import control, listening
from meet.supervisor.child import Child
from meet.supervisor.lifeline import ChildFailed
from meet.supervisor.recorders import Recorders

log = structlog.get_logger(__name__)

SHUTDOWN_S: Final = 29.0
RECORDERS_SHARE: Final = 0.75
HUNG_AFTER_S: Final = 15.0
"""A service that does not turn its event loop for so long is replaced. Longer than for recorders: people notice it, and
busy machines have made loops wait for seconds."""
_ATTEMPTS: Final = 20
_LAST_PORT: Final = 65535
_KERNELS_PORTS: Final = Path("/proc/sys/net/ipv4/ip_local_port_range")


class StartFailed(Exception):
    """A process could not be started; it has said why itself."""


class PortInUse(Exception):
    """A port that was asked for is taken."""


@dataclass(frozen=True)
class Port:
    """A port that the server listens on; `setting` is the field of Settings, `option` what chooses another.

    offset: added to the setting; media workers have consecutive ports."""

    setting: str
    kind: socket.SocketKind
    host: str
    option: str
    offset: int = 0

    def number(self, settings: Settings) -> int:
        """The port number, 0 for any."""
        base: int = getattr(settings, self.setting)
        return base + self.offset if base else 0


def ports(settings: Settings) -> list[Port]:
    """Every port that `meet serve` needs with these settings."""
    needed = [Port("port", socket.SOCK_STREAM, settings.host, "--port")]
    if settings.livekit_embedded:
        needed.append(Port("livekit_port", socket.SOCK_STREAM, settings.host, "--livekit-port"))
        for worker in range(settings.media_workers):
            needed.append(Port("rtc_port", socket.SOCK_DGRAM, settings.rtc_host, "--rtc-port", worker))
            if settings.rtc_tcp:
                needed.append(Port("rtc_port", socket.SOCK_STREAM, settings.rtc_host, "--rtc-port", worker))
    if settings.metrics_port is not None:
        needed.append(Port("metrics_port", socket.SOCK_STREAM, settings.metrics_host, "MEET_METRICS_PORT"))
    return needed


def any_port() -> int:
    """A number below those that the kernel chooses for connections, any of which could take it before our process binds
    it, or while that is started anew. 0, the kernel's choice, where its range is not known or begins too low."""
    try:
        lowest = int(_KERNELS_PORTS.read_text().split()[0])
    except (OSError, ValueError):
        return 0
    return random.randrange(lowest // 2, lowest) if lowest >= 4096 else 0


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
    settings = settings.model_copy(update={"media_processes": settings.media_workers})  # the same for all of them
    for left in reversed(range(_ATTEMPTS)):
        update: dict[str, int] = {}
        try:
            for port in ports(settings):
                # Media over TCP, and further workers, count from the number that was found for the first.
                base = update.get(port.setting, getattr(settings, port.setting))
                if base + port.offset > _LAST_PORT:
                    raise PortInUse(f"port {base + port.offset} does not exist; choose a lower one with {port.option}")
                update[port.setting] = try_port(port, base + port.offset if base else any_port()) - port.offset
            break
        except PortInUse:
            if getattr(settings, port.setting) or not left:
                raise
    return settings.model_copy(update=update)


def media_children(settings: Settings, env: dict[str, str], sockets: Sequence[socket.socket] = ()) -> list[Child]:
    """The media server's processes: one for all, or the front first, then the workers.

    sockets: what the front is to accept clients on; none: it opens its port itself."""
    if not settings.livekit_embedded:
        return []
    if settings.media_workers == 1:
        return [_service(("media",), env)]
    workers = [_service(("media", "worker", str(index)), env) for index in range(settings.media_workers)]
    front_env = {**env, **listening.variable(sockets)} if sockets else env
    return [_service(("media", "front"), front_env, pass_fds=[sock.fileno() for sock in sockets]), *workers]


def _service(arguments: Sequence[str], env: dict[str, str], *, pass_fds: Sequence[int] = ()) -> Child:
    return Child(arguments, env, hung_after_s=HUNG_AFTER_S, pass_fds=pass_fds)


async def _start(services: Sequence[Child], recorders: Recorders) -> None:
    """The backend is the last of `services`. Raises ChildFailed."""
    recorders.prepare()
    media, backend = services[:-1], services[-1]
    # Together: the front is ready when the workers have found it.
    starting = [asyncio.create_task(child.start()) for child in media]
    try:
        await asyncio.gather(*starting)
    finally:
        for task in starting:
            task.cancel()
        await asyncio.gather(*starting, return_exceptions=True)
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
    stop = told_to_end()

    continuing = settings.recording_on_shutdown == "continue"
    recorders = Recorders(settings.data_dir / "spool", env, continuing=continuing)
    fronted = settings.livekit_embedded and settings.media_workers > 1
    try:
        sockets = listening.listen(settings.host, settings.livekit_port) if fronted else []
    except OSError as error:
        raise StartFailed(f"port {settings.livekit_port} cannot be used: {error.strerror}") from error
    media = media_children(settings, env, sockets)
    services = [*media, _service(("backend",), env)]
    server = await control.listen(run_dir / "supervisor.sock", recorders, media[1:])
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
        for group in (media, services[-1:]):
            left = max(1.0, (SHUTDOWN_S - (time.monotonic() - started)) / 2)
            # All at once: that is how media workers know that none of them stays to take the others' rooms.
            await asyncio.gather(*(child.stop(left) for child in group))
            for sock in sockets:
                sock.close()  # not before the front has ended: a last one may still have to be started
        log.info("stopped", after_s=round(time.monotonic() - started, 1))
