"""Serving the built static files: a small ASGI application that holds them in memory, compressed once.

Every name carries the hash of its content (RFC 9111: fresh for a year, immutable), so a browser asks once per build.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .accept import accepts_gzip

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
_FOREVER = b"public, max-age=31536000, immutable"
_NOT_FOUND = b'{"error":"Path Not Found","message":"API path not implemented"}'


@dataclass(frozen=True, slots=True)
class _Variant:
    """One encoding of one file. The strong validator differs between encodings (RFC 9110 8.8.1)."""

    body: bytes
    etag: bytes
    headers: tuple[tuple[bytes, bytes], ...]


class StaticFiles:
    """Answers GET and HEAD of `.../static/<file>`; the files directly in `directory` with a known type, no others."""

    def __init__(self, directory: Path) -> None:
        self._plain: dict[str, _Variant] = {}
        self._gzip: dict[str, _Variant] = {}
        for path in sorted(directory.iterdir()) if directory.is_dir() else ():
            kind = _TYPES.get(path.suffix)
            if kind is None or not path.is_file():
                continue
            content = path.read_bytes()
            self._plain[path.name] = _variant(content, kind, ())
            packed = gzip.compress(content, compresslevel=9, mtime=0)
            self._gzip[path.name] = _variant(packed, kind, ((b"content-encoding", b"gzip"),))

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        name: str = scope["path"].rpartition("/static/")[2]
        if name not in self._plain or scope["method"] not in ("GET", "HEAD"):
            await _send(send, 404, ((b"content-type", b"application/json; charset=utf-8"),), _NOT_FOUND)
            return
        asked = {key: value for key, value in scope["headers"] if key in (b"accept-encoding", b"if-none-match")}
        packed = accepts_gzip(asked.get(b"accept-encoding", b""))
        variant = (self._gzip if packed else self._plain)[name]
        if _matches(asked.get(b"if-none-match", b""), variant.etag):
            kept = tuple(pair for pair in variant.headers if pair[0] in (b"etag", b"cache-control", b"vary"))
            await _send(send, 304, kept, None)
            return
        await _send(send, 200, variant.headers, variant.body, head=scope["method"] == "HEAD")


def _variant(body: bytes, kind: str, extra: tuple[tuple[bytes, bytes], ...]) -> _Variant:
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'.encode()
    headers = (
        (b"content-type", kind.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"etag", etag),
        (b"cache-control", _FOREVER),
        (b"vary", b"accept-encoding"),
        (b"x-content-type-options", b"nosniff"),
        *extra,
    )
    return _Variant(body, etag, headers)


def _matches(header: bytes, etag: bytes) -> bool:
    """Weak comparison of If-None-Match with our validator (RFC 9110 13.1.2)."""
    candidates = [item.strip().removeprefix(b"W/") for item in header.split(b",")]
    return b"*" in candidates or etag in candidates


async def _send(
    send: Send, status: int, headers: tuple[tuple[bytes, bytes], ...], body: bytes | None, *, head: bool = False
) -> None:
    if body is not None and not any(name == b"content-length" for name, _ in headers):
        headers = (*headers, (b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": list(headers)})
    await send({"type": "http.response.body", "body": b"" if head or body is None else body})
