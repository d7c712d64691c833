"""`meet users`."""

from __future__ import annotations

import secrets
import sys
from typing import TYPE_CHECKING

import click

from meet.cli.connection import Session, operator, yes_option
from meet.cli.output import (
    EXIT_USAGE,
    confirm,
    fail,
    limit_option,
    moment,
    note,
    page_size,
    print_answer,
    print_bulk,
    print_list,
)

if TYPE_CHECKING:
    from meet.client import User

_ROLE = click.Choice(["admin", "room_manager", "room_member"])

password_option = click.option(
    "--password-stdin", is_flag=True, help="Read the password from standard input instead of generating one."
)


@click.group()
def users() -> None:
    """Users: list, show, create, set-role, reset-password, delete."""


def _facts(user: User) -> list[tuple[str, str]]:
    return [
        ("user", user.user_id),
        ("name", user.name),
        ("role", user.role),
        ("registered", moment(user.registration_date)),
    ]


def read_password(from_stdin: bool) -> str:
    """A generated one, or what is typed or piped in; never an argument, which other users of the machine could read."""
    if not from_stdin:
        return secrets.token_urlsafe(12)
    if sys.stdin.isatty():
        typed: str = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
        return typed
    password = sys.stdin.readline().rstrip("\r\n")
    if not password:
        fail("there is no password on standard input", EXIT_USAGE)
    return password


def _hand_over(password: str, *, generated: bool) -> None:
    if generated:
        note(f"first password: {password} (another has to be chosen at the first login)")


def _row(user: User) -> tuple[str, ...]:
    return (user.user_id, user.name, user.role, moment(user.registration_date))


@users.command("list")
@click.option("--name", help="Only users whose name contains this.")
@click.option("--role", type=_ROLE)
@limit_option
@operator()
def list_users(session: Session, name: str | None, role: str | None, limit: int) -> None:
    """List users, newest first."""
    found = session.client.users.iterate(
        name=name,
        name_match_mode="partial" if name else None,
        name_case_insensitive=True if name else None,
        role=role,
        max_items=page_size(limit),
    )
    columns = ("USER", "NAME", "ROLE", "REGISTERED")
    print_list(found, columns, _row, limit=limit, as_json=session.as_json, empty="no users")


@users.command()
@click.argument("user_id")
@operator()
def show(session: Session, user_id: str) -> None:
    """Show a user."""
    user = session.client.users.get(user_id)
    print_answer(user, _facts(user), as_json=session.as_json)


@users.command()
@click.argument("user_id")
@click.option("--name", help="Shown to others; default: the user id.")
@click.option("--role", type=_ROLE, default="room_member", show_default=True)
@password_option
@operator()
def create(session: Session, user_id: str, name: str | None, role: str, password_stdin: bool) -> None:
    """Create a user with a generated password for the first login, printed on stderr."""
    password = read_password(password_stdin)
    user = session.client.users.create(user_id, name=name or user_id, role=role, password=password)
    print_answer(user, _facts(user), as_json=session.as_json)
    _hand_over(password, generated=not password_stdin)


@users.command("set-role")
@click.argument("user_id")
@click.argument("role", type=_ROLE)
@operator()
def set_role(session: Session, user_id: str, role: str) -> None:
    """Change what a user may do. Rooms of somebody who becomes a room_member pass to the root administrator."""
    user = session.client.users.set_role(user_id, role)
    print_answer(user, _facts(user), as_json=session.as_json)


@users.command("reset-password")
@click.argument("user_id")
@password_option
@operator()
def reset_password(session: Session, user_id: str, password_stdin: bool) -> None:
    """Give a user a generated password for the next login, printed on stderr; open sessions end."""
    password = read_password(password_stdin)
    answer = session.client.users.reset_password(user_id, password)
    print_answer(answer, [("done", answer.message)], as_json=session.as_json)
    _hand_over(password, generated=not password_stdin)


@users.command()
@click.argument("user_ids", nargs=-1, required=True)
@yes_option
@operator()
def delete(session: Session, user_ids: tuple[str, ...], yes: bool) -> None:
    """Delete users; their rooms and recordings pass to the root administrator."""
    confirm(f"Delete {', '.join(user_ids)}?", yes=yes)
    result = session.client.users.delete_several(user_ids)
    done = (f"{user_id} deleted" for user_id in result.deleted)
    failed = (f"{item.user_id}: {item.error}" for item in result.failed)
    print_bulk(result, done, failed, as_json=session.as_json)
