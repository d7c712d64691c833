"""The server under measurement: uvicorn, the range responder and the filesystem store, nothing else."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import uvicorn

from meet.http.call import Headers
from meet.http.ranges import Representation, range_response
from meet.http.response import Response
from meet.http.streaming import Receive, Send
from storage.filesystem import FilesystemStore


def main() -> None:
    store = FilesystemStore(Path(sys.argv[1]))

    async def app(scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        info = await store.head(scope["path"].removeprefix("/media/"))
        response = range_response(
            scope["method"],
            Headers(scope["headers"]),
            Representation(info.size, info.etag, info.last_modified, info.content_type),
            lambda start, end: store.open(info.key, start, end, if_match=info.etag),
        )
        assert not isinstance(response, Response), "nobody asks with a condition here"
        await response(scope, receive, send)

    uvicorn.run(
        app,
        port=int(sys.argv[2]),
        lifespan="off",
        access_log=False,
        log_level="warning",
        loop="uvloop",
        http="httptools",
    )


if __name__ == "__main__":
    main()
