"""The two aiobotocore clients of an S3 store, made at first use on the running event loop."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
from aiobotocore.config import AioConfig
from aiobotocore.httpsession import AIOHTTPSession
from aiobotocore.session import get_session
from botocore import UNSIGNED

from .config import S3Config
from .errors import StorageUnavailable
from .patience import Patience

_CONTROL_CONNECTIONS = 20
_CONNECT_TIMEOUT_S = 5
_READ_BUFFER = 32 * 1024


class _SmallBufferSession(AIOHTTPSession):  # type: ignore[misc]
    """aiobotocore's HTTP session with a smaller read buffer per connection.

    aiohttp buffers up to 768 KiB of a response nobody takes, which is 150 MiB for 200 slow readers, and aiobotocore has
    no option for it. tests/functional/storage/test_slow_readers.py fails when a release moves this attribute.
    """

    async def _get_session(self, proxy_url: str | None) -> aiohttp.ClientSession:
        session: aiohttp.ClientSession = await super()._get_session(proxy_url)
        session._read_bufsize = _READ_BUFFER
        return session


class S3Clients:
    """`streams` reads objects, `control` does everything else.

    They have separate connection pools: when every stream connection is held by a slow viewer, a HEAD, an upload or a
    delete must still go through at once.
    """

    def __init__(self, config: S3Config, patience: Patience) -> None:
        self._config = config
        self._patience = patience
        self._stack = AsyncExitStack()
        self._lock = asyncio.Lock()
        self._made: tuple[Any, Any] | None = None
        self._closed = False
        self._session = get_session()

    async def control(self) -> Any:
        return (await self._both())[0]

    async def streams(self) -> Any:
        return (await self._both())[1]

    async def _both(self) -> tuple[Any, Any]:
        if self._made is None:
            async with self._lock:
                if self._closed:
                    raise StorageUnavailable("The object store was closed.")
                if self._made is None:
                    await asyncio.to_thread(self._load_models)
                    control = await self._client(_CONTROL_CONNECTIONS, self._patience.upload)
                    self._made = (control, await self._client(self._config.connections, self._patience.body))
        return self._made

    def _load_models(self) -> None:
        """Reading botocore's models takes 0.2 s: off the event loop, which a recorder needs for its media."""

        async def load() -> None:
            config = AioConfig(signature_version=UNSIGNED)
            async with self._session.create_client("s3", region_name="us-east-1", config=config):
                pass

        asyncio.run(load())

    async def _client(self, connections: int, read_timeout_s: float) -> Any:
        config = self._config
        options = AioConfig(
            http_session_cls=_SmallBufferSession,
            max_pool_connections=connections,
            connect_timeout=_CONNECT_TIMEOUT_S,
            read_timeout=read_timeout_s,
            retries={"mode": "standard", "total_max_attempts": 3},
            s3={
                "addressing_style": "path" if config.path_style else "virtual",
                # Bodies are bound to the signature by their Content-MD5, a signed header. A SHA-256 of every part would
                # stop the event loop for as long as it takes.
                "payload_signing_enabled": False,
            },
            # Older S3 servers choke on the CRC trailers that botocore sends by default since 1.36.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        client = self._session.create_client(
            "s3",
            region_name=config.region or None,
            endpoint_url=config.endpoint or None,
            aws_access_key_id=config.access_key or None,
            aws_secret_access_key=config.secret_key or None,
            config=options,
        )
        return await self._stack.enter_async_context(client)

    async def close(self) -> None:
        """Close both pools, for good. Safe to call when nothing was opened."""
        async with self._lock:  # a client that is just being made has to be closed, too
            self._made, self._closed = None, True
            await self._stack.aclose()
