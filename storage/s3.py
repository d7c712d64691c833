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
from .blob import Behind, BlobInfo
from .config import S3Config
from .errors import BlobNotFound, StorageError
from .keys import recording_key, validate
from .multipart import PART_SIZE, MultipartUpload, Part, StoredPart, digest
from .patience import Patience, unless_stalled
from .resume import Progress
from .s3_behind import S3Behind
from .s3_client import S3Clients
from .s3_errors import TRANSFER_ERRORS, translate
from .s3_read import ObjectReader
from .s3_upload import Uploads
from .slice import Slice

log = structlog.get_logger(__name__)

_DELETE_BATCH = 1000
_ONE_BY_ONE = 2  # a recording and its index: some S3 servers do not know DeleteObjects


class S3Store:
    """`BlobStore` on an S3 API. Must be used on one event loop, the one of its first call.

    Files over one part (5 MiB) go up as multipart uploads, three parts at a time, read from the disk as they are sent.
    S3 shows an object only when its upload is complete, which is the visibility the protocol asks for.
    """

    def __init__(
        self,
        config: S3Config,
        *,
        part_size: int = PART_SIZE,
        patience: Patience = Patience(),  # noqa: B008
    ) -> None:
        self._config = config
        self._patience = patience
        self._encryption = config.encryption()
        self._clients = S3Clients(config, patience)
        self._uploads = Uploads(self._clients, config, part_size, patience)

    async def check(self, *, writing: bool = False) -> None:
        if not writing:
            await self._control("head_bucket")
            return
        # An upload that is begun and aborted shows nobody anything, and a refusal of it says why: HEAD has no body.
        key = recording_key(self._config.prefix, "check", "write")
        begun = await self._control("create_multipart_upload", Key=key, **self._encryption)
        await self._uploads.abort(
            MultipartUpload(await self._clients.control(), self._config.bucket, key, begun["UploadId"])
        )

    async def head(self, key: str) -> BlobInfo:
        try:
            answer = await self._control("head_object", validate(key))
        except BlobNotFound:
            await self._blame_bucket()
            raise
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
        reader = ObjectReader(self._clients, self._config, validate(key), self._patience)
        try:
            await reader.open(start, end, if_match)
            async with aclosing(reader.read()) as chunks:
                yield chunks
        finally:
            reader.close()

    async def put_file(
        self, key: str, path: Path, content_type: str, *, progress: Path | None = None, final: bool = False
    ) -> BlobInfo:
        validate(key)
        try:
            size = path.stat().st_size
        except FileNotFoundError as error:
            raise StorageError(f"The file for '{key}' does not exist.") from error
        note = Progress(progress, self._config.name) if progress is not None else None
        if size <= self._uploads.part_size:
            sent = [await self._put_small(key, path, size, content_type)]
            if note is not None:
                await self._uploads.drop(key, note)
        else:
            sent = await self._uploads.put(key, path, size, content_type, note)
        info = await self.head(key)
        right = info.size == size and await self._holds(info, sent)
        if note is not None and right:
            await self._uploads.abort_others(key)
        if note is not None:
            note.forget()
        if not right:
            raise StorageError(f"The object store holds other bytes under '{key}' than were sent.")
        return info

    async def _holds(self, info: BlobInfo, sent: Sequence[StoredPart]) -> bool:
        """Whether an object of the right size is what was sent: by its ETag or, where that is made otherwise than S3
        makes it, by reading it. Every part was compared with its MD5 when it arrived."""
        etag = sent[0].etag if len(sent) == 1 else multipart.expected_etag(sent)
        if etag is None or info.etag == etag:
            return True
        log.info("stored_file_read_back", key=info.key, etag=info.etag)
        async with self.open(info.key, if_match=info.etag) as chunks:
            return await multipart.consists_of(chunks, multipart.plan(info.size, self._uploads.part_size), sent)

    def behind(self, key: str, path: Path, content_type: str, *, progress: Path) -> Behind | None:
        return S3Behind(self._uploads, validate(key), path, content_type, Progress(progress, self._config.name))

    async def _put_small(self, key: str, path: Path, size: int, content_type: str) -> StoredPart:
        whole = Part(1, 0, size)
        try:
            md5 = await asyncio.to_thread(digest, path, whole)
            body = Slice(path, whole)
        except (OSError, ValueError) as error:
            raise StorageError(f"The file for '{key}' cannot be read to its end.") from error
        client = await self._client()
        try:
            with body:
                async with unless_stalled(body.taken, self._patience.upload):
                    answer = await client.put_object(
                        Bucket=self._config.bucket,
                        Key=key,
                        Body=body,
                        ContentType=content_type,
                        ContentMD5=base64.b64encode(md5).decode(),
                        **self._encryption,
                    )
        except TRANSFER_ERRORS as error:
            raise self._translate(error, key) from error
        return StoredPart(1, str(answer["ETag"]), md5.hex())

    async def delete(self, keys: Sequence[str]) -> frozenset[str]:
        wanted = list(dict.fromkeys(validate(key) for key in keys))
        kept: dict[str, StorageError] = {}
        if len(wanted) <= _ONE_BY_ONE:
            found = await asyncio.gather(*(self._delete_one(key) for key in wanted))
            kept.update((key, error) for key, error in zip(wanted, found, strict=True) if error is not None)
        else:
            for first in range(0, len(wanted), _DELETE_BATCH):
                batch = wanted[first : first + _DELETE_BATCH]
                try:
                    kept |= await self._delete_batch(batch)
                except StorageError as error:
                    kept |= dict.fromkeys(wanted[first:], error)
                    break
        if kept and len(kept) == len(wanted):
            raise next(iter(kept.values()))
        if kept:
            log.warning("objects_not_deleted", count=len(kept), reason=str(next(iter(kept.values()))))
        return frozenset(kept)

    async def _delete_one(self, key: str) -> StorageError | None:
        try:
            await self._control("delete_object", key)
        except BlobNotFound:  # some S3 servers answer 404 where S3 answers 204
            return None
        except StorageError as error:
            return error
        return None

    async def _delete_batch(self, batch: Sequence[str]) -> dict[str, StorageError]:
        objects = {"Objects": [{"Key": key} for key in batch], "Quiet": True}
        answer = await self._control("delete_objects", Delete=objects)
        refused = {str(item.get("Key")): str(item.get("Code")) for item in answer.get("Errors", ())}
        return {
            key: self._translate(ClientError({"Error": {"Code": refused[key]}}, "DeleteObjects"), None)
            for key in batch
            if refused.get(key, "NoSuchKey") != "NoSuchKey"
        }

    async def close(self) -> None:
        await self._clients.close()

    async def _client(self) -> Any:
        try:
            return await self._clients.control()
        except TRANSFER_ERRORS as error:
            raise self._translate(error, None) from error

    async def _control(self, operation: str, key: str | None = None, **params: Any) -> dict[str, Any]:
        """A request that somebody waits for. Raises StorageError."""
        if key is not None:
            params["Key"] = key
        try:
            async with asyncio.timeout(self._patience.answer):
                client = await self._clients.control()
                answer: dict[str, Any] = await getattr(client, operation)(Bucket=self._config.bucket, **params)
        except TRANSFER_ERRORS as error:
            raise self._translate(error, key) from error
        return answer

    async def _blame_bucket(self) -> None:
        """Raise StorageMisconfigured when there is no bucket: the answer to a HEAD of an object is the same 404."""
        try:
            client = await self._client()
            async with asyncio.timeout(self._patience.answer):
                await client.head_bucket(Bucket=self._config.bucket)
        except ClientError as error:
            if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") == 404:
                raise self._translate(error, None) from error
        except TRANSFER_ERRORS as error:
            raise self._translate(error, None) from error

    def _translate(self, error: BaseException, key: str | None) -> StorageError:
        return translate(error, self._config, key)
