"""The data directory: permissions, secrets, database, recordings under way."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect
from sqlalchemy.exc import SQLAlchemyError

from meet.config import Settings
from meet.db import lookup
from meet.db.migrate import alembic_config
from meet.doctor.report import Finding, fail, ok, warn
from meet.recorder import state
from meet.recorder.jsonfile import read_object
from meet.supervisor import lock
from meet.supervisor.address import Address


def check_directory(settings: Settings, running: Address | None) -> Iterator[Finding]:
    """Owner, mode, and who is using it."""
    directory = settings.data_dir
    if not directory.exists():
        parent = next(parent for parent in directory.parents if parent.exists())
        if os.access(parent, os.W_OK):
            yield ok("data directory", f"{directory} is made at the first start")
        else:
            advice = "choose another with --data-dir, or make it and give it to the user that runs the server"
            yield fail("data directory", f"{directory} cannot be made in {parent}", advice)
        return
    status = directory.stat()
    if not os.access(directory, os.R_OK | os.W_OK | os.X_OK):
        advice = f"run the server as its owner (uid {status.st_uid}), or chown it"
        yield not_writable("data directory", directory, advice)
    elif status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        yield warn("data directory", f"{directory} is open to other users", f"chmod 700 {directory}")
    else:
        yield ok("data directory", f"{directory}, for its owner only")
    secrets = directory / "secrets.json"
    if secrets.exists() and secrets.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        yield fail("secrets", f"{secrets} can be read by other users", f"chmod 600 {secrets}")
    yield from _use(settings, running)


def not_writable(check: str, directory: Path, advice: str) -> Finding:
    """advice: for a directory that is somebody else's, rather than on a file system that nobody may write to."""
    if os.statvfs(directory).f_flag & os.ST_RDONLY:
        return fail(check, f"{directory} is on a file system mounted read-only", "mount it for writing")
    return fail(check, f"{directory} is not writable for this user", advice)


def _use(settings: Settings, running: Address | None) -> Iterator[Finding]:
    holder = lock.holder(settings.data_dir)
    if running is not None:
        yield ok("server", f"runs at {running.url}/ (pid {running.pid})")
    elif holder is not None:
        advice = "look again in some seconds, at its ports, too; if it stays like this, its log says what it waits for"
        yield warn("server", f"pid {holder} is starting, and not ready yet", advice)
    else:
        yield ok("server", "does not run")
    yield from _spool(settings.data_dir / "spool", running=running is not None)


def _spool(folder: Path, *, running: bool) -> Iterator[Finding]:
    """Recordings that are not over, and leftovers that nothing will ever come of."""
    entries = [path for path in folder.glob("EG_*") if path.is_dir()]
    # What was never asked for completely is removed at the next start.
    begun = [path for path in entries if any((path / name).exists() for name in ("request.json", "state.json"))]
    broken = [path for path in begun if not _is_object(path / "request.json")]
    if broken:
        names = ", ".join(sorted(path.name for path in broken)[:3])
        advice = "restore request.json from a backup and start again, or delete the folder; its journal has the media"
        yield warn("recordings", f"{len(broken)} in the spool cannot be read ({names})", advice)
    waiting = [path for path in begun if path not in broken and not _is_over(path)]
    if waiting and not running:
        text = f"{len(waiting)} in the spool, to be finished at the next start"
        yield warn("recordings", text, "start the server; do not delete the spool")


def _is_object(path: Path) -> bool:
    try:
        return read_object(path) is not None
    except OSError:
        return False


def _is_over(entry: Path) -> bool:
    known = state.read(entry / "state.json")
    return known is not None and known.final


def check_database(settings: Settings) -> Iterator[Finding]:
    """The file opens, is consistent, and has a schema that this version knows."""
    path = settings.data_dir / "meet.db"
    if not path.exists():
        yield ok("database", "is made at the first start")
        return
    try:
        with lookup.read_only(path) as connection:
            problems = [str(row[0]) for row in connection.exec_driver_sql("PRAGMA quick_check(5)") if row[0] != "ok"]
            if problems:
                advice = f"stop the server, keep a copy of {path}, and restore it from a backup"
                yield fail("database", f"is damaged: {problems[0]}", advice)
                return
            yield _schema(path, connection)
    except (SQLAlchemyError, OSError) as error:
        reason = getattr(error, "orig", None) or error
        yield fail("database", f"{path} cannot be read: {reason}", "check its owner, and that it is the server's file")


def _schema(path: Path, connection: Connection) -> Finding:
    head = ScriptDirectory.from_config(alembic_config(connection)).get_current_head()
    known = {revision.revision for revision in ScriptDirectory.from_config(alembic_config(connection)).walk_revisions()}
    present = None
    if inspect(connection).has_table("alembic_version"):
        present = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    if present == head:
        megabytes = path.stat().st_size / 1e6
        return ok("database", f"consistent, schema {head}, {megabytes:.1f} MB")
    if present is None or present in known:
        text = f"consistent, schema {present or 'empty'}, this version of meet has {head}"
        return warn("database", text, "restart the server; it brings the schema up to date. Make a copy first")
    advice = "use the version of meet that wrote it, or a newer one"
    return fail("database", f"schema {present} is not known to this version of meet", advice)
