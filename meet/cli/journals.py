"""`meet recompose` and `meet tracks`: what the journals of finished recordings can still become."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from meet.cli import settings as reading
from meet.cli.encoding import ENCODING
from meet.cli.output import console, fail
from meet.core.model.encoding import LAYOUTS

if TYPE_CHECKING:
    from meet.recorder.tracks.kept import KeptJournal


data_dir_option = click.option(
    "--data-dir", type=click.Path(path_type=Path), help="The data directory of the server that recorded."
)


@contextmanager
def _progress(kept: KeptJournal, title: str) -> Iterator[Callable[[int], None]]:
    """A bar over the journal's time; to be told the µs reached."""
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    from meet.recorder.journal.summary import summarize

    summary, terminal = summarize(kept.directory), console(stderr=True)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=terminal, disable=not terminal.is_terminal) as bars:
        task = bars.add_task(title, total=max(summary.last_at - summary.begin_at, 1))

        def reached(at: int) -> None:
            bars.update(task, completed=max(at - summary.begin_at, 0))

        yield reached
        bars.update(task, completed=summary.last_at - summary.begin_at)


def _find(data_dir: Path | None, recording: str) -> KeptJournal:
    from meet.recorder.tracks.kept import KeptJournal, NotKept

    try:
        return KeptJournal.find(reading.load(data_dir=data_dir).data_dir / "spool", recording)
    except NotKept as error:
        fail(str(error))


@click.command()
@click.argument("recording")
@click.option("--layout", type=click.Choice(LAYOUTS), help="Another layout; by default that of the recording.")
@click.option(
    "--encoding",
    type=ENCODING,
    help="Another preset, as H264_1080P_30, or options as the REST API takes them; by default that of the recording.",
)
@click.option("--audio-only", is_flag=True, help="Only the sound.")
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), help="By default <egress>.mp4 (.m4a, .webm) here."
)
@data_dir_option
def recompose(
    recording: str,
    layout: str | None,
    encoding: str | dict[str, Any] | None,
    audio_only: bool,
    output: Path | None,
    data_dir: Path | None,
) -> None:
    """Make another file of RECORDING from its journal (MEET_RECORDING_KEEP_TRACKS)."""
    import av

    from meet.api.validators import encoding as faults
    from meet.recorder.composer.profile import EncodingUnsupported
    from meet.recorder.tracks.kept import NotKept
    from meet.recorder.tracks.recompose import recompose as make

    kept = _find(data_dir, recording)
    if isinstance(encoding, dict) and (wrong := list(faults(encoding, []))):
        told = "; ".join(f"{fault.field}: {fault.message}" if fault.path else fault.message for fault in wrong)
        raise click.BadParameter(told, param_hint="--encoding")
    try:
        profile = kept.profile(encoding, audio_only=audio_only)
        target = output or Path(f"{kept.egress_id}{profile.ending}")
        if target.exists():
            fail(f"{target} is there already: remove it, or choose another --output")
        with _progress(kept, target.name) as reached:
            made = make(kept, target, layout=layout, profile=profile, on_time=reached)
    except EncodingUnsupported as error:
        raise click.BadParameter(str(error), param_hint="--encoding") from None
    except NotKept as error:
        fail(str(error))
    except (OSError, av.FFmpegError) as error:
        fail(f"the file could not be made: {error}")
    click.echo(f"{target}: {made.duration_s:.1f} s")


@click.command()
@click.argument("recording")
@click.option("--output", type=click.Path(path_type=Path, file_okay=False), help="By default a folder <egress> here.")
@data_dir_option
def tracks(recording: str, output: Path | None, data_dir: Path | None) -> None:
    """Write each track of RECORDING into a file of its own, as received, and manifest.json with their offsets."""
    import av

    from meet.recorder.tracks.export import MANIFEST, export
    from meet.recorder.tracks.recompose import read

    kept = _find(data_dir, recording)
    target = output or Path(kept.egress_id)
    if target.exists() and any(target.iterdir()):
        fail(f"{target} is not empty: remove it, or choose another --output")
    try:
        target.mkdir(parents=True, exist_ok=True)
        with _progress(kept, target.name) as reached:
            manifest = export(read(kept.directory), target, reached)
    except (OSError, av.FFmpegError) as error:
        fail(f"the tracks could not be written: {error}")
    for track in manifest["tracks"]:
        click.echo(str(target / track["file"]))
    click.echo(str(target / MANIFEST))
