"""Reading a journal: live behind its writer, or finished."""

from __future__ import annotations

import errno
import os
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Final

import structlog

from meet.recorder.journal.context import Known, Mending
from meet.recorder.journal.records import Frame, Record
from meet.recorder.journal.scan import Lost, Scanner

log = structlog.get_logger(__name__)

_CHUNK: Final = 1 << 20
_BLOCK: Final = 4096
_SEGMENT = re.compile(r"^\d{6}\.seg$")


@dataclass(slots=True)
class Damage:
    """What could not be read in front of something that could: in so many places, each at least a record."""

    records: int = 0
    bytes: int = 0


def segments(directory: Path) -> list[Path]:
    """The segments of a journal in their order; none when there is no such directory."""
    if not directory.is_dir():
        return []
    return sorted(path for path in directory.iterdir() if _SEGMENT.match(path.name))


class JournalReader:
    """Iterates over the records of a journal directory, in order; every iteration begins with the first.

    `wake` is called (from any thread) when there may be more, `finish` when the writer has closed. Until `finish`, the
    iteration waits at the end of the newest segment instead of ending. What is damaged is passed over and counted in
    `damage` (of this iteration, so far); a tail that a crash tore is not counted.
    """

    def __init__(self, directory: Path, after: int = 0, known: Known | None = None) -> None:
        """after: number of a segment that is not read any more, nor any in front of it; known: what they say."""
        self._directory = directory
        self._after, self._first_known = after, known
        self.damage = Damage()
        self._newest_at = 0
        self._changed = threading.Condition()
        self._version = 0
        self._finished = False

    def wake(self) -> None:
        """More records may be there."""
        with self._changed:
            self._version += 1
            self._changed.notify_all()

    def finish(self) -> None:
        """The journal will not grow any more."""
        with self._changed:
            self._finished = True
            self._changed.notify_all()

    def __iter__(self) -> Iterator[Record]:
        number, self._newest_at, self.damage = self._after, 0, Damage()
        mending = Mending(self._first_known)
        while True:
            seen = self._version
            later = [path for path in segments(self._directory) if int(path.stem) > number]
            if later:
                before, number = number, int(later[0].stem)
                if number > before + 1:
                    log.error("journal_segment_missing", segment=before + 1)
                    self.damage.records += 1
                    yield from mending.take(Lost(0, None))
                with later[0].open("rb", buffering=0) as file:
                    yield from self._segment(file, number, mending)
            elif self._wait(seen):
                return

    def _is_newest(self, number: int) -> bool:
        found = segments(self._directory)
        return not found or int(found[-1].stem) <= number

    def _wait(self, seen: int) -> bool:
        """Wait for a change after version `seen`; True when there will be none."""
        with self._changed:
            if self._finished:
                return True
            if seen == self._version:
                self._changed.wait(0.5)
            return False

    def _segment(self, file: IO[bytes], number: int, mending: Mending) -> Iterator[Record]:
        scanner, before = Scanner(self._newest_at), replace(self.damage)
        while True:
            seen = self._version
            finished = self._finished
            last = finished or not self._is_newest(number)
            data = _read(file)
            if data:
                found = scanner.feed(data)
            elif last:
                # `last` was read before this empty read, so nothing can have been appended in between.
                found = scanner.end(complete=_summarized(self._directory, number))
            else:
                self._wait(seen)
                continue
            for record in found:
                if isinstance(record, Frame) and not mending.alert:  # nearly all of them
                    yield record
                    continue
                if isinstance(record, Lost):
                    self.damage.records += 1
                    self.damage.bytes += record.size
                yield from mending.take(record)
            if not data:
                break
        self._newest_at = scanner.since
        if (lost := self.damage.bytes - before.bytes) > 0:
            log.error("journal_damaged", segment=number, places=self.damage.records - before.records, bytes=lost)


def _read(file: IO[bytes]) -> bytes:
    """What comes next; zeros for what the disk cannot read any more."""
    at = file.tell()
    for size in (_CHUNK, _BLOCK - at % _BLOCK):
        try:
            return file.read(size)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            reason = error
    end = min(at - at % _BLOCK + _BLOCK, file.seek(0, os.SEEK_END))
    if end <= at:
        raise reason
    file.seek(end)
    return bytes(end - at)


def _summarized(directory: Path, number: int) -> bool:
    """Its writer has completed the segment."""
    return (directory / f"{number:06}.sum").exists()
