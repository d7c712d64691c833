"""Files on their way into a bucket: in parts, noted as they arrive, also behind a file that still grows."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import structlog
from botocore.exceptions import ClientError

from . import multipart
from .config import S3Config
from .errors import BlobNotFound, StorageError, StorageUnavailable
from .multipart import MultipartUpload, Part, StoredPart
from .pace import Pace
from .patience import Patience, unless_stalled
from .resume import Progress, unchanged
from .s3_client import S3Clients
from .s3_errors import TRANSFER_ERRORS, translate
from .slice import Slice

log = structlog.get_logger(__name__)

_AT_ONCE = 3
_FRUITLESS = 3
_FORGOTTEN = frozenset({"NoSuchUpload", "NoSuchBucket", "InvalidPart", "NoSuchKey", "404"})


class Uploads:
    """Multipart uploads of one store. `trusted`: parts by upload id that need not be compared with their file again."""

    def __init__(self, clients: S3Clients, config: S3Config, part_size: int, patience: Patience) -> None:
        self.trusted: dict[str, Sequence[StoredPart]] = {}
        self.part_size = part_size
        self._clients = clients
        self._config = config
        self._patience = patience
        self._encryption = config.encryption()

    async def put(self, key: str, path: Path, size: int, content_type: str, note: Progress | None) -> list[StoredPart]:
        """Send the file, without what is noted to be there. The note stays: `note.forget()` when all is well.

        Raises StorageError."""
        plan = multipart.plan(size, self.part_size)
        upload, parts = await self._begin(key, path, plan, content_type, note)
        before = len(parts)
        try:
            await self._send_all(upload, path, plan, parts, note)
            await self._complete(upload, parts)
        except BaseException as error:
            problem = self.translate(error, key) if isinstance(error, TRANSFER_ERRORS) else error
            if note is None:
                await self.abort(upload)
            elif isinstance(error, ClientError) and hopeless(error, note, progress=len(parts) > before):
                note.forget()  # the next call begins anew
                await self.abort(upload)
            raise problem from (error if problem is not error else None)
        self.trusted.pop(upload.upload_id, None)
        return parts

    async def _complete(self, upload: MultipartUpload, parts: Sequence[StoredPart]) -> None:
        """Join the parts, unless they are already: then the answer was lost, or who asked has died behind it."""
        try:
            await upload.complete(parts)
        except ClientError as error:
            if _code(error) != "NoSuchUpload":
                raise
            try:
                there = await upload.client.head_object(Bucket=upload.bucket, Key=upload.key)
            except TRANSFER_ERRORS:
                raise error from None
            if there["ETag"] != multipart.expected_etag(parts):
                raise
            log.info("upload_was_complete", key=upload.key)

    async def begin(self, key: str, content_type: str, note: Progress | None) -> MultipartUpload:
        """A new upload, noted. Raises StorageError."""
        try:
            client = await self._clients.control()
            upload = await MultipartUpload.begin(client, self._config.bucket, key, content_type, self._encryption)
        except TRANSFER_ERRORS as error:
            raise self.translate(error, key) from error
        if note is not None:
            note.save(upload, [])
        return upload

    async def known(self, key: str, note: Progress) -> tuple[MultipartUpload, list[StoredPart]] | None:
        """The upload that is noted, with the parts that arrived. Raises StorageError."""
        noted = note.load(key)
        if noted is None:
            return None
        try:
            client = await self._clients.control()
        except TRANSFER_ERRORS as error:
            raise self.translate(error, key) from error
        return MultipartUpload(client, self._config.bucket, key, noted[0]), noted[1]

    async def send(self, upload: MultipartUpload, path: Path, part: Part, pace: Pace | None = None) -> StoredPart:
        """Send one part, read from the disk as it goes. Raises StorageError or one of TRANSFER_ERRORS."""
        try:
            md5 = await asyncio.to_thread(multipart.digest, path, part)
            body = Slice(path, part, pace)
        except (OSError, ValueError) as error:
            raise StorageError(f"The file for '{upload.key}' cannot be read to its end.") from error
        with body:
            async with unless_stalled(body.taken, self._patience.upload):
                return await upload.put(part.number, body, md5)

    async def drop(self, key: str, note: Progress) -> None:
        """Abort what is noted, best effort: the file went another way. Raises StorageError."""
        known = await self.known(key, note)
        if known is not None:
            await self.abort(known[0])

    async def abort(self, upload: MultipartUpload) -> bool:
        """Best effort, also while being cancelled: a bucket should expire incomplete uploads by a lifecycle rule."""
        self.trusted.pop(upload.upload_id, None)
        return await asyncio.shield(asyncio.ensure_future(self._abort(upload)))

    async def _abort(self, upload: MultipartUpload) -> bool:
        try:
            async with asyncio.timeout(self._patience.answer):
                await upload.abort()
        except TRANSFER_ERRORS as error:
            gone = isinstance(error, ClientError) and _code(error) in _FORGOTTEN
            if not gone:
                log.warning("multipart_abort_failed", key=upload.key, reason=type(error).__name__)
            return gone
        return True

    async def abort_others(self, key: str) -> None:
        """Have the store forget unfinished uploads to a key whose object is complete: a killed process left them."""
        client = await self._clients.control()
        try:
            async with asyncio.timeout(self._patience.answer):
                answer = await client.list_multipart_uploads(Bucket=self._config.bucket, Prefix=key)
        except TRANSFER_ERRORS as error:
            log.warning("multipart_list_failed", key=key, reason=type(error).__name__)
            return
        for stale in answer.get("Uploads", []):
            if stale["Key"] == key:
                await self.abort(MultipartUpload(client, self._config.bucket, key, stale["UploadId"]))

    def translate(self, error: BaseException, key: str) -> StorageError:
        """What an error of a request about an upload to `key` means."""
        problem = translate(error, self._config, key)
        if isinstance(problem, BlobNotFound):
            return StorageUnavailable(f"The object store has forgotten the upload of '{key}'.")
        return problem

    async def _begin(
        self, key: str, path: Path, plan: Sequence[Part], content_type: str, note: Progress | None
    ) -> tuple[MultipartUpload, list[StoredPart]]:
        """An upload with what it has got of these very bytes: the noted one if there is any of them, else a new one."""
        noted = await self.known(key, note) if note is not None else None
        if noted is not None:
            upload, known = noted
            trusted = set(self.trusted.get(upload.upload_id, ()))
            parts = [part for part in known if part in trusted]
            doubtful = [part for part in known if part not in trusted]
            try:
                parts += await asyncio.to_thread(unchanged, path, plan, doubtful)
            except (OSError, ValueError) as error:
                raise StorageError(f"The file for '{key}' cannot be read to its end.") from error
            if parts or not known:
                log.info("upload_resumed", key=key, parts=len(parts), of=len(plan))
                return upload, parts
            await self.abort(upload)
        return await self.begin(key, content_type, note), []

    async def _send_all(
        self, upload: MultipartUpload, path: Path, plan: Sequence[Part], parts: list[StoredPart], note: Progress | None
    ) -> None:
        """Send what is missing in `parts` and add it there."""
        turn = asyncio.Semaphore(_AT_ONCE)
        there = {part.number for part in parts}

        async def send(part: Part) -> None:
            async with turn:
                parts.append(await self.send(upload, path, part))
                if note is not None:
                    note.save(upload, parts)

        try:
            async with asyncio.TaskGroup() as group:
                for part in plan:
                    if part.number not in there:
                        group.create_task(send(part))
        except BaseExceptionGroup as failed:
            raise failed.exceptions[0] from None


def hopeless(error: ClientError, note: Progress, *, progress: bool) -> bool:
    """Whether an upload cannot be gone on with: the store has forgotten it, or refuses it again and again."""
    if _code(error) in _FORGOTTEN:
        return True
    return not progress and note.fruitless() >= _FRUITLESS


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
