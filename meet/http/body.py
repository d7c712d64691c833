"""Request bodies: read under a cap, parsed like Express does, checked against the document (contract 1.2)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast
from urllib.parse import parse_qsl

import orjson

from .bundle import DocumentError
from .call import Call, Headers
from .errors import Issue, body_too_large, malformed_body
from .merge import merge_all_of
from .messages import text
from .schema import Checker

Receive = Callable[[], Awaitable[Mapping[str, Any]]]

DEFAULT_LIMIT = 100 * 1024
"""Bytes; Express' `100kb`."""

MAX_DEPTH = 100
"""Levels of arrays and objects; deeper JSON is refused as malformed."""

MISSING: Any = object()
_QUOTE, _BACKSLASH = b'"'[0], b"\\"[0]


class ClientGone(Exception):
    """The client went away before its request was complete: nobody to answer."""


class Body:
    """What an operation says about its JSON body."""

    def __init__(self, definition: Mapping[str, Any], where: str) -> None:
        media = definition.get("content", {}).get("application/json", {})
        if "schema" not in media:
            raise DocumentError(f"{where}: the request body has no application/json schema")
        self._schema = merge_all_of(media["schema"], where)
        self._checker = Checker(media["schema"], f"{where}, body")
        self._required = bool(definition.get("required"))

    def read(self, call: Call, parsed: Any) -> list[Issue]:
        """Sets `call.body`. A missing optional body is the empty object, if the schema accepts that, else None."""
        if parsed is MISSING:
            if self._required:
                return [Issue((), text(self._schema, "required", None), "required")]
            value, issues = self._checker.run({})
            call.body = None if issues else value
            return []
        call.body, issues = self._checker.run(parsed)
        return issues


async def read_raw(headers: Headers, receive: Receive, limit: int) -> bytes:
    """The whole request body. Raises HttpError 413 above `limit` bytes, ClientGone when the client disconnects."""
    if headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers:
        return b""
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise body_too_large(limit)
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)


def parse(raw: bytes, content_type: str | None) -> Any:
    """JSON and form bodies as Python values; MISSING for anything else. Raises HttpError 400 for malformed JSON.

    Only objects and arrays count as JSON here: a bare scalar is malformed (strict mode of the parser upstream uses).
    """
    if not raw or content_type is None:
        return MISSING
    media_type = content_type.split(";", 1)[0].strip().lower()
    if media_type == "application/json":
        try:
            value = orjson.loads(raw)
        except orjson.JSONDecodeError:
            raise malformed_body() from None
        if not isinstance(value, dict | list) or _too_deep(raw):
            raise malformed_body()
        return value
    if media_type == "application/x-www-form-urlencoded":
        return _form(raw)
    return MISSING


def _too_deep(raw: bytes) -> bool:
    """Nesting no schema of ours has, which would exhaust the stack of whoever walks the value."""
    if raw.count(b"[") + raw.count(b"{") <= MAX_DEPTH:
        return False
    depth, in_text, escaped = 0, False, False
    for byte in raw:
        if in_text:
            in_text = escaped or byte != _QUOTE
            escaped = byte == _BACKSLASH and not escaped
        elif byte == _QUOTE:
            in_text = True
        elif byte in b"[{":
            depth += 1
            if depth > MAX_DEPTH:
                return True
        elif byte in b"]}":
            depth -= 1
    return False


def _form(raw: bytes) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for key, value in parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True):
        if key in fields:
            fields[key] = [*cast(list[str], _as_list(fields[key])), value]
        else:
            fields[key] = value
    return fields


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
