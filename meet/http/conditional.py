"""Weak validators for small answers, so that polling clients get 304 instead of the same bytes (contract 1.2)."""

from __future__ import annotations

import base64
import hashlib

from .call import Call
from .response import Response

_KEPT = ("etag", "cache-control", "vary", "content-location", "expires")


def conditional(call: Call, response: Response) -> Response:
    """The response with an ETag, or a 304 when the client has that version already.

    Only for 200 answers to GET and HEAD without an ETag of their own. Comparison is weak (RFC 9110 13.1.2).
    """
    if response.status != 200 or call.method not in ("GET", "HEAD") or "etag" in response.headers:
        return response
    tag = weak_etag(response.body)
    response.headers["etag"] = tag
    known = call.headers.get("if-none-match")
    if known is None or not _listed(tag, known):
        return response
    return Response(304, headers={name: value for name, value in response.headers.items() if name.lower() in _KEPT})


def weak_etag(body: bytes) -> str:
    digest = hashlib.sha1(body, usedforsecurity=False).digest()
    return f'W/"{len(body):x}-{base64.b64encode(digest).decode().rstrip("=")}"'


def _listed(tag: str, header: str) -> bool:
    opaque = tag.removeprefix("W/")
    return header.strip() == "*" or any(part.strip().removeprefix("W/") == opaque for part in header.split(","))
