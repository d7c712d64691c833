"""The `BlobStore` protocol: all that the rest of the product knows of storage."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from .pace import Pace

CHUNK_SIZE = 68 * 1024
"""Bytes of one read. A slow HTTP client holds one chunk in memory, so this bounds the cost of a reader; a little over
64 KiB, the write buffer limit of uvicorn, uvloop writes a chunk at once instead of queueing it first."""


@dataclass(frozen=True, slots=True)
class BlobInfo:
    """A complete blob: `size` in bytes, `etag` strong and quoted (RFC 9110 8.8.3), `last_modified` in UTC."""

    key: str
    size: int
    etag: str
    last_modified: datetime
    content_type: str


class Behind(Protocol):
    """An upload behind a file that still grows. For one caller at a time; the file stays what it is."""

    async def resume(self, settled: int) -> int:
        """Before anything else, where another process has begun the file: keep what it has sent of the first `settled`
        bytes, as far as they are what was sent.

        Returns how many pieces that are. Raises StorageError; the next call tries again."""
        ...

    async def advance(self, settled: int, pace: Pace | None = None) -> int:
        """Send a piece of the file's first `settled` bytes, of which only the first 5 MiB may still change.

        Returns the bytes sent, 0 when there is nothing to do yet. Raises StorageError; the next call tries again."""
        ...

    async def ask(self) -> None:
        """Have the store say that it would take the next piece. Raises StorageError."""
        ...

    async def abandon(self) -> None:
        """The file is replaced, or of no use: have the store forget what it has got. Does not raise StorageError."""
        ...


class BlobStore(Protocol):
    """Immutable blobs under slash-separated keys. Every method may raise `StorageUnavailable` or `InvalidKey`."""

    async def check(self, *, writing: bool = False) -> None:
        """Prove that the store can be used; `writing`: also that it takes new blobs, at the price of a request more.

        Leaves nothing behind. Raises StorageMisconfigured (bucket, credential, directory) or StorageUnavailable (no
        answer).
        """
        ...

    async def head(self, key: str) -> BlobInfo:
        """Size and validators of a blob. Raises BlobNotFound."""
        ...

    def open(
        self, key: str, start: int = 0, end: int | None = None, *, if_match: str | None = None
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Bytes `start` to `end` inclusive (to the last byte when None, clamped when beyond it), in chunks.

        Entering raises BlobNotFound, BlobChanged when the ETag is not `if_match`, or RangeOutside. Iterating ends
        after exactly the asked bytes or raises StorageUnavailable; leaving the block frees file or connection.
        """
        ...

    async def put_file(
        self, key: str, path: Path, content_type: str, *, progress: Path | None = None, final: bool = False
    ) -> BlobInfo:
        """Store the file's bytes; the file stays. The blob appears at once and whole, replacing an older one.

        final: nobody will ever write to the file again, so that the store may share it. progress: where an upload in
        parts notes what has arrived, so that a later call, in this process or another, goes on from there. Raises
        StorageError when what was stored is not what the file holds.
        """
        ...

    def behind(self, key: str, path: Path, content_type: str, *, progress: Path) -> Behind | None:
        """Begin to send a file before it is complete; `put_file` of this store with the same arguments does the rest.

        None where there is nothing to be gained."""
        ...

    async def delete(self, keys: Sequence[str]) -> frozenset[str]:
        """Remove blobs; a key without a blob is fine.

        Returns the keys whose blobs the store keeps although it removed others (locked ones, say). Raises StorageError
        when it removed none.
        """
        ...

    async def close(self) -> None:
        """Give connections back. The store is of no use afterwards."""
        ...
