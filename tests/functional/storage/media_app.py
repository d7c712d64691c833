"""A small real server for the tests: `/media/<key>` and `/zip?key=..&key=..` from a blob store, under uvicorn.

`python -m tests.functional.storage.media_app fs ROOT` or `... s3 ENDPOINT BUCKET` prints its port and serves.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import uvicorn

from meet.http.call import Headers
from meet.http.errors import HttpError
from meet.http.ranges import Representation, range_response
from meet.http.response import Response
from meet.http.streaming import Receive, Send, StreamResponse
from meet.http.zip import ZipEntry, unique_names, zip_response
from storage import BlobInfo, BlobNotFound, BlobStore, S3Config, StorageError
from storage.filesystem import FilesystemStore
from storage.s3 import S3Store


class MediaApp:
    """ASGI application over one store."""

    def __init__(self, store: BlobStore) -> None:
        self.store = store

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await self.store.close()
            await send({"type": "lifespan.shutdown.complete"})
            return
        try:
            answer = await self._route(scope)
            if isinstance(answer, StreamResponse):
                await answer(scope, receive, send)
                return
        except (HttpError, StorageError) as error:
            answer = (error if isinstance(error, HttpError) else _http_error(error)).render()
        headers = [(name.lower().encode(), value.encode()) for name, value in answer.headers.items()]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})

    async def _route(self, scope: Mapping[str, Any]) -> StreamResponse | Response:
        path: str = scope["path"]
        if path == "/zip":
            keys = parse_qs(scope["query_string"].decode()).get("key", [])
            infos = [await self.store.head(key) for key in keys]
            names = unique_names(info.key.rpartition("/")[2] for info in infos)
            return zip_response([self._entry(name, info) for name, info in zip(names, infos, strict=True)])
        info = await self.store.head(path.removeprefix("/media/"))
        return range_response(
            scope["method"],
            Headers(scope["headers"]),
            Representation(info.size, info.etag, info.last_modified, info.content_type),
            lambda start, end: self.store.open(info.key, start, end, if_match=info.etag),
            unsatisfiable=lambda size: ("Recording Error", f"Size: {size}"),
            label=info.key,
        )

    def _entry(self, name: str, info: BlobInfo) -> ZipEntry:
        return ZipEntry(name, info.size, lambda: self.store.open(info.key, if_match=info.etag), info.last_modified)


def _http_error(error: StorageError) -> HttpError:
    return HttpError(404 if isinstance(error, BlobNotFound) else 503, type(error).__name__, str(error))


def make_store(kind: str, arguments: list[str]) -> BlobStore:
    """The store named on the command line."""
    if kind == "fs":
        return FilesystemStore(Path(arguments[0]))
    return S3Store(S3Config(bucket=arguments[1], endpoint=arguments[0], access_key="key", secret_key="secret"))


def main() -> None:
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    print(listener.getsockname()[1], flush=True)
    app = MediaApp(make_store(sys.argv[1], sys.argv[2:]))
    config = uvicorn.Config(app, access_log=False, loop="uvloop", http="httptools", log_level="warning")
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
