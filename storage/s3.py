"""Blobs as objects of one S3 bucket."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from datetime import UTC
from pathlib import Path
from typing import Any

from .blob import Behind, BlobInfo
from .config import S3Config
from .errors import BlobNotFound, StorageError
from .keys import validate
from .multipart import PART_SIZE, Part, digest
from .resume import Progress
from .s3_behind import S3Behind
from .s3_client import S3Clients
from .s3_errors import TRANSFER_ERRORS, translate
from .s3_read import ObjectReader
from .s3_upload import Uploads
from .slice import Slice

_DELETE_BATCH = 1000


class S3Store:
    """`BlobStore` on an S3 API. Must be used on one event loop, the one of its first call.

    Files over one part (5 MiB) go up as multipart uploads, three parts at a time, read from the disk as they are sent.
    S3 shows an object only when its upload is complete, which is the visibility the protocol asks for.
    """

    def __init__(self, config: S3Config, *, part_size: int = PART_SIZE) -> None:
        self._config = config
        self._encryption = config.encryption()
        self._clients = S3Clients(config)
        self._uploads = Uploads(self._clients, config, part_size)

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

    async def put_file(
        self, key: str, path: Path, content_type: str, *, progress: Path | None = None, final: bool = False
    ) -> BlobInfo:
        validate(key)
        try:
            size = path.stat().st_size
        except FileNotFoundError as error:
            raise StorageError(f"The file for '{key}' does not exist.") from error
        if size <= self._uploads.part_size:
            etag = await self._put_small(key, path, size, content_type)
        else:
            note = Progress(progress) if progress is not None else None
            etag = await self._uploads.put(key, path, size, content_type, note)
        info = await self.head(key)
        if info.size != size or info.etag != etag:
            raise StorageError(f"The object store holds other bytes under '{key}' than were sent.")
        if progress is not None:
            await self._uploads.abort_others(key)
        return info

    def behind(self, key: str, path: Path, content_type: str, *, progress: Path) -> Behind | None:
        return S3Behind(self._uploads, validate(key), path, content_type, progress)

    async def _put_small(self, key: str, path: Path, size: int, content_type: str) -> str:
        whole = Part(1, 0, size)
        try:
            md5 = await asyncio.to_thread(digest, path, whole)
            body = Slice(path, whole)
        except (OSError, ValueError) as error:
            raise StorageError(f"The file for '{key}' cannot be read to its end.") from error
        with body:
            answer = await self._control(
                "put_object",
                key,
                Body=body,
                ContentType=content_type,
                ContentMD5=base64.b64encode(md5).decode(),
                **self._encryption,
            )
        return str(answer["ETag"])

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
