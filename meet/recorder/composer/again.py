"""A file that is written once more, to go on behind its end.

A muxer goes on only with what it has written itself, because its index is of all that. So it is given the packets that
are in the file, and what it writes of them is compared with what is there: the file stays as it is, and what has been
sent of it stays sent. The last fragment is written only when another one follows, so it is compared then; where it is
to be different (its last picture lasts longer, say), the file is cut there.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Final

from meet.recorder.composer.made import Unusable

BUFFER: Final = 1 << 20
"""Bytes that a muxer can come back to before they are written: the length of what is in it stands in front of a box."""


class Again:
    """What a muxer writes to, for a `path` that is there. Raises OSError.

    repeating: nothing is written; raises Unusable for anything that is not there."""

    def __init__(self, path: Path) -> None:
        self.repeating = True
        self._fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        self._at = self._same = 0
        self._end = os.fstat(self._fd).st_size

    def write(self, data: bytes) -> int:
        """All of it; the part that is there already stays as it is."""
        done = self._compare(data) if self._at == self._same < self._end else 0
        if self.repeating and done < len(data):
            raise Unusable(f"written anew it is another file, from byte {self._at + done} on")
        while done < len(data):
            done += os.pwrite(self._fd, data[done:], self._at + done)
        self._at += len(data)
        return len(data)

    def _compare(self, data: bytes) -> int:
        """How much of `data` is there. The file ends where something else is."""
        there = os.pread(self._fd, min(len(data), self._end - self._at), self._at)
        same = len(there)
        if not data.startswith(there):
            same = next(at for at, (old, new) in enumerate(zip(there, data, strict=False)) if old != new)
        self._same = self._at + same
        if same < len(there) and not self.repeating:
            os.ftruncate(self._fd, self._same)
            self._end = self._same
        return same

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """From the beginning; no muxer asks where the end is."""
        if whence != os.SEEK_SET:
            raise OSError(errno.EINVAL, "only from the beginning")
        self._at = offset
        return self._at

    def tell(self) -> int:
        """Where the next write goes."""
        return self._at

    def close(self) -> None:
        """Once, or again."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
