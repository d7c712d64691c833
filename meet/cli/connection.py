"""Which server an operator's command talks to, and as whom.

`--url` or MEET_URL name a server; otherwise it is the one that runs in the local data directory. Keys and passwords
come from the environment, from files or from a prompt; the command line can be read by every user of a machine.
"""

from __future__ import annotations

import functools
import os
import ssl
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec

import click

from meet.cli.output import EXIT_CREDENTIALS, EXIT_FAILED, EXIT_NO_CONNECTION, EXIT_NOT_FOUND, fail

if TYPE_CHECKING:
    from meet.client import Client

P = ParamSpec("P")


@dataclass
class Session:
    """An open connection and how to print what comes over it."""

    client: Client
    as_json: bool


@dataclass(frozen=True)
class _Server:
    url: str
    api_key: str = field(repr=False)
    admin_user: str
    admin_password: str = field(repr=False)
    verify: bool | ssl.SSLContext = True


_OPTIONS = (
    click.option("--url", envvar="MEET_URL", help="The server's address; default: the one that runs here."),
    click.option(
        "--api-key-file",
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        envvar="MEET_API_KEY_FILE",
        help="File with the API key; or MEET_API_KEY in the environment.",
    ),
    click.option(
        "--data-dir",
        type=click.Path(path_type=Path),
        help="Data directory of the server that runs here (MEET_DATA_DIR).",
    ),
    click.option("--json", "as_json", is_flag=True, help="Print JSON for programs."),
)

yes_option = click.option("--yes", "-y", is_flag=True, help="Do not ask before something is lost.")


def operator(*, admin: bool = False) -> Callable[[Callable[Concatenate[Session, P], None]], Callable[..., None]]:
    """Make a function a command on a server: adds the options, connects, and turns errors into lines and exit codes.

    With `admin`, logs in first: the server takes no API key for these operations.
    """

    def decorate(function: Callable[Concatenate[Session, P], None]) -> Callable[..., None]:
        @functools.wraps(function)
        def command(
            url: str | None, api_key_file: Path | None, data_dir: Path | None, as_json: bool, *args: Any, **options: Any
        ) -> None:
            from meet.client import Client

            server = _find(url, api_key_file, data_dir, admin=admin)
            with (
                _explained(),
                Client(server.url, api_key=server.api_key or None, verify=server.verify) as client,
            ):
                if admin:
                    _log_in(client, server)
                function(Session(client, as_json), *args, **options)

        for option in reversed(_OPTIONS):
            option(command)
        return command

    return decorate


def _find(url: str | None, api_key_file: Path | None, data_dir: Path | None, *, admin: bool) -> _Server:
    key = os.environ.get("MEET_API_KEY", "")
    if api_key_file is not None:
        key = _read_key(api_key_file)
    user, password = os.environ.get("MEET_ADMIN_USER", ""), os.environ.get("MEET_ADMIN_PASSWORD", "")
    if url:
        return _Server(url, key, user or "admin", password)
    from meet.cli.settings import load
    from meet.cli.stored import NotReadable, Stored
    from meet.supervisor import address
    from meet.tls import trust_own

    settings = load(data_dir=data_dir)
    running = address.read(settings.data_dir)
    if running is None:
        fail(
            f"no server is running in {settings.data_dir}; start one with `meet serve`, or name one with --url",
            EXIT_NO_CONNECTION,
        )
    try:
        stored = Stored(settings)
        if admin and not password and user in ("", stored.admin_user):
            password = stored.admin_password
        key = key or stored.api_key
    except NotReadable as error:
        fail(str(error), EXIT_CREDENTIALS)
    verify = trust_own(Path(running.tls_cert)) if running.tls_cert else True
    return _Server(running.url, key, user or stored.admin_user, password, verify)


def _read_key(file: Path) -> str:
    try:
        key = file.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{file} holds no API key: {error}", EXIT_CREDENTIALS)
    if len(key.split()) != 1:
        fail(f"{file} holds no API key: it should be one word", EXIT_CREDENTIALS)
    return key


def _log_in(client: Client, server: _Server) -> None:
    from meet.client import NotFound

    password = server.admin_password
    if not password:
        if not sys.stdin.isatty():
            fail("this needs an administrator's login; set MEET_ADMIN_USER and MEET_ADMIN_PASSWORD", EXIT_CREDENTIALS)
        password = click.prompt(f"Password of {server.admin_user}", hide_input=True, err=True)
    try:
        tokens = client.log_in(server.admin_user, password)
    except NotFound:
        fail(f"wrong password for {server.admin_user}, or no such user", EXIT_CREDENTIALS)
    if tokens.must_change_password:
        fail(f"{server.admin_user} has to log in on the web page and choose a new password first", EXIT_CREDENTIALS)


@contextmanager
def _explained() -> Iterator[None]:
    from meet.client import AuthenticationFailed, ConnectionFailed, MeetError, NotFound, PermissionDenied

    try:
        yield
    except ConnectionFailed as error:
        fail(str(error), EXIT_NO_CONNECTION)
    except AuthenticationFailed as error:
        fail(f"the server refuses the API key or login: {error}", EXIT_CREDENTIALS)
    except PermissionDenied as error:
        fail(str(error), EXIT_CREDENTIALS)
    except NotFound as error:
        fail(str(error), EXIT_NOT_FOUND)
    except BrokenPipeError:  # `| head` has seen enough; click ends quietly
        raise
    except (MeetError, OSError, ValueError) as error:
        fail(str(error), EXIT_FAILED)
