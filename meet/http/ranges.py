"""Byte ranges (RFC 9110 section 14) and preconditions for representations of known size."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime

from .errors import HttpError
from .preconditions import HeaderLookup, http_time, judge
from .response import Response
from .streaming import StreamResponse

_SPEC = re.compile(r"([0-9]{0,4000})-([0-9]{0,4000})", re.ASCII)  # int() refuses longer ones

Opener = Callable[[int, int], AbstractAsyncContextManager[AsyncIterator[bytes]]]
"""Opens bytes `start` to `end`, both inclusive."""


@dataclass(frozen=True, slots=True)
class Representation:
    """What is being sent: size in bytes, strong quoted ETag, modification time (aware), media type."""

    size: int
    etag: str
    last_modified: datetime
    content_type: str


@dataclass(frozen=True, slots=True)
class ByteRange:
    """First and last byte, both inclusive."""

    start: int
    end: int


class RangeNotSatisfiable(Exception):
    """The only range asked for lies outside of the representation."""

    def __init__(self, size: int) -> None:
        super().__init__(f"range not satisfiable, size is {size}")
        self.size = size
        self.headers = {"Content-Range": f"bytes */{size}", "Accept-Ranges": "bytes"}


def parse_range(value: str | None, size: int, *, open_limit: int | None = None) -> ByteRange | None:
    """The single satisfiable range of a Range header, clamped to `size`, or None for the whole representation.

    Whole: no header, another unit, several ranges, or a value that is not valid, all of which a server may ignore
    (RFC 9110 14.2). `open_limit` caps the bytes of an open range `a-`. Raises RangeNotSatisfiable.
    """
    unit, found, specs = (value or "").partition("=")
    if not found or unit.strip().lower() != "bytes":
        return None
    given = [spec for spec in (part.strip(" \t") for part in specs.split(",")) if spec]
    match = _SPEC.fullmatch(given[0]) if len(given) == 1 else None
    if match is None or not (match[1] or match[2]):
        return None
    if not match[1]:
        return _suffix(int(match[2]), size)
    start = int(match[1])
    if match[2]:
        end = int(match[2])
        if end < start:
            return None
    else:
        end = size - 1 if open_limit is None else start + open_limit - 1
    if start >= size:
        raise RangeNotSatisfiable(size)
    return ByteRange(start, min(end, size - 1))


def _suffix(length: int, size: int) -> ByteRange | None:
    if length == 0:
        raise RangeNotSatisfiable(size)
    if size == 0:
        return None  # satisfiable, but a 206 cannot express no bytes: 14.1.2 and 14.4
    return ByteRange(max(0, size - length), size - 1)


def range_applies(if_range: str | None, representation: Representation) -> bool:
    """Whether If-Range lets the Range header count: strong ETag comparison or the exact date (RFC 9110 13.1.5)."""
    if if_range is None:
        return True
    validator = if_range.strip()
    if validator.startswith(('"', "W/")):
        return validator == representation.etag and not validator.startswith("W/")
    date = http_time(validator)
    return date is not None and date == representation.last_modified.replace(microsecond=0)


def http_date(moment: datetime) -> str:
    """IMF-fixdate of an aware time (RFC 9110 5.6.7)."""
    return format_datetime(moment.astimezone(UTC), usegmt=True)


def range_response(
    method: str,
    headers: HeaderLookup,
    representation: Representation,
    opener: Opener,
    *,
    cache_control: str = "public, max-age=3600",
    open_limit: int | None = None,
    unsatisfiable: Callable[[int], tuple[str, str]] = lambda size: (
        "Range Not Satisfiable",
        f"Range not satisfiable. Size: {size}",
    ),
    failed: tuple[str, str] = ("Precondition Failed", "The file is not the one that the preconditions name"),
    label: str = "",
) -> StreamResponse | Response:
    """200, 206 or 304 for a GET or HEAD.

    Raises HttpError 412, with `failed` as error name and message; 416 with `Content-Range: bytes */N`, where
    `unsatisfiable(size)` gives them.
    HEAD never looks at Range, as RFC 9110 14.2 defines it for GET only: it shows the headers of the 200.
    """
    verdict = judge(headers, representation.etag, representation.last_modified)
    if verdict == "failed":
        raise HttpError(412, *failed)
    if verdict == "not modified":
        return Response(304, headers={"Cache-Control": cache_control, "ETag": representation.etag})
    chosen = None
    if method == "GET" and range_applies(headers.get("if-range"), representation):
        try:
            chosen = parse_range(headers.get("range"), representation.size, open_limit=open_limit)
        except RangeNotSatisfiable as outside:
            raise HttpError(416, *unsatisfiable(outside.size), headers=outside.headers) from None
    common = {
        "Content-Type": representation.content_type,
        "Accept-Ranges": "bytes",
        "Cache-Control": cache_control,
        "ETag": representation.etag,
        "Last-Modified": http_date(representation.last_modified),
    }
    if chosen is None:
        last = representation.size - 1
        return StreamResponse(200, common, lambda: opener(0, last), representation.size, label=label)
    common["Content-Range"] = f"bytes {chosen.start}-{chosen.end}/{representation.size}"
    length = chosen.end - chosen.start + 1
    return StreamResponse(206, common, lambda: opener(chosen.start, chosen.end), length, label=label)
