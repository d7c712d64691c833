"""Blobs as files below one directory; the key is the path."""

from __future__ import annotations

import asyncio
import mimetypes
import os
import stat as stat_module
import tempfile
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from concurrent.futures import Future
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from . import localfile
from .blob import CHUNK_SIZE, Behind, BlobInfo
from .errors import BlobChanged, BlobNotFound, RangeOutside, StorageError, StorageMisconfigured, StorageUnavailable
from .keys import validate
from .patience import Patience
from .threads import Threads

_STALE_AFTER_S = 24 * 3600


class FilesystemStore:
    """`BlobStore` on a local directory, shared by any number of processes.

    Warm data is read on the event loop: a chunk from the page cache costs some 5 µs, a tenth of handing it to a
    thread. Everything else is done by threads (see `localfile.resident`), and given up when the disk says nothing for
    as long as `patience` has it: one that is slow, or a network mount that hangs, must not hold up every other request.
    The content type follows from the key's suffix.
    """

    def __init__(
        self,
        root: Path,
        *,
        chunk_size: int = CHUNK_SIZE,
        patience: Patience = Patience(),  # noqa: B008
    ) -> None:
        self.root = root
        self._incoming = root / ".incoming"
        self._chunk_size = chunk_size
        self._patience = patience
        self._threads = Threads(f"The storage directory {root}")

    async def check(self, *, writing: bool = False) -> None:
        await self._threads.run(self._check, self._patience.answer)

    def _check(self) -> None:
        try:
            self._incoming.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self._incoming) as probe:
                probe.write(b"probe")
            localfile.sweep(self._incoming, time.time() - _STALE_AFTER_S)
        except OSError as error:
            raise StorageMisconfigured(
                f"The storage directory {self.root} is not writable: {error.strerror or type(error).__name__}."
            ) from error

    async def head(self, key: str) -> BlobInfo:
        path = self.path(key)
        try:
            return _info(key, await self._threads.run(path.stat, self._patience.answer))
        except (FileNotFoundError, NotADirectoryError):
            raise BlobNotFound(key) from None
        except OSError as error:
            raise localfile.storage_error(error, self.root) from error

    @asynccontextmanager
    async def open(
        self, key: str, start: int = 0, end: int | None = None, *, if_match: str | None = None
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        path = self.path(key)
        try:
            fd, stat = await self._threads.run(partial(localfile.opened, path), self._patience.answer, _close_opened)
        except (FileNotFoundError, NotADirectoryError):
            raise BlobNotFound(key) from None
        except OSError as error:
            raise localfile.storage_error(error, self.root) from error
        reader = _Reader(fd, self._chunk_size, self._threads, self._patience.body)
        try:
            info = _info(key, stat)
            if if_match is not None and info.etag != if_match:
                raise BlobChanged(key)
            if start >= info.size and (start or end is not None):
                raise RangeOutside(key)
            last = info.size - 1 if end is None else min(end, info.size - 1)
            async with aclosing(reader.read(start, last)) as chunks:
                yield chunks
        finally:
            reader.close()

    async def put_file(
        self, key: str, path: Path, content_type: str, *, progress: Path | None = None, final: bool = False
    ) -> BlobInfo:
        target = self.path(key)
        try:
            stat = await asyncio.to_thread(localfile.publish, path, self._incoming, target, share=final)
        except OSError as error:
            if error.filename == str(path):
                raise StorageError(f"The file for '{key}' cannot be read: {error.strerror}.") from error
            raise localfile.storage_error(error, self.root) from error
        return _info(key, stat)

    def behind(self, key: str, path: Path, content_type: str, *, progress: Path) -> Behind | None:
        return None

    async def delete(self, keys: Sequence[str]) -> frozenset[str]:
        paths = {key: self.path(key) for key in keys}
        wanted = list(paths)
        kept: dict[str, StorageError] = {}
        for done, (key, path) in enumerate(paths.items()):
            try:
                await self._threads.run(partial(localfile.remove, self.root, path), self._patience.answer)
            except OSError as error:
                kept[key] = localfile.storage_error(error, self.root)
            except StorageUnavailable as error:  # it hangs, and would for each of the others
                kept |= dict.fromkeys(wanted[done:], error)
                break
        if kept and len(kept) == len(wanted):
            raise next(iter(kept.values()))
        return frozenset(kept)

    async def close(self) -> None:
        self._threads.close()

    def path(self, key: str) -> Path:
        """Where the blob is, or would be; for readers only. Raises InvalidKey."""
        return self.root / validate(key)


class _Reader:
    """An open file and, at most, one read in a thread."""

    def __init__(self, fd: int, chunk_size: int, threads: Threads, patience_s: float) -> None:
        self._fd = fd
        self._chunk_size = chunk_size
        self._threads, self._patience_s = threads, patience_s
        self._busy: Future[bytes] | None = None

    async def read(self, offset: int, last: int) -> AsyncGenerator[bytes, None]:
        """Bytes `offset` to `last` of the file as it was opened, even when it is replaced or deleted meanwhile."""
        fd = self._fd
        while offset <= last:
            size = min(self._chunk_size, last - offset + 1)
            try:
                if localfile.resident(fd, offset, offset + size - 1):
                    data = os.pread(fd, size, offset)
                else:
                    self._busy = self._threads.submit(partial(localfile.read_cold, fd, size, offset), self._patience_s)
                    data = await self._threads.result(self._busy, self._patience_s)
            except OSError as error:
                raise StorageUnavailable(f"Reading a stored file failed: {error.strerror}.") from error
            if not data:
                raise StorageUnavailable("A stored file ended early: it was truncated while it was read.")
            offset += len(data)
            yield data

    def close(self) -> None:
        """Have it closed, when no thread needs the descriptor any more. Even that may hang."""
        fd = self._fd
        if self._busy is None or self._busy.done():
            self._threads.submit(partial(os.close, fd))
        else:  # its reader was cancelled, or had no more patience
            self._busy.add_done_callback(lambda _: os.close(fd))


def _close_opened(opened: tuple[int, os.stat_result]) -> None:
    os.close(opened[0])


def _info(key: str, stat: os.stat_result) -> BlobInfo:
    if not stat_module.S_ISREG(stat.st_mode):
        raise BlobNotFound(key)
    # Blobs are published by rename and never written in place: inode, time and size name the content.
    etag = f'"{stat.st_ino:x}-{stat.st_mtime_ns:x}-{stat.st_size:x}"'
    modified = datetime.fromtimestamp(stat.st_mtime_ns // 1_000_000_000, UTC)
    content_type = mimetypes.guess_type(key)[0] or "application/octet-stream"
    return BlobInfo(key, stat.st_size, etag, modified, content_type)
