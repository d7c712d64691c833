"""`meet recordings move`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from meet.cli import settings as reading
from meet.cli.connection import yes_option
from meet.cli.output import EXIT_FAILED, confirm, fail, note, print_json, print_table, progress_bars, size

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from meet.config import Settings
    from meet.stores.moving import Load, Mover

_UNKNOWN = "unknown"


@dataclass
class _Result:
    """What became of the recordings."""

    store: str
    done: dict[str, int] = field(default_factory=dict)
    removed: int = 0
    stopped: str = ""
    failed: list[tuple[str, str]] = field(default_factory=list)

    def count(self, outcome: str) -> None:
        self.done[outcome] = self.done.get(outcome, 0) + 1


@click.command()
@click.option("--from", "source", metavar="STORE", help="Only recordings of this store, as --dry-run names it.")
@click.option("--remove", is_flag=True, help="Remove the old copies, also those that earlier calls have left.")
@click.option(
    "--forget", metavar="STORE", help="This store is gone: take what is here already, and give up what is nowhere."
)
@click.option("--dry-run", is_flag=True, help="Say how much there is to move, and where.")
@click.option("--data-dir", type=click.Path(path_type=Path), help="The data directory of the server.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
@yes_option
def move(
    source: str | None,
    remove: bool,
    forget: str | None,
    dry_run: bool,
    data_dir: Path | None,
    as_json: bool,
    yes: bool,
) -> None:
    """Bring recordings that are in a former store into the configured one. The server may run meanwhile.

    To be given on the server's machine, with its environment. Size and SHA-256 are compared; then the entry is changed,
    and old copies stay until --remove. What is interrupted goes on when the command is given again.
    """
    if forget and (source or remove):
        raise click.UsageError("--forget goes with neither --from nor --remove")
    from meet import logging

    settings = reading.load(data_dir=data_dir)
    logging.configure("warning", settings.log_format, process="move")
    _check_server(settings)
    if forget and not dry_run:
        confirm(f"Recordings that are only in {forget} will have no file any more. Go on?", yes=yes)
    try:
        result = asyncio.run(
            _run(settings, forget or source, remove=remove, forget=forget is not None, dry_run=dry_run, as_json=as_json)
        )
    except KeyboardInterrupt:
        fail("interrupted; give the command again to go on")
    if result is not None:
        _report(result, as_json)


def _check_server(settings: Settings) -> None:
    """End, if these settings are not those of the server: it would be moved to where it does not look."""
    import storage
    from meet.supervisor import address

    if not (settings.data_dir / "meet.db").exists():
        fail(f"there is no server in {settings.data_dir}; name its --data-dir")
    running = address.read(settings.data_dir)
    if running is not None and running.store and running.store != storage.name(settings):
        fail(
            f"the server stores recordings in {running.store}, and here {storage.name(settings)} is configured:"
            " give this command the server's environment"
        )


async def _run(
    settings: Settings, source: str | None, *, remove: bool, forget: bool, dry_run: bool, as_json: bool
) -> _Result | None:
    """None: it was only looked."""
    from meet.stores.moving import AlreadyMoving

    async with _mover(settings) as mover:
        sources = [each for each in await mover.sources() if source in (None, each or _UNKNOWN)]
        loads = await mover.load(sources)
        if dry_run:
            _show(mover, loads, as_json)
            return None
        try:
            with mover.working():
                return await _move_all(mover, loads, remove=remove, forget=source if forget else None)
        except AlreadyMoving:
            fail("another `meet recordings move` is at it")


@asynccontextmanager
async def _mover(settings: Settings) -> AsyncIterator[Mover]:
    """On the server's database and stores; what keeps them from being used ends the process."""
    from sqlalchemy.exc import SQLAlchemyError

    from meet.db import Database
    from meet.stores.moving import Mover
    from storage import StorageError, Stores

    try:
        stores = Stores.of(settings)
    except StorageError as error:
        fail(str(error))
    database = Database(settings.data_dir / "meet.db")
    data = database.repositories()
    try:
        yield Mover(
            stores,
            data.recordings,
            data.recording_places,
            scratch=settings.data_dir / "moving",
            prefix=settings.s3_subbucket,
            reserve=settings.recording_min_free_bytes,
        )
    except SQLAlchemyError as error:
        reason = getattr(error, "orig", None) or error
        fail(f"the database cannot be used: {reason}; start the server with this version of meet once")
    finally:
        await stores.close()
        database.close()


async def _move_all(mover: Mover, loads: dict[str | None, Load], *, remove: bool, forget: str | None) -> _Result:
    """One after the other. A recording that cannot be moved is reported; a store that does not answer is the end, and
    so is a database that takes nothing."""
    from meet.core.errors import MeetError
    from meet.stores.copying import NotCopied
    from storage import StorageError

    result, done = _Result(mover.target), 0
    with progress_bars() as bars:
        bar = bars.add_task("recordings", total=sum(load.size for load in loads.values()))
        try:
            async for recording in mover.pending(list(loads)):
                reached = partial(_advance, bars, bar, done, recording.size or 0)
                try:
                    if forget is not None:
                        outcome = await mover.forget(recording)
                    else:
                        outcome = await mover.move(recording, remove=remove, reached=reached)
                    result.count(outcome)
                except NotCopied as error:
                    result.failed.append((recording.recording_id, str(error)))
                done += recording.size or 0
                bars.update(bar, completed=done)
            if remove:
                async for recording in mover.copies():
                    try:
                        result.removed += await mover.remove_copies(recording)
                    except NotCopied as error:
                        result.failed.append((recording.recording_id, str(error)))
            if forget is not None and (forgotten := await mover.forget_copies(forget)):
                result.done["old copies given up"] = forgotten
        except (StorageError, MeetError, OSError) as error:
            result.stopped = str(error)
    return result


def _advance(bars: Progress, bar: TaskID, before: int, whole: int, done: float) -> None:
    bars.update(bar, completed=before + round(done * whole))


def _show(mover: Mover, loads: dict[str | None, Load], as_json: bool) -> None:
    if as_json:
        stores = [
            {"store": store, "recordings": load.count, "size": load.size, "configured": mover.reaches(store)}
            for store, load in loads.items()
        ]
        print_json({"to": mover.target, "from": stores})
        return
    note(f"to {mover.target}:")
    rows = [
        (store or _UNKNOWN, str(load.count), size(load.size), "yes" if mover.reaches(store) else "no")
        for store, load in loads.items()
    ]
    print_table(("FROM", "RECORDINGS", "SIZE", "CONFIGURED"), rows, empty="nothing is to be moved")


def _report(result: _Result, as_json: bool) -> None:
    if as_json:
        failed = [{"recordingId": recording_id, "error": error} for recording_id, error in result.failed]
        document = {"to": result.store, **result.done, "copiesRemoved": result.removed, "failed": failed}
        print_json(document | ({"stopped": result.stopped} if result.stopped else {}))
    else:
        for outcome, count in result.done.items():
            click.echo(f"{count} {outcome}")
        if result.removed:
            click.echo(f"{result.removed} old copies removed")
        if not result.done and not result.removed and not result.failed:
            note("nothing was to be done")
        for recording_id, error in result.failed:
            note(f"{recording_id}: {error}")
    if result.stopped:
        fail(f"stopped: {result.stopped}")
    if result.failed:
        raise SystemExit(EXIT_FAILED)
