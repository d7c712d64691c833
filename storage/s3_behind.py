"""The finished part of a growing file, sent while the rest is still being written."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import islice, takewhile
from pathlib import Path

import structlog
from botocore.exceptions import ClientError

from . import multipart
from .errors import StorageError
from .multipart import MultipartUpload, Part, StoredPart
from .pace import Pace
from .resume import Progress, unchanged
from .s3_errors import TRANSFER_ERRORS
from .s3_upload import Uploads, hopeless

log = structlog.get_logger(__name__)


class S3Behind:
    """`Behind` as a multipart upload; its first part is left to `put_file`, because writers come back to the header.

    S3 takes parts in any order. What has arrived is noted where `put_file` looks for it.
    """

    def __init__(self, uploads: Uploads, key: str, path: Path, content_type: str, note: Progress) -> None:
        self._uploads = uploads
        self._key, self._path, self._content_type = key, path, content_type
        self._note = note
        self._upload: MultipartUpload | None = None
        self._parts: list[StoredPart] = []
        self._to_come = self._plan()
        self._next: Part | None = next(self._to_come)

    async def resume(self, settled: int) -> int:
        known = await self._uploads.known(self._key, self._note)
        if known is None:
            return 0
        upload, noted = known
        plan = list(takewhile(lambda part: part.end <= settled, self._plan()))
        try:
            parts = await asyncio.to_thread(unchanged, self._path, plan, noted)
        except (OSError, ValueError) as error:
            raise StorageError(f"The file for '{self._key}' cannot be read.") from error
        if parts or not noted:
            log.info("upload_resumed", key=self._key, parts=len(parts), of=len(noted))
            there = {part.number for part in parts}
            self._upload, self._parts = upload, parts
            self._uploads.trusted[upload.upload_id] = parts
            self._to_come = (part for part in self._plan() if part.number not in there)
            self._next = next(self._to_come, None)
        return len(parts)

    def _plan(self) -> Iterator[Part]:
        return islice(multipart.parts(self._uploads.part_size), 1, multipart.MAX_PARTS)

    async def advance(self, settled: int, pace: Pace | None = None) -> int:
        part = self._next
        if part is None or part.end > settled:
            return 0
        upload = await self._begun()
        async with self._translated():
            sent = await self._uploads.send(upload, self._path, part, pace)
        self._parts.append(sent)
        self._uploads.trusted[upload.upload_id] = self._parts
        await asyncio.to_thread(self._note.save, upload, list(self._parts))
        self._next = next(self._to_come, None)
        return part.size

    async def ask(self) -> None:
        """Begin the upload, or ask for it: who may not write, or not any more, is told so by that."""
        if self._upload is None:
            await self._begun()
            return
        try:
            await self._upload.ask()
        except TRANSFER_ERRORS as error:
            # Listing parts takes a permission of its own, which nothing else needs, and not every store can do it.
            code = error.response.get("Error", {}).get("Code") if isinstance(error, ClientError) else ""
            if code in ("AccessDenied", "NotImplemented"):
                return
            if code == "NoSuchUpload":
                await self._begin_anew()
            raise self._uploads.translate(error, self._key) from error

    async def _begun(self) -> MultipartUpload:
        if self._upload is None:
            await self.abandon()  # what an earlier process has sent is not of this file
            self._upload = await self._uploads.begin(self._key, self._content_type, self._note)
        return self._upload

    @asynccontextmanager
    async def _translated(self) -> AsyncIterator[None]:
        try:
            yield
        except TRANSFER_ERRORS as error:
            problem = self._uploads.translate(error, self._key)
            if isinstance(error, ClientError) and hopeless(error, self._note, progress=False):
                await self._begin_anew()
            raise problem from error

    async def abandon(self) -> None:
        if self._upload is not None:
            self._uploads.trusted.pop(self._upload.upload_id, None)
        try:
            known = await self._uploads.known(self._key, self._note)
        except StorageError as error:
            log.warning("multipart_abort_failed", key=self._key, reason=type(error).__name__)
            return
        if known is not None and await self._uploads.abort(known[0]):
            self._note.forget()
        self._reset()

    async def _begin_anew(self) -> None:
        """The store does not know the upload any more."""
        if self._upload is not None:
            await self._uploads.abort(self._upload)
        self._note.forget()
        self._reset()

    def _reset(self) -> None:
        self._upload, self._parts = None, []
        self._to_come = self._plan()
        self._next = next(self._to_come)
