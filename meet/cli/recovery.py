"""`meet reset-root-password`: the way back in for who has lost the first administrator's password."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import click

from meet import credentials
from meet.cli.output import EXIT_NOT_FOUND, EXIT_USAGE, fail
from meet.cli.settings import load
from meet.cli.users import password_option, read_password

_SHORTEST = 5
"""What the API asks of passwords, too."""


@click.command("reset-root-password")
@click.option("--data-dir", type=click.Path(path_type=Path), help="The server's data directory.")
@password_option
def reset(data_dir: Path | None, password_stdin: bool) -> None:
    """Give the first administrator another password, on the server's machine, while the server runs or not.

    Needs no key and no login, but to be allowed to write into the data directory. Who is logged in as that
    administrator has to log in again. A running server notices within a second."""
    from sqlalchemy.exc import SQLAlchemyError

    from meet.core.passwords import hash_password
    from meet.db.recovery import reset_password

    settings = load(data_dir=data_dir)
    database = settings.data_dir / "meet.db"
    if not database.exists():
        fail(f"no server has been started in {settings.data_dir} yet")
    password = read_password(password_stdin)
    if len(password) < _SHORTEST or password.lower() in credentials.refused(settings):
        fail(f"a password has at least {_SHORTEST} characters and is not one that everybody tries", EXIT_USAGE)
    user_id = settings.initial_admin_user
    hashed = asyncio.run(hash_password(password))
    try:
        done = reset_password(database, user_id, hashed, time.time_ns() // 1_000_000)
    except SQLAlchemyError as error:
        fail(f"{database} cannot be written: {getattr(error, 'orig', None) or type(error).__name__}")
    if not done:
        advice = "MEET_INITIAL_ADMIN_USER has to be what the server has in its environment"
        fail(f"there is no user '{user_id}' in {database}; {advice}", EXIT_NOT_FOUND)
    click.echo(f"admin login   {user_id} / {'(the given password)' if password_stdin else password}")
