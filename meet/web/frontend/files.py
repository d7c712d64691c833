"""Files of the web app, straight from disk: Starlette finds and sends them, text is compressed once."""

from __future__ import annotations

import gzip
import os
import re
import stat
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from anyio import to_thread
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.staticfiles import NotModifiedResponse, StaticFiles
from starlette.types import Scope

from meet.web.accept import accepts_gzip

# Angular puts a hash of the content into these names, so they may be kept; everything else is asked for again.
_HASHED = re.compile(r"(^|/)[^/]*-[A-Z0-9]{8}\.(js|css)$|(^|/)media/[^/]*-[A-Z0-9]{8}\.[a-z0-9]+$")
_FOREVER = "public, max-age=31536000, immutable"
_ASK_AGAIN = "public, max-age=0"
_COMPRESSED = (".js", ".mjs", ".css", ".html", ".svg", ".json", ".txt", ".map", ".webmanifest", ".wasm", ".ttf")
_LARGEST_COMPRESSED = 16 << 20
_LEVEL = 6


class BuiltFiles:
    """The regular files below one folder. Hidden files, links that lead out, and paths with `..` do not exist."""

    def __init__(self, folder: Path) -> None:
        self._files = StaticFiles(directory=folder)

    async def respond(self, path: str, scope: Scope) -> Response | None:
        """The answer to GET or HEAD of `path` (relative, decoded); None when there is no such file."""
        parts = path.split("/")
        if any(part == "" or part.startswith(".") or "\\" in part or "\0" in part for part in parts):
            return None
        try:
            full, facts = await to_thread.run_sync(self._files.lookup_path, path)
        except OSError:  # a name that is too long, a folder that may not be read: nothing there to send
            return None
        if facts is None or not stat.S_ISREG(facts.st_mode):
            return None
        response = self._files.file_response(full, facts, scope)
        response.headers["cache-control"] = _FOREVER if _HASHED.search(path) else _ASK_AGAIN
        response.headers["x-content-type-options"] = "nosniff"
        if not full.endswith(_COMPRESSED) or facts.st_size > _LARGEST_COMPRESSED:
            return response
        response.headers["vary"] = "accept-encoding"
        asked = Headers(scope=scope)
        if "range" in asked or not accepts_gzip(asked.get("accept-encoding", "").encode("latin-1")):
            return response
        return await self._packed(full, facts, scope, response.headers)

    async def _packed(self, full: str, facts: os.stat_result, scope: Scope, plain: Mapping[str, str]) -> Response:
        body = await to_thread.run_sync(_gzip, full, facts.st_mtime_ns)
        # A coding has a validator of its own (RFC 9110 8.8.3.3).
        headers = {**plain, "etag": f'{plain["etag"][:-1]}-gzip"', "content-encoding": "gzip"}
        headers |= {"content-length": str(len(body))}
        headers.pop("accept-ranges", None)
        answer = Response(b"" if scope["method"] == "HEAD" else body, headers=headers)
        if self._files.is_not_modified(answer.headers, Headers(scope=scope)):
            return NotModifiedResponse(answer.headers)
        return answer


@lru_cache(maxsize=512)
def _gzip(full: str, _modified_ns: int) -> bytes:
    return gzip.compress(Path(full).read_bytes(), compresslevel=_LEVEL, mtime=0)
