"""Plain responses: bytes that are in memory. Streams are raw ASGI objects instead (see `streaming`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

_WHOLE_LIMIT = 2.0**53
_AS_IS = frozenset({str, int, bool})  # most values; not calling `wire` for them halves its cost


class Response:
    """Status, body bytes and headers. Header names keep the case they are given in; they go out in lower case.

    `version` names the state of what the body shows, whatever part of it that is; it becomes part of the ETag."""

    __slots__ = ("body", "headers", "status", "version")

    def __init__(self, status: int = 200, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> None:
        self.status = status
        self.body = body or b""
        self.headers: dict[str, str] = dict(headers) if headers else {}
        self.version: str | None = None


def json_response(status: int, obj: Any, headers: Mapping[str, str] | None = None) -> Response:
    """JSON answer: `None` values of objects are left out, whole floats are written as integers (contract 1.2, G)."""
    response = Response(status, encode(obj), headers)
    response.headers.setdefault("content-type", "application/json; charset=utf-8")
    return response


def encode(obj: Any) -> bytes:
    """Compact JSON bytes after `wire`.

    Raises TypeError for values JSON cannot express.
    """
    body = orjson.dumps(obj)
    # `wire` costs many times what writing JSON does, and most answers have nothing for it. What it changes shows.
    return orjson.dumps(wire(obj)) if b"null" in body or b".0" in body else body


def wire(obj: Any) -> Any:
    """The value as JavaScript would write it: no undefined members, 1.0 is 1."""
    if isinstance(obj, dict):
        return {key: value if type(value) in _AS_IS else wire(value) for key, value in obj.items() if value is not None}
    if isinstance(obj, list | tuple):
        return [value if type(value) in _AS_IS else wire(value) for value in obj]
    if isinstance(obj, float) and obj.is_integer() and abs(obj) < _WHOLE_LIMIT:
        return int(obj)
    return obj
