"""`meet rooms members`."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

import click

from meet.cli.connection import Session, operator, yes_option
from meet.cli.output import confirm, fail, moment, print_answer, print_bulk, print_json, print_table
from meet.core.permission_names import NAMES

if TYPE_CHECKING:
    from meet.client import Member

_ROLE = click.Choice(["moderator", "speaker"])
_PERMISSION = "Permission by its API name, such as canRecord; may be repeated."


@click.group()
def members() -> None:
    """Members of a room: list, add, set, remove."""


def _facts(member: Member) -> list[tuple[str, str]]:
    custom = member.custom_permissions.to_json() if member.custom_permissions else {}
    return [
        ("member", member.member_id),
        ("name", member.name),
        ("type", member.type),
        ("role", member.base_role),
        ("own permissions", ", ".join(f"{'+' if value else '-'}{name}" for name, value in custom.items())),
        ("link", member.access_url),
        ("member since", moment(member.membership_date)),
    ]


def _known(_context: click.Context, _parameter: click.Parameter, names: tuple[str, ...]) -> tuple[str, ...]:
    """The API leaves out what it does not know, so a name with a slip would grant nothing without a word."""
    known = {name for old, new in NAMES.items() for name in (old, *new)}
    for name in names:
        if name not in known:
            close = get_close_matches(name, known, 1)
            raise click.BadParameter(
                f"there is no permission {name!r}" + (f"; did you mean {close[0]}?" if close else "")
            )
    return names


def _permissions(allow: tuple[str, ...], deny: tuple[str, ...]) -> dict[str, bool] | None:
    given = {**dict.fromkeys(allow, True), **dict.fromkeys(deny, False)}
    return given or None


def _shown(session: Session, member: Member, asked: dict[str, bool] | None) -> None:
    """The member. A server of the other dialect (`MEET_MODE`) leaves out names that exist, which is an error, too."""
    print_answer(member, _facts(member), as_json=session.as_json)
    granted = member.custom_permissions.to_json() if member.custom_permissions else {}
    if missing := [name for name in asked or {} if name not in granted]:
        fail(f"this server does not know {', '.join(missing)}: the other names of the same permissions may work")


@members.command("list")
@click.argument("room_id")
@operator()
def list_members(session: Session, room_id: str) -> None:
    """List the members of a room, newest first. The links of guests are secrets."""
    found = list(session.client.members.iterate(room_id, max_items=100))
    if session.as_json:
        print_json([member.to_json() for member in found])
        return
    rows = ((member.member_id, member.name, member.type, member.base_role, member.access_url) for member in found)
    print_table(("MEMBER", "NAME", "TYPE", "ROLE", "LINK"), rows, empty="no members")


@members.command()
@click.argument("room_id")
@click.option("--user", help="A registered user.")
@click.option("--guest", help="The name of a guest, who gets a link.")
@click.option("--role", type=_ROLE, default="speaker", show_default=True)
@click.option("--allow", multiple=True, callback=_known, help=_PERMISSION)
@click.option("--deny", multiple=True, callback=_known, help=_PERMISSION)
@operator()
def add(
    session: Session,
    room_id: str,
    user: str | None,
    guest: str | None,
    role: str,
    allow: tuple[str, ...],
    deny: tuple[str, ...],
) -> None:
    """Add a user or a guest to a room and show the link."""
    if (user is None) == (guest is None):
        raise click.UsageError("name one of --user and --guest")
    asked = _permissions(allow, deny)
    member = session.client.members.create(room_id, user_id=user, name=guest, base_role=role, custom_permissions=asked)
    _shown(session, member, asked)


@members.command("set")
@click.argument("room_id")
@click.argument("member_id")
@click.option("--role", type=_ROLE)
@click.option("--allow", multiple=True, callback=_known, help=_PERMISSION)
@click.option("--deny", multiple=True, callback=_known, help=_PERMISSION)
@click.option("--reset", is_flag=True, help="Take back all permissions of their own.")
@operator()
def set_member(
    session: Session,
    room_id: str,
    member_id: str,
    role: str | None,
    allow: tuple[str, ...],
    deny: tuple[str, ...],
    reset: bool,
) -> None:
    """Change the role or the permissions of a member; permissions replace the former ones."""
    permissions = _permissions(allow, deny)
    if role is None and permissions is None and not reset:
        raise click.UsageError("nothing to change: give --role, --allow, --deny or --reset")
    member = session.client.members.update(
        room_id, member_id, base_role=role, custom_permissions=permissions if permissions or not reset else {}
    )
    _shown(session, member, permissions)


@members.command()
@click.argument("room_id")
@click.argument("member_ids", nargs=-1, required=True)
@yes_option
@operator()
def remove(session: Session, room_id: str, member_ids: tuple[str, ...], yes: bool) -> None:
    """Remove members; who is in the meeting has to leave it."""
    confirm(f"Remove {', '.join(member_ids)} from {room_id}?", yes=yes)
    result = session.client.members.delete_several(room_id, member_ids)
    done = (f"{member_id} removed" for member_id in result.deleted)
    failed = (f"{item.member_id}: {item.error}" for item in result.failed)
    print_bulk(result, done, failed, as_json=session.as_json)
