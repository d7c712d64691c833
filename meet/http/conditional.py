"""Weak validators for small answers, so that polling clients get 304 instead of the same bytes (contract 1.2)."""

from __future__ import annotations

import base64
import hashlib
import re
import zlib

from .call import Call
from .preconditions import listed
from .response import Response

_TAG = re.compile(r'(?:W/)?"([^"]*)"')
_KEPT = ("etag", "cache-control", "vary", "content-location", "expires")


def conditional(call: Call, response: Response) -> Response:
    """The response with an ETag, or a 304 when the client has that version already.

    Only for 200 answers to GET and HEAD without an ETag of their own. Comparison is weak (RFC 9110 13.1.2).
    """
    if response.status != 200 or call.method not in ("GET", "HEAD") or "etag" in response.headers:
        return response
    tag = weak_etag(response.body, response.version)
    response.headers["etag"] = tag
    known = call.headers.get("if-none-match")
    if known is None or not listed(known, tag):
        return response
    return Response(304, headers={name: value for name, value in response.headers.items() if name.lower() in _KEPT})


def weak_etag(body: bytes, version: str | None = None) -> str:
    """A tag of the body; with a `version` that names the state, the rest only tells how much of it is shown."""
    if version is not None:
        return f'W/"{version}.{len(body):x}-{zlib.crc32(body):x}"'
    digest = hashlib.sha1(body, usedforsecurity=False).digest()
    return f'W/"{len(body):x}-{base64.b64encode(digest).decode().rstrip("=")}"'


def versions(if_match: str | None) -> frozenset[str] | None:
    """The versions in the tags of an If-Match header; None for no header and for `*`, which asks for no certain one.

    Weak tags count: ours are weak, and compare states rather than bytes. Tags without a version match nothing."""
    if if_match is None or if_match.strip() == "*":
        return None
    return frozenset(tag.partition(".")[0] for tag in _TAG.findall(if_match))
