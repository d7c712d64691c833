"""Opening the database: pragmas, the reader connections, the writer thread, the repositories."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from meet.core.ports import Repositories

from .accounts import SqlAccounts
from .analytics import SqlAnalytics
from .captions import SqlCaptionUsers
from .members import SqlMembers
from .migrate import upgrade
from .names import SqlNames
from .outbox import SqlOutbox
from .participant_grants import SqlParticipantGrants
from .recording_facts import SqlRecordingFacts
from .recording_places import SqlRecordingPlaces
from .recordings import SqlRecordings
from .refusals import refusal
from .rooms import SqlRooms
from .share_links import SqlShareLinks
from .text import install_regexp
from .users import SqlUsers
from .writer import Writer

T = TypeVar("T")

_OTHERS_S = 1.0

# synchronous=FULL: a commit is on the disk before it is answered. A recording row must not be forgotten by a power cut
# while its file, or the deletion of its file, is remembered by the blob store; and on a thread of its own the fsync
# stops no other request. WAL lets readers go on meanwhile.
_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA busy_timeout=5000",
    "PRAGMA foreign_keys=ON",
)


class Database:
    """One SQLite file. `open` migrates it; `close` waits for the writes under way."""

    def __init__(self, path: Path) -> None:
        # hide_parameters: error texts reach logs, and parameters hold secrets. max_overflow: every reading thread
        # keeps its connection.
        self._engine = create_engine(URL.create("sqlite", database=str(path)), hide_parameters=True, max_overflow=-1)
        event.listen(self._engine, "connect", _prepare)
        event.listen(self._engine, "begin", _begin)
        self._writer = Writer(self._engine, self._committed)
        self._readers = threading.local()
        self._opened: list[Connection] = []
        self._cache: dict[Hashable, Any] = {}
        self._credentials_touched = False
        self._writes = self._cached_at = 0

    @classmethod
    def open(cls, path: Path) -> Database:
        """Open or create the file and bring its schema up to date (blocking; call it at start-up)."""
        path.parent.mkdir(parents=True, exist_ok=True)
        database = cls(path)
        with database._engine.begin() as connection:
            upgrade(connection)
        return database

    def repositories(self) -> Repositories:
        """The implementations of the domain's repository ports."""
        return Repositories(
            rooms=SqlRooms(self),
            members=SqlMembers(self),
            recordings=SqlRecordings(self),
            recording_facts=SqlRecordingFacts(self),
            recording_places=SqlRecordingPlaces(self),
            share_links=SqlShareLinks(self),
            names=SqlNames(self),
            participants=SqlParticipantGrants(self),
            accounts=SqlAccounts(self),
            outbox=SqlOutbox(self),
            users=SqlUsers(self),
            analytics=SqlAnalytics(self),
            caption_users=SqlCaptionUsers(self),
        )

    @property
    def reader(self) -> Connection:
        """The calling thread's connection for reads, each statement seeing the latest commit. Kept open: checking one
        out of the pool would cost more than the read."""
        connection: Connection | None = getattr(self._readers, "connection", None)
        if connection is None:
            connection = self._engine.connect().execution_options(meet_reader=True)
            self._readers.connection = connection
            self._opened.append(connection)
        return connection

    def cached(self, key: Hashable, load: Callable[[], T]) -> T:
        """`load()`, remembered until the next write that does not promise to leave credentials alone.

        For what every request reads and hardly anybody writes: users and API keys. Only for immutable values. What a
        command on this machine writes (`recovery`) counts after a second."""
        if self._cached_at != self._writes or self._written_elsewhere():
            self._cache.clear()
            self._cached_at = self._writes
        if key in self._cache:
            kept: T = self._cache[key]
            return kept
        value = load()
        if value is not None:  # what is not there could be asked for under any number of names
            self._cache[key] = value
        return value

    async def write(self, work: Callable[[Connection], T], *, credentials: bool = True) -> T:
        """Run `work` in a transaction on the writer thread; an exception undoes it.

        The transaction takes the write lock before `work` reads anything, so read-modify-write is safe in it. It runs
        to its end even when the awaiting task is cancelled. Without `credentials` the work promises to change neither
        users nor API keys, so that what `cached` holds stays.

        Raises DatabaseUnavailable when the disk takes nothing."""

        def touching(connection: Connection) -> T:
            self._credentials_touched = True
            return work(connection)

        try:
            return await self._writer.run(touching if credentials else work)
        except (DBAPIError, sqlite3.Error) as error:
            if (refused := refusal(error)) is not None:
                raise refused from error
            raise

    async def settled(self) -> None:
        """Wait for the writes that were asked for before."""
        await self._writer.settled()

    def close(self) -> None:
        """Finish queued writes and close every connection."""
        self._writer.close()
        for connection in self._opened:
            connection.close()
        self._opened.clear()
        self._engine.dispose()

    def _written_elsewhere(self) -> bool:
        """Whether the file was written over another connection since this was asked, at most once a second. Our own
        writer's is one, too: then users and keys are read once more."""
        now, mine = time.monotonic(), self._readers
        if now < getattr(mine, "look_again", 0.0):
            return False
        mine.look_again = now + _OTHERS_S
        before = getattr(mine, "data_version", None)
        mine.data_version = self.reader.exec_driver_sql("PRAGMA data_version").scalar()
        return bool(mine.data_version != before)

    def _committed(self) -> None:
        """On the writer thread, before anybody is answered."""
        if self._credentials_touched:
            self._credentials_touched = False
            self._writes += 1


def _prepare(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # transactions are begun by us, below, and not guessed by the driver
    for pragma in _PRAGMAS:
        connection.execute(pragma)
    install_regexp(connection)


def _begin(connection: Connection) -> None:
    if not connection.get_execution_options().get("meet_reader"):
        connection.exec_driver_sql("BEGIN IMMEDIATE")
