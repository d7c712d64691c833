"""All checks, in the order in which a problem in one explains problems in the next."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from meet.config import Settings, explain
from meet.doctor import certificate, data, machine, network, settings, store, webhooks
from meet.doctor.report import Finding, fail
from meet.supervisor import address
from meet.supervisor.address import Address


def examine(**overrides: Any) -> Iterator[Finding]:
    """Findings about the server that these settings describe, or about the one that already runs with them."""
    try:
        configured = Settings.load(**overrides)
    except ValidationError as error:
        yield fail("settings", explain(error), "correct the environment variable or the option")
        return
    running = address.read(configured.data_dir)
    actual = _as_running(configured, running) if running else configured
    yield from settings.check(actual)
    yield from data.check_directory(actual, running)
    yield from data.check_database(actual)
    yield from machine.check_disk(actual)
    yield from store.check(actual)
    yield from store.check_former(actual)
    yield from machine.check_clock(actual)
    yield from machine.check_codecs()
    yield from machine.check_fonts()
    yield from certificate.check(actual)
    yield from webhooks.check(actual)
    yield from network.check(actual, running)


def _as_running(configured: Settings, running: Address) -> Settings:
    """What the running server was told on its command line counts, not what this shell's environment says."""
    update: dict[str, Any] = {
        "host": running.host,
        "port": running.port,
        "tls_cert": Path(running.tls_cert) if running.tls_cert else None,
        "tls_key": Path(running.tls_key) if running.tls_key else None,
        "rtc_tcp": running.rtc_tcp,
        "metrics_host": running.metrics_host,
        "metrics_port": running.metrics_port,
        "media_processes": running.media_processes,
        "livekit_public_url": running.livekit_public_url,
        "webhook_allow_private": running.webhook_allow_private,
    }
    if running.livekit_port is not None and running.rtc_port is not None:
        update |= {"livekit_port": running.livekit_port, "rtc_port": running.rtc_port, "livekit_url": ""}
    return configured.model_copy(update=update)
