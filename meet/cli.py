"""The `meet` command. Heavy imports happen inside the command that needs them, so that `--help` is instant."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import click
import setproctitle

from meet import __version__, config, credentials, logging
from meet.config import Settings
from meet.supervisor import ready


def _environment_table() -> str:
    rows = [f"  {name:<40}{text}{f' [{default}]' if default else ''}" for name, default, text in config.describe()]
    return "\b\nEnvironment (command-line options win):\n" + "\n".join(rows)


def _load(**overrides: Any) -> Settings:
    from pydantic import ValidationError

    try:
        return Settings.load(**overrides)
    except ValidationError as error:
        reasons = "; ".join(
            f"{'.'.join(map(str, issue['loc'])) or 'settings'}: {issue['msg'].removeprefix('Value error, ')}"
            for issue in error.errors(include_input=False)
        )
        ready.fail(f"the configuration is not valid: {reasons}")


def _child(name: str) -> Settings:
    """What every process of ours does first."""
    setproctitle.setproctitle(f"meet {name}")
    ready.die_with_parent()
    settings = _load()
    logging.configure(settings.log_level, settings.log_format, process=name.partition(" ")[0])
    try:
        return credentials.fill(settings)
    except (credentials.WeakCredentials, OSError) as error:
        ready.fail(str(error))


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(__version__, prog_name="meet")
def main() -> None:
    """Meetings and recordings on your own machine.

    \b
    meet serve                 start everything; prints one line with the address when ready
    meet serve --help          every option and every environment variable
    meet credentials           the API key and the administrator's login of a data directory
    meet demo                  hold a short meeting between two robots, record it, fetch the MP4

    `backend`, `media` and `recorder` are the processes that `serve` starts and watches.
    """


@main.command(epilog=_environment_table())
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
    from meet.supervisor import lock
    from meet.supervisor.run import PortInUse, StartFailed, claim_ports, supervise

    setproctitle.setproctitle("meet serve")
    settings = _load(**options)
    logging.configure(settings.log_level, settings.log_format, process="serve")
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)  # the database holds secrets
        held = lock.acquire(settings.data_dir)
        settings = claim_ports(credentials.fill(settings))
    except (lock.AlreadyRunning, credentials.WeakCredentials, PortInUse, OSError) as error:
        click.echo(f"meet: {error}", err=True)
        sys.exit(1)
    try:
        asyncio.run(supervise(settings, lambda: click.echo(_ready_line(settings, show_credentials))))
    except StartFailed as error:
        click.echo(f"meet: {error}", err=True)
        sys.exit(1)
    finally:
        held.close()


def _ready_line(settings: Settings, show_credentials: bool) -> str:
    line = f"meet is ready at {settings.backend_url}/ (data in {settings.data_dir})"
    if show_credentials:
        line += (
            f" - API key {settings.initial_api_key}"
            f" - admin login {settings.initial_admin_user} / {settings.initial_admin_password}"
        )
    return line


@main.command("credentials")
@click.option("--data-dir", type=click.Path(path_type=Path), help="The server's data directory.")
def show_credentials(data_dir: Path | None) -> None:
    """Print the API key and the first administrator's login (as set, or as generated at the first start)."""
    settings = _load(data_dir=data_dir)
    if not (settings.data_dir / "secrets.json").exists() and not settings.initial_api_key:
        click.echo(f"meet: no server has been started in {settings.data_dir} yet", err=True)
        sys.exit(1)
    settings = credentials.fill(settings)
    click.echo(f"API key       {settings.initial_api_key}")
    click.echo(f"admin login   {settings.initial_admin_user} / {settings.initial_admin_password}")
    click.echo(f"LiveKit key   {settings.livekit_api_key} / {settings.livekit_api_secret}")


@main.command()
def backend() -> None:
    """Run the HTTP backend alone (REST, pages)."""
    settings = _child("backend")
    from meet import app

    app.run(settings, on_ready=ready.notify, fail=ready.fail)


@main.command()
def media() -> None:
    """Run the embedded media server alone (signalling, media, egress control)."""
    settings = _child("media")
    from meet.media import main as media_main
    from meet.recorder.control_extension import media_extension
    from meet.tls import trust_own

    extend = media_extension(
        settings.data_dir,
        {settings.livekit_api_key: settings.livekit_api_secret},
        f"{settings.backend_url}/livekit/webhook",
        tls=trust_own(settings.tls_cert) if settings.tls_cert else None,
    )
    media_main.run(settings, extend=extend, on_ready=ready.notify)


@main.command()
@click.argument("egress_id", required=False)
@click.option("--standby", is_flag=True, help="Import everything, then wait for an egress id on standard input.")
def recorder(egress_id: str | None, standby: bool) -> None:
    """Run the recorder of one recording from its spool directory until the file is in storage."""
    settings = _child("recorder")
    from meet.recorder import main as recorder_main

    if standby:
        setproctitle.setproctitle("meet recorder (standby)")
        ready.notify()
        egress_id = sys.stdin.readline().strip()
        if not egress_id:
            return
    if not egress_id:
        raise click.UsageError("an egress id is needed")
    setproctitle.setproctitle(f"meet recorder {egress_id}")
    ready.notify()
    # No atexit work: native threads of the codecs may still run, and everything that counts is already fsynced.
    code = recorder_main.run(settings, egress_id)
    sys.stderr.flush()
    os._exit(code)


@main.command()
@click.option("--seconds", default=10, show_default=True, help="Length of the recording.")
@click.option("--output", type=click.Path(path_type=Path), default=Path("demo-output"), show_default=True)
@click.option("--keep-data", is_flag=True, help="Keep the server's data directory below the output directory.")
def demo(seconds: int, output: Path, keep_data: bool) -> None:
    """Two robots meet for a few seconds and are recorded; prints what came out.

    Needs the `livekit` Python SDK (`pip install livekit`; `make demo` has it).
    """
    from meet import demo as demo_module

    sys.exit(demo_module.run(seconds=seconds, output=output, keep_data=keep_data))
