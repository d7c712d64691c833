"""`meet serve`."""

from __future__ import annotations

import asyncio
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import click
import setproctitle

from meet import config, credentials, logging
from meet.cli.settings import load
from meet.cli.stored import Stored
from meet.config import Settings


def _environment_table() -> str:
    rows = [f"  {name:<40}{text}{f' [{default}]' if default else ''}" for name, default, text in config.describe()]
    return "\b\nEnvironment (command-line options win):\n" + "\n".join(rows)


@click.command(epilog=_environment_table())
@click.option("--host", help="Address to listen on.")
@click.option("--port", type=int, help="HTTP port; 0 picks a free one.")
@click.option("--data-dir", type=click.Path(path_type=Path), help="Database, recordings, spool and keys.")
@click.option("--livekit-port", type=int, help="Signalling port of the embedded media server.")
@click.option("--rtc-port", type=int, help="UDP port of all media.")
@click.option(
    "--tls-cert", type=click.Path(path_type=Path, exists=True), help="Certificate chain: serve HTTPS and WSS."
)
@click.option("--tls-key", type=click.Path(path_type=Path, exists=True), help="Its private key.")
@click.option("--log-level", type=click.Choice(["debug", "info", "warning", "error"]))
@click.option("--log-format", type=click.Choice(["text", "json"]))
@click.option("--show-credentials", is_flag=True, help="Add the API key and the admin login to the ready line.")
def serve(show_credentials: bool, **options: Any) -> None:
    """Start the backend, the media server and the recorders, and keep them alive.

    With no options at all it listens on 127.0.0.1:6080 and keeps everything below ./data.
    """
    from meet.supervisor import address, lock
    from meet.supervisor.run import PortInUse, StartFailed, claim_ports, supervise

    setproctitle.setproctitle("meet serve")
    settings = load(**options)
    logging.configure(settings.log_level, settings.log_format, process="serve")
    os.umask(0o077)  # the database holds secrets, and the directory may have been there before
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        held = lock.acquire(settings.data_dir)
        settings = claim_ports(credentials.fill(settings))
    except (lock.AlreadyRunning, credentials.WeakCredentials, PortInUse, OSError) as error:
        of_data = isinstance(error, OSError) and error.filename is not None
        where = f"the data directory {settings.data_dir} cannot be used: " if of_data else ""
        click.echo(f"meet: {where}{error}", err=True)
        sys.exit(1)

    def on_ready() -> None:
        try:
            address.publish(settings, os.getpid())
        except OSError as error:  # meetings do not need it
            click.echo(f"meet: commands on this machine will not find this server: {error}", err=True)
        click.echo(_ready_line(settings, show_credentials))

    try:
        asyncio.run(supervise(settings, on_ready))
    except StartFailed as error:
        click.echo(f"meet: {error}", err=True)
        sys.exit(1)
    finally:
        held.close()


def _ready_line(settings: Settings, show_credentials: bool) -> str:
    line = f"meet is ready at {settings.backend_url}/ (data in {settings.data_dir})"
    if settings.livekit_public_url:
        line += f" - clients are told {settings.livekit_public_url}"
    if show_credentials:
        stored = Stored(settings)
        with ThreadPoolExecutor(1) as thread:  # checks a password, in an event loop of its own
            password = thread.submit(lambda: stored.admin_password).result()
        line += f" - API key {stored.api_key or '(none)'} - admin login {stored.admin_user} / {password or '(changed)'}"
    return line
