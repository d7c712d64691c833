"""`meet rooms`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Literal, cast

import click

from meet.cli.connection import Session, operator, yes_option
from meet.cli.encoding import ENCODING
from meet.cli.members import members
from meet.cli.output import (
    confirm,
    limit_option,
    moment,
    on_off,
    page_size,
    print_answer,
    print_bulk,
    print_json,
    print_list,
)
from meet.core.model.encoding import LAYOUTS

if TYPE_CHECKING:
    from meet.client import Room

_MEETING = click.Choice(["force", "when_meeting_ends", "fail"])
_RECORDINGS = click.Choice(["force", "close", "fail"])


@click.group()
def rooms() -> None:
    """Rooms: list, show, create, close, open, delete, and their members."""


rooms.add_command(members)


def _facts(room: Room) -> list[tuple[str, str]]:
    links = room.access.anonymous
    config = room.config
    return [
        ("room", room.room_id),
        ("name", room.room_name),
        ("owner", room.owner),
        ("status", room.status),
        ("at the meeting's end", room.meeting_end_action if room.meeting_end_action != "none" else ""),
        ("created", moment(room.creation_date)),
        ("deletes itself", moment(room.auto_deletion_date)),
        ("moderators", (links.moderator.url or "") if links.moderator.enabled else "off"),
        ("speakers", (links.speaker.url or "") if links.speaker.enabled else "off"),
        ("recordings", (links.recording.url or "") if links.recording.enabled else "off"),
        ("users", (room.access.user.url or "") if room.access.user.enabled else "off"),
        ("recording", f"{config.recording.layout}, {_encoding(config.recording.encoding)}" if config else ""),
        (
            "features",
            ", ".join(
                f"{name} {on_off(switch.enabled)}"
                for name, switch in (
                    ("recording", config.recording),
                    ("chat", config.chat),
                    ("captions", config.captions),
                    ("virtual background", config.virtual_background),
                    ("end-to-end encryption", config.e2ee),
                )
            )
            if config
            else "",
        ),
    ]


def _encoding(encoding: Any) -> str:
    return encoding if isinstance(encoding, str) else f"{encoding.video.width}x{encoding.video.height}"


def _row(room: Room) -> tuple[str, ...]:
    return (room.room_id, room.room_name, room.owner, room.status, moment(room.creation_date))


@rooms.command("list")
@click.option("--name", help="Only rooms whose name contains this.")
@click.option("--owner", help="Only rooms of this user.")
@click.option("--status", type=click.Choice(["open", "active_meeting", "closed"]))
@limit_option
@operator()
def list_rooms(session: Session, name: str | None, owner: str | None, status: str | None, limit: int) -> None:
    """List rooms, newest first."""
    found = session.client.rooms.iterate(
        room_name=name,
        room_name_match_mode="partial" if name else None,
        room_name_case_insensitive=True if name else None,
        owner=owner,
        status=status,
        max_items=page_size(limit),
    )
    columns = ("ROOM", "NAME", "OWNER", "STATUS", "CREATED")
    print_list(found, columns, _row, limit=limit, as_json=session.as_json, empty="no rooms")


@rooms.command()
@click.argument("room_id")
@operator()
def show(session: Session, room_id: str) -> None:
    """Show a room with its links and settings."""
    room = session.client.rooms.get(room_id, extra_fields=["config", "roles"])
    print_answer(room, _facts(room), as_json=session.as_json)


@rooms.command()
@click.argument("name", required=False)
@click.option("--recording/--no-recording", default=None, help="Whether meetings may be recorded.")
@click.option("--layout", type=click.Choice(LAYOUTS), help="Layout of recordings.")
@click.option("--encoding", type=ENCODING, help="Of recordings: a preset, such as H264_1080P_30, or options.")
@click.option("--chat/--no-chat", default=None, help="Whether there is a chat.")
@click.option("--e2ee/--no-e2ee", default=None, help="End-to-end encryption; it switches recording off.")
@click.option("--user-access/--no-user-access", default=None, help="Whether every logged-in user may enter.")
@click.option("--delete-after", type=click.FloatRange(1.1), help="Let the room delete itself after so many hours.")
@click.option(
    "--with-meeting", type=click.Choice(["force", "when_meeting_ends"]), help="... if people are meeting then."
)
@click.option("--with-recordings", type=click.Choice(["force", "close"]), help="... if there are recordings then.")
@operator()
def create(session: Session, /, name: str | None, **options: Any) -> None:
    """Create a room and show its links."""
    recording, layout, encoding = options["recording"], options["layout"], options["encoding"]
    config: dict[str, Any] = {}
    if recording is not None or layout or encoding:
        config["recording"] = {"enabled": recording is not False}
        config["recording"].update({"layout": layout} if layout else {}, **({"encoding": encoding} if encoding else {}))
    config.update({key: {"enabled": options[key]} for key in ("chat", "e2ee") if options[key] is not None})
    hours, meeting, recordings = options["delete_after"], options["with_meeting"], options["with_recordings"]
    if hours is None and (meeting or recordings):
        raise click.UsageError("--with-meeting and --with-recordings belong to --delete-after")
    policy: Any = {"withMeeting": meeting or "when_meeting_ends", "withRecordings": recordings or "close"}
    access = options["user_access"]
    room = session.client.rooms.create(
        name,
        auto_deletion_date=int((time.time() + hours * 3600) * 1000) if hours else None,
        auto_deletion_policy=policy if hours else None,
        config=cast(Any, config or None),
        access={"user": {"enabled": access}} if access is not None else None,
        extra_fields=["config"],
    )
    print_answer(room, _facts(room), as_json=session.as_json)


@rooms.command()
@click.argument("room_ids", nargs=-1, required=True)
@click.option("--with-meeting", type=_MEETING, default="fail", show_default=True, help="If people are meeting.")
@click.option("--with-recordings", type=_RECORDINGS, default="fail", show_default=True, help="If there are recordings.")
@yes_option
@operator()
def delete(
    session: Session,
    room_ids: tuple[str, ...],
    with_meeting: Literal["force", "when_meeting_ends", "fail"],
    with_recordings: Literal["force", "close", "fail"],
    yes: bool,
) -> None:
    """Delete rooms now or when their meetings end, or close them, as the two policies say."""
    lost = " and their recordings" if with_recordings == "force" else ""
    confirm(f"Delete {', '.join(room_ids)}{lost}?", yes=yes)
    result = session.client.rooms.delete_several(room_ids, with_meeting=with_meeting, with_recordings=with_recordings)
    done = (room.message for room in result.deleted)
    failed = (f"{room.room_id}: {room.message}" for room in result.failed)
    print_bulk(result, done, failed, as_json=session.as_json)


def _set_status(session: Session, room_id: str, status: Literal["open", "closed"]) -> None:
    room = session.client.rooms.set_status(room_id, status)
    if session.as_json:
        print_json(room.to_json())
    elif status == "closed" and room.status != "closed":
        click.echo(f"{room_id} will be closed when its meeting ends")
    else:
        click.echo(f"{room_id} is {room.status}")


@rooms.command()
@click.argument("room_id")
@operator()
def close(session: Session, room_id: str) -> None:
    """Let nobody join any more; a running meeting may end first."""
    _set_status(session, room_id, "closed")


@rooms.command("open")
@click.argument("room_id")
@operator()
def open_room(session: Session, room_id: str) -> None:
    """Let people join again."""
    _set_status(session, room_id, "open")
