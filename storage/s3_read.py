"""Reading one object: a body that survives a lost connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import aiohttp

from .config import S3Config
from .errors import StorageUnavailable
from .patience import Patience
from .s3_client import S3Clients
from .s3_errors import TRANSFER_ERRORS, translate

_RESUMES = 2
_CHUNK_SIZE = 64 * 1024  # aiohttp sizes its own buffer after this
_RESUME_DELAY_S = 0.2


class ObjectReader:
    """Bytes `start` to `end` of an object over one connection at a time.

    A connection lost half-way (a viewer paused for so long that the store gave up, a store node restarted) is replaced
    by asking for the rest with If-Match, so that the bytes are always of one and the same object. After two failures
    without progress the read fails.
    """

    def __init__(self, clients: S3Clients, config: S3Config, key: str, patience: Patience) -> None:
        self._clients = clients
        self._config = config
        self._key = key
        self._patience = patience
        self._body: Any = None
        self._etag: str | None = None
        self._offset = 0
        self._last = -1

    async def open(self, start: int, end: int | None, if_match: str | None) -> None:
        """Send the request. Raises the errors of `BlobStore.open`; there is no connection to give back then."""
        answer = await self._get(start, end, if_match)
        self._etag = answer["ETag"]
        self._offset = start
        self._last = start + int(answer["ContentLength"]) - 1

    async def _get(self, start: int, end: int | None, if_match: str | None) -> dict[str, Any]:
        params: dict[str, Any] = {"Bucket": self._config.bucket, "Key": self._key}
        ranged = start > 0 or end is not None
        if ranged:
            params["Range"] = f"bytes={start}-{'' if end is None else end}"
        if if_match is not None:
            params["IfMatch"] = if_match
        try:
            async with asyncio.timeout(self._patience.answer):
                client = await self._clients.streams()
                answer: dict[str, Any] = await client.get_object(**params)
        except TRANSFER_ERRORS as error:
            raise translate(error, self._config, self._key) from error
        self._body = answer["Body"]
        if ranged and not str(answer.get("ContentRange", "")).startswith(f"bytes {start}-"):
            self.close()
            raise StorageUnavailable("The object store ignores byte ranges.")
        return answer

    async def read(self) -> AsyncGenerator[bytes, None]:
        """The bytes in chunks of up to 64 KiB."""
        failures = 0
        while self._offset <= self._last:
            try:
                async for chunk in self._body.raw_stream.content.iter_chunked(_CHUNK_SIZE):
                    self._offset += len(chunk)
                    failures = 0
                    yield chunk
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                failures = await self._count(failures, error)
            else:
                if self._offset > self._last:
                    return
                failures = await self._count(failures, None)
            await self._get(self._offset, self._last, self._etag)

    async def _count(self, failures: int, error: Exception | None) -> int:
        self.close()
        if failures >= _RESUMES:
            raise StorageUnavailable(f"The object store stopped in the middle of '{self._key}'.") from error
        await asyncio.sleep(_RESUME_DELAY_S)
        return failures + 1

    def close(self) -> None:
        """Free the connection: aiohttp pools it after the last byte and closes it when bytes are still due."""
        if self._body is not None:
            self._body.raw_stream.release()
            self._body = None
