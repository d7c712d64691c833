"""`meet credentials`."""

from __future__ import annotations

from pathlib import Path

import click

from meet.cli.output import fail
from meet.cli.settings import load


@click.command("credentials")
@click.option("--data-dir", type=click.Path(path_type=Path), help="The server's data directory.")
def show(data_dir: Path | None) -> None:
    """Print the API key, the first administrator's login and the LiveKit key: what works, not what once did."""
    from meet.cli.stored import NotReadable, Stored

    settings = load(data_dir=data_dir)
    try:
        found = Stored(settings)
        if not found.exists:
            fail(f"no server has been started in {settings.data_dir} yet")
        key = found.api_key or "(none; `meet keys create` makes one)"
        password = found.admin_password or "(changed since the first start; only its owner knows it)"
    except NotReadable as error:
        fail(str(error))
    click.echo(f"API key       {key}")
    click.echo(f"admin login   {found.admin_user} / {password}")
    livekit = f"{found.livekit_api_key} / {found.livekit_api_secret}"
    click.echo(f"LiveKit key   {livekit if found.livekit_api_secret else '(given to the server in its environment)'}")
