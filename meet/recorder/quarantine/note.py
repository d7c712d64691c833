"""What the composer is doing at this moment, where a later process can read it: a page of shared memory.

In memory (`/dev/shm`), not in the spool: a page of a file is written back now and then, and the next store into it
waits for the disk while it holds the interpreter's lock. A disk that stalls would stop the whole process. It is enough,
because it is a process that dies, not the machine.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import stat
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import structlog

log = structlog.get_logger(__name__)

SHARED_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - see `_opened`
IDLE, WORKING, INSIDE = range(3)
"""Waiting for records or for a disk; composing; inside of native code with the input that is noted."""

_LIFE = struct.Struct("<Q?")
_TURN = struct.Struct("<qHq")
_TURN_AT: Final = _LIFE.size
_INPUT = struct.Struct("<Hq")
_INPUT_AT: Final = _TURN_AT + 8
_STAGE_AT: Final = _TURN_AT + _TURN.size
_SIZE: Final = _STAGE_AT + 1


class Left(NamedTuple):
    """What a dead process was doing. life: of which process; live: the meeting was going on; at: the journal's time it
    had reached, µs; track, rtp: the last input of its turn, track 0 for none; inside: it died with that input."""

    life: int
    live: bool
    at: int
    track: int
    rtp: int
    inside: bool


class Note:
    """One process's page. No system calls: `enter` and `leave` together cost 0.18 µs.

    Stages are written last, and only one thread composes: whoever reads finds no half of anything."""

    def __init__(self, page: mmap.mmap | bytearray) -> None:
        self._page = page
        self._life = time.time_ns()

    @classmethod
    def open(cls, path: Path) -> Note:
        """With the page at `path`; with one that nobody will find where there is no memory for it."""
        try:
            with _opened(path, os.O_RDWR | os.O_CREAT) as fd:
                os.posix_fallocate(fd, 0, _SIZE)  # or the first store into it would be SIGBUS
                page = mmap.mmap(fd, _SIZE)
        except OSError as error:
            log.warning("recorder_note_missing", error=str(error))
            return cls(bytearray(_SIZE))
        page[:] = bytes(_SIZE)
        return cls(page)

    def begin(self, *, live: bool) -> None:
        """A composition begins."""
        _LIFE.pack_into(self._page, 0, self._life, live)

    def working(self, at: int) -> None:
        """A turn begins, at journal time `at`; nothing has been decoded in it yet."""
        page = self._page
        page[_STAGE_AT] = IDLE
        _TURN.pack_into(page, _TURN_AT, at, 0, 0)
        page[_STAGE_AT] = WORKING

    def enter(self, track: int, rtp: int) -> None:
        """This input is now given to native code."""
        page = self._page
        _INPUT.pack_into(page, _INPUT_AT, track, rtp)
        page[_STAGE_AT] = INSIDE

    def leave(self) -> None:
        """And that has come back."""
        self._page[_STAGE_AT] = WORKING

    def idle(self) -> None:
        """Whatever kills the process now, it is not what it composes."""
        self._page[_STAGE_AT] = IDLE


UNREAD: Final = Note(bytearray(_SIZE))
"""For whoever composes without a successor."""


def forgive(spool: Path) -> None:
    """The process of this recording was killed because it was to end: it has died of nothing."""
    with contextlib.suppress(OSError):  # of a spool that is not there any more
        remove(place(spool))


def place(spool: Path) -> Path:
    """Where the note of the recording in this spool entry lies."""
    root = spool.parent.stat()
    name = f"meet-{root.st_dev:x}-{root.st_ino:x}-"
    if not os.access(SHARED_MEMORY, os.W_OK | os.X_OK):
        return spool / "composing.note"
    for path in SHARED_MEMORY.glob(f"{name}*"):  # left by those who were killed while they removed everything else
        if not (spool.parent / path.name.removeprefix(name)).is_dir():
            remove(path)
    return SHARED_MEMORY / f"{name}{spool.name}"


def remove(path: Path) -> None:
    """The note there, if it is ours: everybody may put something into that folder."""
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)


def read(path: Path) -> Left | None:
    """What the last process left there; None when it was not composing."""
    try:
        with _opened(path, os.O_RDONLY) as fd:
            page = os.read(fd, _SIZE)
    except OSError:
        return None
    if len(page) < _SIZE or page[_STAGE_AT] == IDLE:
        return None
    life, live = _LIFE.unpack_from(page, 0)
    at, track, rtp = _TURN.unpack_from(page, _TURN_AT)
    return Left(life, live, at, track, rtp, page[_STAGE_AT] == INSIDE)


@contextlib.contextmanager
def _opened(path: Path, flags: int) -> Iterator[int]:
    """Nobody else's file: everybody may write into that folder. Raises OSError."""
    fd = os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
            raise PermissionError(f"{path} is somebody else's")
        yield fd
    finally:
        os.close(fd)
