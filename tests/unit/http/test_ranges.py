from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meet.http.call import Headers
from meet.http.errors import HttpError
from meet.http.ranges import (
    ByteRange,
    RangeNotSatisfiable,
    Representation,
    http_date,
    parse_range,
    range_applies,
    range_response,
)

MODIFIED = datetime(2026, 7, 1, 10, 0, 0, tzinfo=UTC)
FILE = Representation(1000, '"abc"', MODIFIED, "video/mp4")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("bytes=0-0", (0, 0)),
        ("bytes=0-499", (0, 499)),
        ("bytes=500-", (500, 999)),
        ("bytes=999-", (999, 999)),
        ("bytes=0-99999999999999999999999", (0, 999)),
        ("bytes=-1", (999, 999)),
        ("bytes=-1000", (0, 999)),
        ("bytes=-5000", (0, 999)),
        ("BYTES=1-2", (1, 2)),
        ("bytes= 1-2 ", (1, 2)),
        ("bytes=,1-2,", (1, 2)),
        ("bytes=007-008", (7, 8)),
    ],
)
def test_single_ranges(value: str, expected: tuple[int, int]) -> None:
    assert parse_range(value, 1000) == ByteRange(*expected)


@pytest.mark.parametrize(
    "value",
    [None, "", "bytes", "bytes=", "bytes=-", "bytes=5-2", "bytes=0-1,5-9", "bytes=a-b", "bytes=1-2x", "bytes=1--2",
     "items=0-1", "bytes 0-1", "bytes=+1-2", "bytes=1 - 2", "bytes=٣-٤", "bytes=0x1-2", "bytes=" + "9" * 5000 + "-"],
)  # fmt: skip
def test_everything_else_is_the_whole(value: str | None) -> None:
    assert parse_range(value, 1000) is None


@pytest.mark.parametrize(
    ("value", "size"),
    [("bytes=1000-", 1000), ("bytes=1000-1001", 1000), ("bytes=-0", 1000), ("bytes=0-", 0), ("bytes=0-0", 0),
     ("bytes=" + "9" * 300 + "-", 1000)],
)  # fmt: skip
def test_outside_ranges(value: str, size: int) -> None:
    with pytest.raises(RangeNotSatisfiable) as caught:
        parse_range(value, size)
    assert caught.value.headers["Content-Range"] == f"bytes */{size}"


def test_a_suffix_of_nothing_is_the_whole_of_nothing() -> None:
    assert parse_range("bytes=-5", 0) is None


def test_open_limit_caps_open_ranges_only() -> None:
    assert parse_range("bytes=10-", 1000, open_limit=100) == ByteRange(10, 109)
    assert parse_range("bytes=950-", 1000, open_limit=100) == ByteRange(950, 999)
    assert parse_range("bytes=10-900", 1000, open_limit=100) == ByteRange(10, 900)
    assert parse_range("bytes=-900", 1000, open_limit=100) == ByteRange(100, 999)


@given(st.text(alphabet="bytes=-,0123456789 \tx", max_size=30), st.integers(0, 200))
def test_the_parser_never_fails_and_stays_inside(value: str, size: int) -> None:
    try:
        found = parse_range(value, size)
    except RangeNotSatisfiable as outside:
        assert outside.size == size
        return
    if found is not None:
        assert 0 <= found.start <= found.end < size


@given(st.integers(0, 300), st.integers(0, 300), st.binary(min_size=1, max_size=200))
def test_ranges_select_what_slices_select(first: int, last: int, data: bytes) -> None:
    if first >= len(data):
        with pytest.raises(RangeNotSatisfiable):
            parse_range(f"bytes={first}-", len(data))
        return
    found = parse_range(f"bytes={first}-{last}", len(data))
    if last < first:
        assert found is None
    else:
        assert found is not None
        assert data[found.start : found.end + 1] == data[first : last + 1]


@given(st.integers(1, 300), st.binary(min_size=1, max_size=200))
def test_suffixes_select_what_negative_slices_select(count: int, data: bytes) -> None:
    found = parse_range(f"bytes=-{count}", len(data))
    assert found is not None
    assert data[found.start : found.end + 1] == data[-count:]


@pytest.mark.parametrize(
    ("value", "applies"),
    [
        (None, True),
        ('"abc"', True),
        ('  "abc" ', True),
        ('"abd"', False),
        ('W/"abc"', False),
        ("abc", False),
        ("Wed, 01 Jul 2026 10:00:00 GMT", True),
        ("Wed, 01 Jul 2026 10:00:01 GMT", False),
        ("Wed, 01 Jul 2026 09:59:59 GMT", False),
        ("yesterday", False),
        ("", False),
    ],
)
def test_if_range(value: str | None, applies: bool) -> None:
    precise = Representation(1000, '"abc"', MODIFIED + timedelta(microseconds=250), "video/mp4")
    assert range_applies(value, precise) is applies


def test_a_weak_etag_never_matches() -> None:
    assert not range_applies('W/"x"', Representation(10, 'W/"x"', MODIFIED, "video/mp4"))


def test_http_date_is_in_gmt() -> None:
    assert http_date(MODIFIED) == "Wed, 01 Jul 2026 10:00:00 GMT"


def refuse(start: int, end: int) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
    raise AssertionError("must not be opened")


def headers(**values: str) -> Headers:
    return Headers((name.replace("_", "-").encode(), value.encode()) for name, value in values.items())


def test_headers_of_a_whole_and_of_a_part() -> None:
    whole = range_response("GET", headers(), FILE, refuse)
    assert whole.status == 200
    assert whole.headers == {
        "Content-Type": "video/mp4",
        "Accept-Ranges": "bytes",
        "Cache-Control": "public, max-age=3600",
        "ETag": '"abc"',
        "Last-Modified": "Wed, 01 Jul 2026 10:00:00 GMT",
        "content-length": "1000",
    }
    part = range_response("GET", headers(range="bytes=10-19"), FILE, refuse)
    assert part.status == 206
    assert part.headers == {**whole.headers, "Content-Range": "bytes 10-19/1000", "content-length": "10"}


def test_a_head_ignores_the_range() -> None:
    response = range_response("HEAD", headers(range="bytes=5000-"), FILE, refuse)
    assert (response.status, response.headers["content-length"]) == (200, "1000")


def test_a_failed_if_range_gives_the_whole_even_for_an_outside_range() -> None:
    response = range_response("GET", headers(range="bytes=5000-", if_range='"old"'), FILE, refuse)
    assert response.status == 200


def test_416_has_the_callers_words_and_the_size() -> None:
    with pytest.raises(HttpError) as caught:
        range_response(
            "GET",
            headers(range="bytes=1000-"),
            FILE,
            refuse,
            unsatisfiable=lambda size: ("Recording Error", f"File size: {size}"),
        )
    error = caught.value
    assert (error.status, error.error, error.message) == (416, "Recording Error", "File size: 1000")
    assert error.headers["Content-Range"] == "bytes */1000"
