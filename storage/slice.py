"""Part of a file as the body of a request: read where it is sent, never held in memory."""

from __future__ import annotations

import io
import os
import threading
from pathlib import Path

from .multipart import Part
from .pace import Pace


class Slice(io.RawIOBase):
    """The bytes of `part`. Reading blocks (aiohttp does it in a worker thread) and raises OSError at a file that became
    shorter."""

    def __init__(self, path: Path, part: Part, pace: Pace | None = None) -> None:
        super().__init__()
        self._part, self._pace = part, pace
        self._at = 0
        self._taken = 0
        self._lock = threading.Lock()
        self._fd = -1  # closed by the garbage collector when opening fails
        self._reading = False
        self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    def taken(self) -> int:
        """Bytes that were read so far, those of a second try included."""
        return self._taken

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = max(0, offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._part.size}[whence])
        return self._at

    def __len__(self) -> int:
        return self._part.size

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        size = min(len(buffer), self._part.size - self._at)
        if size <= 0:
            return 0
        if self._pace is not None:
            self._pace.wait(size)
        with self._lock:
            if self.closed:
                raise ValueError("the request was given up")
            self._reading = True
        try:
            data = os.pread(self._fd, size, self._part.offset + self._at)
        finally:
            self._read()
        if not data:
            raise OSError("the file became shorter")
        memoryview(buffer)[: len(data)] = data
        self._at += len(data)
        self._taken += len(data)
        return len(data)

    def _read(self) -> None:
        with self._lock:
            self._reading = False
            if self.closed:
                os.close(self._fd)

    def close(self) -> None:
        """At once; where a thread reads for a request that was given up, the descriptor goes when it is through."""
        with self._lock:
            if not self.closed and not self._reading and self._fd >= 0:
                os.close(self._fd)
            super().close()
