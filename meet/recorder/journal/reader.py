"""Reading a journal: live behind its writer, or finished."""

from __future__ import annotations

import re
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

from meet.recorder.journal.records import HEAD, MAGIC, MAX_BODY, Record, decode

_CHUNK: Final = 1 << 20
_SEGMENT = re.compile(r"^\d{6}\.seg$")


def segments(directory: Path) -> list[Path]:
    """The segments of a journal in their order; none when there is no such directory."""
    if not directory.is_dir():
        return []
    return sorted(path for path in directory.iterdir() if _SEGMENT.match(path.name))


def segment_records(segment: Path) -> Iterator[Record]:
    """The trusted records of one segment that nobody writes any more."""
    reader = JournalReader(segment.parent)
    reader.finish()
    with segment.open("rb") as file:
        yield from reader._segment(file, int(segment.stem))


class JournalReader:
    """Iterates over the records of a journal directory, in order; every iteration begins with the first.

    `wake` is called (from any thread) when there may be more, `finish` when the writer has closed. Until `finish`, the
    iteration waits at the end of the newest segment instead of ending. A torn or damaged tail ends its segment: what
    follows a wrong checksum in the same segment is not trusted.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
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
        number = 0
        while True:
            later = [path for path in segments(self._directory) if int(path.stem) > number]
            if later:
                number = int(later[0].stem)
                with later[0].open("rb") as file:
                    yield from self._segment(file, number)
            elif self._wait():
                return

    def _is_newest(self, number: int) -> bool:
        found = segments(self._directory)
        return not found or int(found[-1].stem) <= number

    def _wait(self, seen: int | None = None) -> bool:
        """Wait for a change after version `seen`; True when there will be none."""
        with self._changed:
            if self._finished:
                return True
            if seen is None or seen == self._version:
                self._changed.wait(0.5)
            return False

    def _segment(self, file: IO[bytes], number: int) -> Iterator[Record]:
        buffer = bytearray()
        at = 0
        started = False
        while True:
            seen = self._version
            finished = self._finished
            last = finished or not self._is_newest(number)
            data = file.read(_CHUNK)
            if data:
                buffer = buffer[at:] + data
                at = 0
                if not started:
                    if len(buffer) < len(MAGIC):
                        continue
                    if not buffer.startswith(MAGIC):
                        return
                    at, started = len(MAGIC), True
                while len(buffer) - at >= HEAD.size:
                    length, checksum = HEAD.unpack_from(buffer, at)
                    if not 0 < length <= MAX_BODY:
                        return
                    end = at + HEAD.size + length
                    if end > len(buffer):
                        break
                    body = bytes(buffer[at + HEAD.size : end])
                    if zlib.crc32(body) != checksum:
                        return
                    at = end
                    record = decode(body)
                    if record is not None:
                        yield record
            elif last:
                # `last` was read before this empty read, so nothing can have been appended in between.
                return
            else:
                self._wait(seen)
