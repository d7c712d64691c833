"""Blobs as objects of one S3 bucket."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from datetime import UTC
from pathlib import Path
from typing import Any

import structlog
from botocore.exceptions import ClientError

from . import multipart
from .blob import BlobInfo
from .config import S3Config
from .errors import BlobNotFound, StorageError, StorageUnavailable
from .keys import validate
from .multipart import MultipartUpload, Part, StoredPart
from .resume import Progress, still_the_same
from .s3_client import S3Clients
from .s3_errors import TRANSFER_ERRORS, translate
from .s3_read import ObjectReader

log = structlog.get_logger(__name__)

_UPLOADS_AT_ONCE = 3
_DELETE_BATCH = 1000
_ABORT_TIMEOUT_S = 10
_FRUITLESS = 3
_FORGOTTEN = frozenset({"NoSuchUpload", "NoSuchBucket", "InvalidPart", "NoSuchKey", "404"})


class S3Store:
    """`BlobStore` on an S3 API. Must be used on one event loop, the one of its first call.

    Files over one part (8 MiB) go up as multipart uploads, three parts at a time (24 MiB of memory). S3 shows an object
    only when its upload is complete, which is the visibility the protocol asks for.
    """

    def __init__(self, config: S3Config, *, part_size: int = multipart.PART_SIZE) -> None:
        self._config = config
        self._encryption = config.encryption()
        self._part_size = part_size
        self._clients = S3Clients(config)

    async def check(self) -> None:
        await self._control("head_bucket")

    async def head(self, key: str) -> BlobInfo:
        answer = await self._control("head_object", validate(key))
        return BlobInfo(
            key=key,
            size=int(answer["ContentLength"]),
            etag=answer["ETag"],
            last_modified=answer["LastModified"].astimezone(UTC),
            content_type=answer.get("ContentType") or "application/octet-stream",
        )

    @asynccontextmanager
    async def open(
        self, key: str, start: int = 0, end: int | None = None, *, if_match: str | None = None
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        reader = ObjectReader(self._clients, self._config.bucket, self._config.endpoint, validate(key))
        await reader.open(start, end, if_match)
        try:
            async with aclosing(reader.read()) as chunks:
                yield chunks
        finally:
            reader.close()

    async def put_file(self, key: str, path: Path, content_type: str, *, progress: Path | None = None) -> BlobInfo:
        validate(key)
        try:
            size = path.stat().st_size
            if size <= self._part_size:
                etag = await self._put_small(key, path, size, content_type)
            else:
                note = Progress(progress) if progress is not None else None
                etag = await self._put_parts(key, path, size, content_type, note)
        except FileNotFoundError as error:
            raise StorageError(f"The file for '{key}' does not exist.") from error
        info = await self.head(key)
        if info.size != size or info.etag != etag:
            raise StorageError(f"The object store holds other bytes under '{key}' than were sent.")
        if progress is not None:
            await self._abort_others(key)
        return info

    async def _put_small(self, key: str, path: Path, size: int, content_type: str) -> str:
        data, md5 = await self._read(key, path, Part(1, 0, size))
        answer = await self._control(
            "put_object",
            key,
            Body=data,
            ContentType=content_type,
            ContentMD5=base64.b64encode(md5).decode(),
            **self._encryption,
        )
        return str(answer["ETag"])

    async def _put_parts(self, key: str, path: Path, size: int, content_type: str, note: Progress | None) -> str:
        plan = multipart.plan(size, self._part_size)
        upload, parts = await self._begin(key, path, plan, content_type, note)
        before = len(parts)
        try:
            await self._send_all(upload, path, plan, parts, note)
            etag = await upload.complete(parts)
        except BaseException as error:
            problem = self._translate(error, key) if isinstance(error, TRANSFER_ERRORS) else error
            if note is None:
                await self._abort(upload)
            elif isinstance(error, ClientError) and _hopeless(error, note, progress=len(parts) > before):
                note.forget()  # the next call begins anew
                await self._abort(upload)
                if isinstance(problem, BlobNotFound):
                    problem = StorageUnavailable(f"The object store has forgotten the upload of '{key}'.")
            raise problem from (error if problem is not error else None)
        if note is not None:
            note.forget()
        expected = multipart.expected_etag(parts)
        if expected is not None and etag != expected:
            raise StorageError(f"The object store joined the parts of '{key}' wrongly.")
        return etag

    async def _begin(
        self, key: str, path: Path, plan: Sequence[Part], content_type: str, note: Progress | None
    ) -> tuple[MultipartUpload, list[StoredPart]]:
        """An upload with what it has got so far: the noted one if it is of these very bytes, else a new one."""
        client = await self._client()
        noted = note.load(key) if note is not None else None
        if noted is not None:
            upload = MultipartUpload(client, self._config.bucket, key, noted[0])
            try:
                if await asyncio.to_thread(still_the_same, path, plan, noted[1]):
                    log.info("upload_resumed", key=key, parts=len(noted[1]), of=len(plan))
                    return upload, noted[1]
            except (OSError, ValueError) as error:
                raise StorageError(f"The file for '{key}' cannot be read to its end.") from error
            await self._abort(upload)
        try:
            upload = await MultipartUpload.begin(client, self._config.bucket, key, content_type, self._encryption)
        except TRANSFER_ERRORS as error:
            raise self._translate(error, key) from error
        if note is not None:
            note.save(upload, [])
        return upload, []

    async def _send_all(
        self, upload: MultipartUpload, path: Path, plan: Sequence[Part], parts: list[StoredPart], note: Progress | None
    ) -> None:
        """Send what is missing in `parts` and add it there."""
        turn = asyncio.Semaphore(_UPLOADS_AT_ONCE)
        there = {part.number for part in parts}

        async def send(part: Part) -> None:
            async with turn:
                data, md5 = await self._read(upload.key, path, part)
                parts.append(await upload.put(part.number, data, md5))
                if note is not None:
                    note.save(upload, parts)

        try:
            async with asyncio.TaskGroup() as group:
                for part in plan:
                    if part.number not in there:
                        group.create_task(send(part))
        except BaseExceptionGroup as failed:
            raise failed.exceptions[0] from None

    async def _read(self, key: str, path: Path, part: Part) -> tuple[bytes, bytes]:
        try:
            return await asyncio.to_thread(multipart.read_part, path, part)
        except (OSError, ValueError) as error:
            raise StorageError(f"The file for '{key}' cannot be read to its end.") from error

    async def _abort(self, upload: MultipartUpload) -> None:
        """Best effort, also while being cancelled: a bucket should expire incomplete uploads by a lifecycle rule."""
        try:
            async with asyncio.timeout(_ABORT_TIMEOUT_S):
                await asyncio.shield(asyncio.ensure_future(upload.abort()))
        except TRANSFER_ERRORS as error:
            log.warning("multipart_abort_failed", key=upload.key, reason=type(error).__name__)

    async def _abort_others(self, key: str) -> None:
        """Have the store forget unfinished uploads to a key whose object is complete: a killed process left them."""
        client = await self._client()
        try:
            answer = await client.list_multipart_uploads(Bucket=self._config.bucket, Prefix=key)
        except TRANSFER_ERRORS as error:
            log.warning("multipart_list_failed", key=key, reason=type(error).__name__)
            return
        for stale in answer.get("Uploads", []):
            if stale["Key"] == key:
                await self._abort(MultipartUpload(client, self._config.bucket, key, stale["UploadId"]))

    async def delete(self, keys: Sequence[str]) -> None:
        for key in keys:
            validate(key)
        if len(keys) == 1:
            try:
                await self._control("delete_object", keys[0])
            except BlobNotFound:  # some S3 servers answer 404 where S3 answers 204
                return
        else:
            for first in range(0, len(keys), _DELETE_BATCH):
                await self._delete_batch(keys[first : first + _DELETE_BATCH])

    async def _delete_batch(self, batch: Sequence[str]) -> None:
        objects = {"Objects": [{"Key": key} for key in batch], "Quiet": True}
        answer = await self._control("delete_objects", Delete=objects)
        codes = {str(item.get("Code")) for item in answer.get("Errors", ())} - {"NoSuchKey"}
        if codes:
            raise StorageError(f"The object store refused to delete {len(batch)} objects ({', '.join(sorted(codes))}).")

    async def close(self) -> None:
        await self._clients.close()

    async def _client(self) -> Any:
        try:
            return await self._clients.control()
        except TRANSFER_ERRORS as error:
            raise self._translate(error, None) from error

    async def _control(self, operation: str, key: str | None = None, **params: Any) -> dict[str, Any]:
        client = await self._client()
        if key is not None:
            params["Key"] = key
        try:
            answer: dict[str, Any] = await getattr(client, operation)(Bucket=self._config.bucket, **params)
        except TRANSFER_ERRORS as error:
            raise self._translate(error, key) from error
        return answer

    def _translate(self, error: BaseException, key: str | None) -> StorageError:
        return translate(error, bucket=self._config.bucket, endpoint=self._config.endpoint, key=key)


def _hopeless(error: ClientError, note: Progress, *, progress: bool) -> bool:
    """Whether an upload cannot be gone on with: the store has forgotten it, or refuses it again and again."""
    if error.response.get("Error", {}).get("Code") in _FORGOTTEN:
        return True
    return not progress and note.fruitless() >= _FRUITLESS
