"""`meet recordings`."""

from __future__ import annotations

import os
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from meet.cli.connection import Session, operator, yes_option
from meet.cli.encoding import ENCODING
from meet.cli.moving import move
from meet.cli.output import (
    confirm,
    fail,
    length,
    limit_option,
    moment,
    page_size,
    print_answer,
    print_bulk,
    print_json,
    print_list,
    progress_bars,
    size,
)
from meet.core.model.encoding import LAYOUTS

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from meet.client import KnownRecording, Recording
    from meet.client.models.sharing import ShareLink

_STATUS = click.Choice(["starting", "active", "ending", "complete", "failed", "aborted", "limit_reached"])
_LAYOUT = click.Choice(LAYOUTS)


@click.group()
def recordings() -> None:
    """Recordings: list, show, start, layout, pause, resume, stop, download, share and unshare, delete, move."""


recordings.add_command(move)


def _facts(recording: Recording) -> list[tuple[str, str]]:
    return [
        ("recording", recording.recording_id),
        ("room", f"{recording.room_name} ({recording.room_id})"),
        ("status", recording.status),
        ("layout", recording.layout),
        ("encoding", recording.encoding if isinstance(recording.encoding, str) else "own options"),
        ("started", moment(recording.start_date)),
        ("ended", moment(recording.end_date)),
        ("length", length(recording.duration)),
        ("size", size(recording.size)),
        ("file", recording.filename),
        ("error", recording.error or ""),
        ("details", recording.details or ""),
    ]


def _known_facts(recording: KnownRecording) -> list[tuple[str, str]]:
    facts = [*_facts(recording), ("paused", "yes" if recording.paused else "no"), ("composed", recording.compose or "")]
    if (measured := recording.integrity) is not None:
        pictures = (measured.frames, measured.frames_repeated, measured.frames_left_out)
        losses, offset = (measured.video_gaps, measured.audio_gaps), measured.worst_offset
        facts += [
            ("sha256", measured.sha256),
            ("pictures", "{}, {} repeated, {} left out".format(*pictures) if None not in pictures else ""),
            ("losses", "{} in pictures, {} in sound".format(*losses) if None not in losses else ""),
            ("worst offset", f"{round(offset * 1000)} ms" if offset is not None else ""),
            ("pauses", f"{measured.pauses}, {length(measured.paused_duration)}" if measured.pauses else ""),
            ("cut out", f"{length(measured.absent_duration)}, no recorder was there" if measured.absences else ""),
            ("damaged", f"{size(measured.damaged_bytes)} of the journal" if measured.damaged_records else ""),
        ]
    return facts


def _row(recording: Recording) -> tuple[str, ...]:
    return (
        recording.recording_id,
        recording.room_name,
        recording.status,
        moment(recording.start_date),
        length(recording.duration),
        size(recording.size),
    )


@recordings.command("list")
@click.option("--room", help="Only recordings of this room (its id).")
@click.option("--status", type=_STATUS)
@limit_option
@operator()
def list_recordings(session: Session, room: str | None, status: str | None, limit: int) -> None:
    """List recordings, newest first."""
    found = session.client.recordings.iterate(room_id=room, status=status, max_items=page_size(limit))
    columns = ("RECORDING", "ROOM", "STATUS", "STARTED", "LENGTH", "SIZE")
    print_list(found, columns, _row, limit=limit, as_json=session.as_json, empty="no recordings")


@recordings.command()
@click.argument("recording_id")
@operator()
def show(session: Session, recording_id: str) -> None:
    """Show a recording."""
    recording = session.client.recordings.get(recording_id)
    print_answer(recording, _facts(recording), as_json=session.as_json)


@recordings.command()
@click.argument("room_id")
@click.option("--layout", type=_LAYOUT, help="Instead of the room's.")
@click.option("--encoding", type=ENCODING, help="Instead of the room's: a preset, such as H264_1080P_30, or options.")
@click.option("--compose", type=click.Choice(["live", "after"]), help="Make the file during the meeting, or after it.")
@click.option("--audio-only", is_flag=True, help="Record no picture.")
@operator()
def start(
    session: Session,
    room_id: str,
    layout: str | None,
    encoding: str | dict[str, Any] | None,
    compose: Literal["live", "after"] | None,
    audio_only: bool,
) -> None:
    """Record the meeting of a room."""
    operations = session.client.recordings
    chosen: dict[str, Any] = {"layout": layout, "encoding": encoding}
    if compose is None and not audio_only:
        recording = operations.start(room_id, **chosen)
    else:
        recording = operations.start_composed(room_id, compose, audio_only=audio_only or None, **chosen)
    print_answer(recording, _facts(recording), as_json=session.as_json)


@recordings.command()
@click.argument("recording_id")
@operator()
def pause(session: Session, recording_id: str) -> None:
    """Keep nothing of the meeting until `resume`."""
    recording = session.client.recordings.pause(recording_id)
    print_answer(recording, _known_facts(recording), as_json=session.as_json)


@recordings.command()
@click.argument("recording_id")
@click.argument("layout", type=_LAYOUT)
@operator()
def layout(session: Session, recording_id: str, layout: str) -> None:
    """Arrange the picture of a running recording differently from now on."""
    recording = session.client.recordings.set_layout(recording_id, layout)
    print_answer(recording, _known_facts(recording), as_json=session.as_json)


@recordings.command()
@click.argument("recording_id")
@operator()
def resume(session: Session, recording_id: str) -> None:
    """Go on with a paused recording, in the same file."""
    recording = session.client.recordings.resume(recording_id)
    print_answer(recording, _known_facts(recording), as_json=session.as_json)


@recordings.command()
@click.argument("recording_id")
@operator()
def inspect(session: Session, recording_id: str) -> None:
    """Show a recording with what was measured of its file."""
    recording = session.client.recordings.inspect(recording_id)
    print_answer(recording, _known_facts(recording), as_json=session.as_json)


@recordings.command()
@click.argument("recording_id")
@operator()
def stop(session: Session, recording_id: str) -> None:
    """End a recording; its file follows."""
    recording = session.client.recordings.stop(recording_id)
    print_answer(recording, _facts(recording), as_json=session.as_json)


def _advance(bars: Progress, bar: TaskID, done: int, total: int | None) -> None:
    bars.update(bar, completed=done, total=total)


@recordings.command()
@click.argument("recording_ids", nargs=-1)
@click.option("--room", help="All finished recordings of this room (its id).")
@click.option(
    "--output",
    "-o",
    type=click.Path(),
    default=".",
    help="Directory (also a new one, with a slash), or name of one file.",
)
@operator()
def download(session: Session, recording_ids: tuple[str, ...], room: str | None, output: str) -> None:
    """Fetch the files of recordings. What was interrupted goes on where it ended when the command is given again."""
    if bool(recording_ids) == bool(room):
        raise click.UsageError("name recordings, or a room with --room")
    if room:
        wanted = list(session.client.recordings.iterate(room_id=room, max_items=100))
        wanted = [recording for recording in wanted if recording.has_media]
        if not wanted:
            fail(f"{room} has no finished recordings")
    else:
        wanted = [session.client.recordings.get(recording_id) for recording_id in recording_ids]
    place = Path(output)
    into_directory = place.is_dir() or output.endswith(os.sep) or len(wanted) > 1 or bool(room)
    if into_directory:
        place.mkdir(parents=True, exist_ok=True)
    saved = []
    with progress_bars() as bars:
        for recording in wanted:
            bar = bars.add_task(recording.filename, total=recording.size)
            target = place / Path(recording.filename).name if into_directory else place
            path = session.client.recordings.download(
                recording.recording_id,
                target,
                progress=partial(_advance, bars, bar),
            )
            saved.append({"recordingId": recording.recording_id, "path": str(path), "size": path.stat().st_size})
    if session.as_json:
        print_json(saved)
    else:
        for entry in saved:
            click.echo(entry["path"])


@recordings.command()
@click.argument("recording_id")
@click.option("--private", is_flag=True, help="Only for people who log in.")
@operator()
def url(session: Session, recording_id: str, private: bool) -> None:
    """Print the address of a page that plays a recording."""
    answer = session.client.recordings.get_url(recording_id, private_access=private or None)
    if session.as_json:
        print_json(answer.to_json())
    else:
        click.echo(answer.url)


@recordings.command()
@click.argument("recording_id")
@click.option("--private", is_flag=True, help="Only for people who log in.")
@click.option("--hours", type=click.FloatRange(0, min_open=True), help="How long it works; default: until revoked.")
@operator()
def share(session: Session, recording_id: str, private: bool, hours: float | None) -> None:
    """Make a link that can be revoked, and print it.

    With --hours it expires by itself. Its address is told only here.
    """
    link = session.client.sharing.create(
        recording_id,
        private_access=private or None,
        expires_at=int((time.time() + hours * 3600) * 1000) if hours else None,
    )
    facts = [("link", link.link_id), ("expires", moment(link.expires_at)), ("url", link.url)]
    print_answer(link, facts, as_json=session.as_json)


@recordings.command()
@click.argument("recording_id")
@limit_option
@operator()
def links(session: Session, recording_id: str, limit: int) -> None:
    """List the links that `share` made."""
    found = session.client.sharing.iterate(recording_id, max_items=page_size(limit))
    columns = ("LINK", "FOR", "CREATED", "EXPIRES")
    print_list(found, columns, _link_row, limit=limit, as_json=session.as_json, empty="no links")


def _link_row(link: ShareLink) -> tuple[str, ...]:
    expires = f"{moment(link.expires_at)}{' (expired)' if link.expired else ''}"
    return (
        link.link_id,
        "people who log in" if link.private_access else "everybody",
        moment(link.creation_date),
        expires,
    )


@recordings.command()
@click.argument("recording_id")
@click.argument("link_id", required=False)
@click.option("--own", type=click.Choice(["public", "private", "all"]), help="The addresses that `url` has printed.")
@yes_option
@operator()
def unshare(
    session: Session,
    recording_id: str,
    link_id: str | None,
    own: Literal["public", "private", "all"] | None,
    yes: bool,
) -> None:
    """Revoke a link, or the own addresses.

    Links are those of `share`; with --own, those that `url` has printed stop working, and the next ones are others.
    """
    if (link_id is None) == (own is None):
        raise click.UsageError("name a link, or say --own")
    confirm("What was given away will open nothing any more. Go on?", yes=yes)
    sharing = session.client.sharing
    answer = sharing.revoke(recording_id, link_id) if link_id else sharing.revoke_urls(recording_id, own)
    print_answer(answer, [("done", answer.message)], as_json=session.as_json)


@recordings.command()
@click.argument("recording_ids", nargs=-1, required=True)
@yes_option
@operator()
def delete(session: Session, recording_ids: tuple[str, ...], yes: bool) -> None:
    """Delete recordings and their files."""
    confirm(f"Delete {', '.join(recording_ids)}?", yes=yes)
    result = session.client.recordings.delete_several(recording_ids)
    done = (f"{recording_id} deleted" for recording_id in result.deleted)
    failed = (f"{item.recording_id}: {item.error}" for item in result.failed)
    print_bulk(result, done, failed, as_json=session.as_json)
