"""The web component: one script at an address that never changes, which sites elsewhere embed (contract 1.9).

Ours comes from `web/src/embed`; where a built web app takes the place of the pages, it has its own."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from anyio import to_thread

from meet.http.response import Response

_HEADERS = {"content-type": "text/javascript; charset=utf-8", "x-content-type-options": "nosniff"}


async def respond(path: Path, if_none_match: str | None) -> Response:
    """The script, or 304 when the browser has this very version. It asks every time (`no-cache`)."""
    body, tag = await to_thread.run_sync(_read, path, path.stat().st_mtime_ns)
    validators: Mapping[str, str] = {"cache-control": "no-cache", "etag": tag}
    if if_none_match is not None and tag in (item.strip() for item in if_none_match.split(",")):
        return Response(304, headers=validators)
    return Response(200, body, {**_HEADERS, **validators})


@lru_cache(maxsize=4)
def _read(path: Path, _modified_ns: int) -> tuple[bytes, str]:
    body = path.read_bytes()
    return body, f'"{hashlib.sha256(body).hexdigest()}"'
