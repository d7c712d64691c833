"""Blobs as files below one directory; the key is the path."""

from __future__ import annotations

import asyncio
import mimetypes
import os
import stat as stat_module
import tempfile
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from . import localfile
from .blob import CHUNK_SIZE, Behind, BlobInfo
from .errors import BlobChanged, BlobNotFound, RangeOutside, StorageError, StorageMisconfigured, StorageUnavailable
from .keys import validate

_STALE_AFTER_S = 24 * 3600


class FilesystemStore:
    """`BlobStore` on a local directory, shared by any number of processes.

    Warm data is read on the event loop: a chunk from the page cache costs some 5 µs, a tenth of handing it to a
    thread. Data the page cache does not hold is read in a worker thread (see `localfile.resident`), because one slow
    disk must not hold up every other request. The content type follows from the key's suffix.
    """

    def __init__(self, root: Path, *, chunk_size: int = CHUNK_SIZE) -> None:
        self.root = root
        self._incoming = root / ".incoming"
        self._chunk_size = chunk_size

    async def check(self, *, writing: bool = False) -> None:
        await asyncio.to_thread(self._check)

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
        path = self._path(key)
        try:
            return _info(key, path.stat())
        except (FileNotFoundError, NotADirectoryError):
            raise BlobNotFound(key) from None
        except OSError as error:
            raise localfile.storage_error(error, self.root) from error

    @asynccontextmanager
    async def open(
        self, key: str, start: int = 0, end: int | None = None, *, if_match: str | None = None
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        path = self._path(key)
        try:
            reader = _Reader(os.open(path, os.O_RDONLY | os.O_CLOEXEC), self._chunk_size)
        except (FileNotFoundError, NotADirectoryError):
            raise BlobNotFound(key) from None
        except OSError as error:
            raise localfile.storage_error(error, self.root) from error
        try:
            info = _info(key, os.fstat(reader.fd))
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
        target = self._path(key)
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
        paths = {self._path(key): key for key in keys}
        kept = await asyncio.to_thread(localfile.remove, self.root, paths)
        if kept and len(kept) == len(paths):
            error = next(iter(kept.values()))
            raise localfile.storage_error(error, self.root) from error
        return frozenset(paths[path] for path in kept)

    async def close(self) -> None:
        return None

    def _path(self, key: str) -> Path:
        return self.root / validate(key)


class _Reader:
    """An open file and, at most, one read in a worker thread."""

    def __init__(self, fd: int, chunk_size: int) -> None:
        self.fd = fd
        self._chunk_size = chunk_size
        self._busy: asyncio.Future[bytes] | None = None

    async def read(self, offset: int, last: int) -> AsyncGenerator[bytes, None]:
        """Bytes `offset` to `last` of the file as it was opened, even when it is replaced or deleted meanwhile."""
        fd = self.fd
        while offset <= last:
            size = min(self._chunk_size, last - offset + 1)
            try:
                if localfile.resident(fd, offset, offset + size - 1):
                    data = os.pread(fd, size, offset)
                else:
                    data = await self._read_cold(size, offset)
            except OSError as error:
                raise StorageUnavailable(f"Reading a stored file failed: {error.strerror}.") from error
            if not data:
                raise StorageUnavailable("A stored file ended early: it was truncated while it was read.")
            offset += len(data)
            yield data

    async def _read_cold(self, size: int, offset: int) -> bytes:
        self._busy = asyncio.get_running_loop().run_in_executor(None, localfile.read_cold, self.fd, size, offset)
        try:
            # Shielded: a cancelled reader must not forget the thread that still uses the descriptor.
            return await asyncio.shield(self._busy)
        finally:
            if self._busy.done():
                self._busy = None

    def close(self) -> None:
        """Close now, or as soon as the worker thread is through with the descriptor."""
        fd = self.fd
        if self._busy is None:
            os.close(fd)
            return

        def release(future: asyncio.Future[bytes]) -> None:
            if not future.cancelled():
                future.exception()  # nobody waits for the bytes any more: mark the error as seen
            os.close(fd)

        self._busy.add_done_callback(release)


def _info(key: str, stat: os.stat_result) -> BlobInfo:
    if not stat_module.S_ISREG(stat.st_mode):
        raise BlobNotFound(key)
    # Blobs are published by rename and never written in place: inode, time and size name the content.
    etag = f'"{stat.st_ino:x}-{stat.st_mtime_ns:x}-{stat.st_size:x}"'
    modified = datetime.fromtimestamp(stat.st_mtime_ns // 1_000_000_000, UTC)
    content_type = mimetypes.guess_type(key)[0] or "application/octet-stream"
    return BlobInfo(key, stat.st_size, etag, modified, content_type)
