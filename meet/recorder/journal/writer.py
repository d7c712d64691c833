"""Appending to a journal from the event loop without ever waiting for the disk there."""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from meet.recorder import durable
from meet.recorder.journal.records import MAGIC, Record, encode
from meet.recorder.journal.summary import Summary, summarize, summary_path

SEGMENT_BYTES: Final = 64 << 20
SYNC_INTERVAL_S: Final = 0.5
_BATCH_S: Final = 0.05
WAITING_S: Final = 2.0
"""A turn of the writer takes half a second of waiting for records, and what the disk needs."""


class JournalWriter:
    """One writing session. `append` never blocks; a thread writes in order and fsyncs at least every half second.

    on_written: called on the writer's thread after every batch that readers can see. on_error: called once, on that
    thread, with the OSError that ended the writing. summary: of what the directory holds already, where known.
    """

    def __init__(
        self,
        directory: Path,
        on_written: Callable[[], None],
        on_error: Callable[[OSError], None],
        summary: Summary | None = None,
    ) -> None:
        if not directory.is_dir():
            durable.make_folder(directory)
        self._directory = directory
        self._summary = summary.copy() if summary is not None else summarize(directory)
        self._on_written = on_written
        self._on_error = on_error
        self._queue: queue.SimpleQueue[tuple[Record, bytes] | None] = queue.SimpleQueue()
        self._number = max((int(path.stem) for path in directory.glob("*.seg")), default=0)
        self._fd = -1
        self._size = 0
        self._failed = False
        self._turn_at = time.monotonic()
        self._open_next()
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> bool:
        """The disk has not taken anything for seconds: what is queued is in this process's memory only."""
        return self._thread.is_alive() and time.monotonic() - self._turn_at > WAITING_S

    def append(self, record: Record) -> None:
        """Queue one record; dropped once writing has failed."""
        if not self._failed:
            self._queue.put((record, encode(record)))

    def close(self) -> None:
        """Write and fsync what is queued; returns when it is on disk."""
        self._queue.put(None)
        self._thread.join()

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
        self._size = len(MAGIC)
        durable.sync_folder(self._directory)

    def _path(self) -> Path:
        return self._directory / f"{self._number:06}.seg"

    def _run(self) -> None:
        synced = time.monotonic()
        dirty = False
        closing = False
        try:
            while not closing:
                self._turn_at = time.monotonic()
                try:
                    first = self._queue.get(timeout=SYNC_INTERVAL_S)
                    # A short pause turns the packets of one burst into one write.
                    if first is not None:
                        time.sleep(_BATCH_S)
                    batch = [first]
                    while not self._queue.empty():
                        batch.append(self._queue.get_nowait())
                except queue.Empty:
                    batch = []
                closing = None in batch
                data = b"".join(item[1] for item in batch if item is not None)
                if data:
                    _write_all(self._fd, data)
                    self._size += len(data)
                    for item in batch:
                        if item is not None:
                            self._summary.take(item[0])
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
        finally:
            if self._fd >= 0:
                os.close(self._fd)
            self._on_written()


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
