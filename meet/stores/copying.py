"""One recording's file, and the index beside it, from one store into another; checked on the way."""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from meet.core.model.recording import Recording
from storage import BlobInfo, BlobNotFound, BlobStore, InvalidKey
from storage.filesystem import FilesystemStore
from storage.keys import index_key
from storage.localfile import sha256
from storage.multipart import PART_SIZE

_INDEX_LIMIT: Final = 16 * 1024 * 1024
_LOOK_S: Final = 0.5

Reached = Callable[[float], None]
"""Told how much of one recording is done, 0 to 1."""


class NotCopied(Exception):
    """The file cannot be taken over as it is; `str()` is fit for the operator."""


class Carrier:
    """Copies by way of `scratch`, a folder for one of them at a time: what comes out of a bucket has to lie somewhere
    before it can be sent in parts, and what has been sent is noted there. reserve: bytes that the disk keeps free."""

    def __init__(self, target: BlobStore, scratch: Path, reserve: int) -> None:
        self._target, self._scratch, self._reserve = target, scratch, reserve

    async def copy(self, recording: Recording, source: BlobStore, sha256: str | None, reached: Reached) -> None:
        """Both objects, the file last, so that there is none without its index. The same again replaces them.

        sha256: what was measured of the file when it was made, where that is known. Raises NotCopied, BlobNotFound
        when there is no file, StorageError, OSError."""
        info = await source.head(recording.key)
        if recording.size and info.size != recording.size:
            raise NotCopied(f"the file has {info.size} bytes, and was recorded with {recording.size}")
        async with self._local(recording, source, info, reached) as (path, ours, measured):
            if sha256 is not None and measured != sha256:
                raise NotCopied("the file is not what was recorded: its SHA-256 is another one")
            await self._copy_index(recording, source)
            note = self._scratch / f"{recording.egress_id}.upload"
            begun = 0.5 if ours else 0.0
            watching = asyncio.create_task(_watch(note, info.size, lambda done: reached(begun + (1 - begun) * done)))
            try:
                stored = await self._target.put_file(
                    recording.key, path, recording.media_type, progress=note, final=ours
                )
            finally:
                watching.cancel()
            if stored.size != info.size:
                raise NotCopied(f"the store has {stored.size} of {info.size} bytes")
        reached(1.0)

    @asynccontextmanager
    async def _local(
        self, recording: Recording, source: BlobStore, info: BlobInfo, reached: Reached
    ) -> AsyncIterator[tuple[Path, bool, str]]:
        """(file, whether it is a copy of our own, its SHA-256)."""
        if isinstance(source, FilesystemStore):
            path = source.path(recording.key)
            yield path, False, await asyncio.to_thread(sha256, path)
            return
        if shutil.disk_usage(self._scratch).free - info.size < self._reserve:
            raise NotCopied(f"there is no room for {info.size} bytes in {self._scratch}")
        path = self._scratch / f"{recording.egress_id}.part"
        digest, done = hashlib.sha256(), 0
        try:
            with path.open("wb") as file:
                async with source.open(recording.key, if_match=info.etag) as chunks:
                    async for chunk in chunks:
                        file.write(chunk)
                        digest.update(chunk)
                        done += len(chunk)
                        reached(0.5 * done / info.size)
            yield path, True, digest.hexdigest()
        finally:
            path.unlink(missing_ok=True)

    async def _copy_index(self, recording: Recording, source: BlobStore) -> None:
        try:
            key = index_key(recording.key)
            async with source.open(key, 0, _INDEX_LIMIT) as chunks:
                content = b"".join([chunk async for chunk in chunks])
        except (BlobNotFound, InvalidKey):
            return
        path = self._scratch / f"{recording.egress_id}.index"
        try:
            path.write_bytes(content)
            await self._target.put_file(key, path, "application/json", final=True)
        finally:
            path.unlink(missing_ok=True)


async def _watch(note: Path, size: int, reached: Reached) -> None:
    """Tell how much of an upload the store has confirmed, as far as that is noted."""
    while True:
        await asyncio.sleep(_LOOK_S)
        try:
            parts = len(json.loads(note.read_bytes())["parts"])
        except (OSError, ValueError, KeyError):
            continue
        reached(min(parts * PART_SIZE / size, 1.0))
