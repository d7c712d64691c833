"""Conditional requests (RFC 9110 section 13) for representations with validators."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Literal, Protocol, TypeAlias

Verdict: TypeAlias = Literal["go on", "not modified", "failed"]

_TAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"')


class HeaderLookup(Protocol):
    """Request headers: `get` ignores the case of names."""

    def get(self, name: str, /) -> str | None: ...


def judge(headers: HeaderLookup, etag: str, last_modified: datetime) -> Verdict:
    """What the preconditions of a GET or HEAD come to: a 304, a 412, or neither, in the order of RFC 9110 13.2.2.

    etag: quoted; last_modified: aware, compared in whole seconds. Dates that are none are not there; so is a date
    beside the tags that it stands in for. If-Range is not for here: it cannot fail.
    """
    last_modified = last_modified.replace(microsecond=0)
    wanted, known = headers.get("if-match"), headers.get("if-none-match")
    unchanged_since = http_time(headers.get("if-unmodified-since")) if wanted is None else None
    changed_since = http_time(headers.get("if-modified-since")) if known is None else None
    if wanted is not None and not listed(wanted, etag, strong=True):
        return "failed"
    if unchanged_since is not None and last_modified > unchanged_since:
        return "failed"
    if known is not None and listed(known, etag):
        return "not modified"
    if changed_since is not None and last_modified <= changed_since:
        return "not modified"
    return "go on"


def listed(header: str, etag: str, *, strong: bool = False) -> bool:
    """Whether a list of entity tags, or `*`, has this one; by weak comparison unless `strong` (RFC 9110 8.8.3.2)."""
    if header.strip() == "*":
        return True
    tags: list[str] = _TAG.findall(header)
    if strong:
        return etag in tags and not etag.startswith("W/")
    return etag.removeprefix("W/") in (tag.removeprefix("W/") for tag in tags)


def http_time(value: str | None) -> datetime | None:
    """The aware time of an HTTP-date (RFC 9110 5.6.7), None for anything else."""
    if value is None:
        return None
    try:
        date = parsedate_to_datetime(value.strip())
    except (ValueError, OverflowError):
        return None
    return date if date.tzinfo is not None else date.replace(tzinfo=UTC)
