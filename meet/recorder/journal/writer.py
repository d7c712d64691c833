"""Appending to a journal from the event loop without ever waiting for the disk there."""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from meet.recorder import durable
from meet.recorder.journal.backlog import Backlog
from meet.recorder.journal.context import Teller
from meet.recorder.journal.records import MAGIC, Frame, Record, encode
from meet.recorder.journal.summary import Summary, summarize, summary_path

SEGMENT_BYTES: Final = 64 << 20
SYNC_INTERVAL_S: Final = 0.5
_BATCH_S: Final = 0.05
_BATCH_BYTES: Final = 4 << 20
"""What has waited for a disk is not copied all at once."""
WAITING_S: Final = 2.0
"""A turn of the writer takes half a second of waiting for records, and what the disk needs."""


class _Queued(NamedTuple):
    """data: the encoded record. record: None for a frame, whose payload need not be in memory twice."""

    data: bytes
    record: Record | None
    at: int
    payload_bytes: int


class JournalWriter:
    """One writing session. Beginning and `append` never block; a thread opens the next segment, writes in order and
    fsyncs at least every half second.

    on_written: called on the writer's thread after every batch that readers can see. on_error: called once, on that
    thread, with the OSError that ended the writing, or kept it from beginning. summary: of what the directory holds
    already, where known. on_relief: called inside of `append` when a disk is back for which media had to be let go of
    (see `backlog`). prepare: called on the writer's thread when the folder is there, before anything is written.
    on_broken: called on that thread with whatever else has ended it: nothing is written any more, so the process should
    end at once; one that follows goes on behind what is there.
    """

    def __init__(
        self,
        directory: Path,
        on_written: Callable[[], None],
        on_error: Callable[[OSError], None],
        summary: Summary | None = None,
        on_relief: Callable[[], None] = lambda: None,
        prepare: Callable[[], None] = lambda: None,
        on_broken: Callable[[BaseException], None] | None = None,
    ) -> None:
        self._directory = directory
        self._past = summary.copy() if summary is not None else None
        self._summary, self._teller = Summary(), Teller()
        self._on_written = on_written
        self._on_error = on_error
        self._prepare, self._on_broken = prepare, on_broken
        self._queue: queue.SimpleQueue[_Queued | None] = queue.SimpleQueue()
        self._backlog = Backlog(on_relief)
        self._number = 0
        self._fd = -1
        self._size = 0
        self._failed = False
        self._turn_at = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> bool:
        """The disk has not taken anything for seconds: what is queued is in this process's memory only."""
        return self._thread.is_alive() and time.monotonic() - self._turn_at > WAITING_S

    def append(self, record: Record) -> None:
        """Queue one record; dropped once writing has failed. Media is let go of when too much is queued."""
        if self._failed or (admitted := self._backlog.admit(record)) is None:
            return
        data = encode(admitted)
        self._backlog.added(len(data))
        if isinstance(admitted, Frame):
            self._queue.put(_Queued(data, None, admitted.at, len(admitted.payload)))
        else:
            self._queue.put(_Queued(data, admitted, admitted.at, 0))

    def close(self) -> None:
        """Write and fsync what is queued; returns when it is on disk."""
        self._queue.put(None)
        self._thread.join()

    def _open_first(self) -> None:
        if not self._directory.is_dir():
            durable.make_folder(self._directory)
        self._prepare()
        self._summary = self._past if self._past is not None else summarize(self._directory)
        self._teller = Teller(self._summary.begin_at, self._summary.paused_at)
        self._number = max((int(path.stem) for path in self._directory.glob("*.seg")), default=0)
        self._open_next()
        self._on_written()

    def _open_next(self) -> None:
        if self._fd >= 0:
            os.fsync(self._fd)
            os.close(self._fd)
            self._fd = -1  # if the disk is full now, there is nothing left to close
            durable.replace(summary_path(self._path()), self._summary.dump())
        self._number += 1
        path = self._path()
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        _write_all(self._fd, MAGIC)
        self._size = len(MAGIC)  # what is said again in every segment does not fill it
        if again := self._teller.all():
            _write_all(self._fd, again)
        durable.sync_folder(self._directory)

    def _path(self) -> Path:
        return self._directory / f"{self._number:06}.seg"

    def _run(self) -> None:
        dirty = False
        closing = False
        try:
            self._open_first()
            synced = time.monotonic()
            while not closing:
                self._turn_at = time.monotonic()
                try:
                    first = self._queue.get(timeout=SYNC_INTERVAL_S)
                    # A short pause turns the packets of one burst into one write.
                    if first is not None:
                        time.sleep(_BATCH_S)
                    batch, size = [first], 0
                    while not self._queue.empty() and size < _BATCH_BYTES:
                        following = self._queue.get_nowait()
                        batch.append(following)
                        size += len(following.data) if following is not None else 0
                except queue.Empty:
                    batch = []
                closing = None in batch
                data = b"".join(item.data for item in batch if item is not None)
                again = self._teller.due()
                if data or again:
                    _write_all(self._fd, again + data if again else data)
                    self._size += len(data) + len(again)
                    self._count(batch)
                    self._backlog.taken(len(data))
                    dirty = True
                    self._on_written()
                if dirty and (closing or time.monotonic() - synced >= SYNC_INTERVAL_S):
                    os.fdatasync(self._fd)
                    synced, dirty = time.monotonic(), False
                if self._size >= SEGMENT_BYTES and not closing:
                    self._open_next()
        except OSError as error:
            self._failed = True
            self._on_error(error)
        except BaseException as error:
            self._failed = True
            if self._on_broken is None:
                raise
            self._on_broken(error)
        finally:
            if self._fd >= 0:
                os.close(self._fd)
            self._on_written()

    def _count(self, batch: list[_Queued | None]) -> None:
        for item in batch:
            if item is not None and item.record is None:
                self._summary.frame(item.at, item.payload_bytes)
            elif item is not None and item.record is not None:
                self._summary.take(item.record)
                self._teller.take(item.record)


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
