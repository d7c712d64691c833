"""Where the server of a data directory listens, for commands on the same machine: `run/server.json`.

Ports may have been picked by the system (`--port 0`) or given on a command line that nobody else sees.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import storage
from meet.config import Settings
from meet.supervisor import lock


@dataclass(frozen=True)
class Address:
    """A running server; `livekit_port` and `rtc_port` are None when the media server is another's. store: the name of
    that which its recordings go to."""

    pid: int
    url: str
    host: str
    port: int
    livekit_port: int | None
    rtc_port: int | None
    tls_cert: str | None
    tls_key: str | None
    rtc_tcp: bool = True
    metrics_host: str = "127.0.0.1"
    metrics_port: int | None = None
    media_processes: int = 1
    livekit_public_url: str = ""
    webhook_allow_private: bool = False
    store: str = ""


def publish(settings: Settings, pid: int) -> None:
    """Write down where this server listens. Raises OSError."""
    embedded = settings.livekit_embedded
    address = Address(
        pid=pid,
        url=settings.backend_url + settings.base_path,
        host=settings.host,
        port=settings.port,
        livekit_port=settings.livekit_port if embedded else None,
        rtc_port=settings.rtc_port if embedded else None,
        tls_cert=str(settings.tls_cert) if settings.tls_cert else None,
        tls_key=str(settings.tls_key) if settings.tls_key else None,
        rtc_tcp=settings.rtc_tcp,
        metrics_host=settings.metrics_host,
        metrics_port=settings.metrics_port,
        media_processes=settings.media_workers,
        livekit_public_url=settings.livekit_public_url,
        webhook_allow_private=settings.webhook_allow_private,
        store=storage.name(settings),
    )
    path = _path(settings.data_dir)
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(asdict(address), indent=2) + "\n")
    temporary.replace(path)


def read(data_dir: Path) -> Address | None:
    """The server that runs in `data_dir`, None when none does (or none is ready yet)."""
    holder = lock.holder(data_dir)
    if holder is None:
        return None
    try:
        values: dict[str, Any] = json.loads(_path(data_dir).read_text())
        address = Address(**values)
    except (OSError, ValueError, TypeError):
        return None
    return address if address.pid == holder else None


def _path(data_dir: Path) -> Path:
    return data_dir / "run" / "server.json"
