"""Opening the database: pragmas, the reader connections, the writer thread, the repositories."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Select, create_engine, event
from sqlalchemy.engine import URL

from meet.core.ports import Repositories

from .accounts import SqlAccounts
from .analytics import SqlAnalytics
from .members import SqlMembers
from .migrate import upgrade
from .names import SqlNames
from .outbox import SqlOutbox
from .participant_grants import SqlParticipantGrants
from .recordings import SqlRecordings
from .rooms import SqlRooms
from .text import install_regexp
from .users import SqlUsers

T = TypeVar("T")

# synchronous=FULL: a commit is on the disk before it is answered. A recording row must not be forgotten by a power cut
# while its file, or the deletion of its file, is remembered by the blob store; and with few, small transactions on
# their own thread the fsync costs no request any time. WAL lets readers go on meanwhile.
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
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="meet-db-writer")
        self._readers = threading.local()
        self._opened: list[Connection] = []
        self._texts: dict[Select[Any], str] = {}
        self._cache: dict[Hashable, Any] = {}
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
            names=SqlNames(self),
            participants=SqlParticipantGrants(self),
            accounts=SqlAccounts(self),
            outbox=SqlOutbox(self),
            users=SqlUsers(self),
            analytics=SqlAnalytics(self),
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

    def point(self, statement: Select[Any], value: str) -> tuple[Any, ...] | None:
        """The one row of a SELECT with one parameter, through the driver: for the reads that every request makes.

        SQLAlchemy writes the statement, once; its execution machinery costs several times what SQLite does, so only
        columns without result processing may be read this way."""
        text = self._texts.get(statement)
        if text is None:
            text = self._texts[statement] = str(statement.compile(self._engine))
        driver: Any = self.reader.connection.driver_connection
        row: tuple[Any, ...] | None = driver.execute(text, (value,)).fetchone()
        return row

    def cached(self, key: Hashable, load: Callable[[], T]) -> T:
        """`load()`, remembered until the next write to this database, whatever it changed.

        For what every request reads and hardly anybody writes: credentials. Only for immutable values. The data
        directory belongs to one backend process (it is locked), so no other process writes behind this one's back."""
        if self._cached_at != self._writes:
            self._cache.clear()
            self._cached_at = self._writes
        if key in self._cache:
            kept: T = self._cache[key]
            return kept
        value = load()
        if value is not None:  # what is not there could be asked for under any number of names
            self._cache[key] = value
        return value

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a transaction of its own on the writer thread; an exception rolls it back.

        The transaction takes the write lock before `work` reads anything, so read-modify-write is safe in it. It runs
        to its end even when the awaiting task is cancelled."""
        return await asyncio.get_running_loop().run_in_executor(self._writer, self._transact, work)

    def close(self) -> None:
        """Finish queued writes and close every connection."""
        self._writer.shutdown(wait=True)
        for connection in self._opened:
            connection.close()
        self._opened.clear()
        self._engine.dispose()

    def _transact(self, work: Callable[[Connection], T]) -> T:
        try:
            with self._engine.begin() as connection:
                return work(connection)
        finally:
            self._writes += 1


def _prepare(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # transactions are begun by us, below, and not guessed by the driver
    for pragma in _PRAGMAS:
        connection.execute(pragma)
    install_regexp(connection)


def _begin(connection: Connection) -> None:
    if not connection.get_execution_options().get("meet_reader"):
        connection.exec_driver_sql("BEGIN IMMEDIATE")
