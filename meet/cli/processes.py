"""The processes that `meet serve` starts and watches; each can be run by hand as well."""

from __future__ import annotations

import os
import sys

import click
import setproctitle

from meet import credentials, logging
from meet.cli.settings import load
from meet.config import Settings
from meet.supervisor import ready


def _child(name: str) -> Settings:
    """What every process of ours does first."""
    setproctitle.setproctitle(f"meet {name}")
    ready.die_with_parent()
    settings = load()
    logging.configure(settings.log_level, settings.log_format, process=name.partition(" ")[0])
    try:
        return credentials.fill(settings)
    except (credentials.WeakCredentials, OSError) as error:
        ready.fail(str(error))


@click.command()
def backend() -> None:
    """Run the HTTP backend alone (REST, pages)."""
    settings = _child("backend")
    from meet import app

    app.run(settings, on_ready=ready.notify, fail=ready.fail)


@click.command()
def media() -> None:
    """Run the embedded media server alone (signalling, media, egress control)."""
    settings = _child("media")
    from meet.media import main as media_main
    from meet.recorder.control_admission import Admission
    from meet.recorder.control_extension import media_extension
    from meet.tls import trust_own

    extend = media_extension(
        settings.data_dir,
        {settings.livekit_api_key: settings.livekit_api_secret},
        f"{settings.backend_url}/livekit/webhook",
        tls=trust_own(settings.tls_cert) if settings.tls_cert else None,
        admission=Admission(
            settings.data_dir / "spool",
            min_free_bytes=settings.recording_min_free_bytes,
            max_spool_bytes=settings.recording_max_spool_bytes,
            max_cpu=settings.recording_max_cpu,
        ),
    )
    media_main.run(settings, extend=extend, on_ready=ready.notify)


@click.command()
@click.argument("egress_id", required=False)
@click.option("--standby", is_flag=True, help="Import everything, then wait for an egress id on standard input.")
def recorder(egress_id: str | None, standby: bool) -> None:
    """Run the recorder of one recording from its spool directory until the file is in storage."""
    settings = _child("recorder")
    from meet.recorder import main as recorder_main

    if standby:
        setproctitle.setproctitle("meet recorder (standby)")
        ready.notify(will_beat=True)
        egress_id = sys.stdin.readline().strip()
        if not egress_id:
            return
    if not egress_id:
        raise click.UsageError("an egress id is needed")
    setproctitle.setproctitle(f"meet recorder {egress_id}")
    ready.notify(will_beat=True)
    # No atexit work: native threads of the codecs may still run, and everything that counts is already fsynced.
    code = recorder_main.run(settings, egress_id, beat=ready.beat)
    sys.stderr.flush()
    os._exit(code)
