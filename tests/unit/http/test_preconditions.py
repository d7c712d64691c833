"""RFC 9110 section 13, for a file of 1 July 2026."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meet.http.call import Headers
from meet.http.preconditions import Verdict, http_time, judge, listed

MODIFIED = datetime(2026, 7, 1, 10, 0, 0, 250, tzinfo=UTC)
SAME, BEFORE, AFTER = (f"Wed, 01 Jul 2026 {time} GMT" for time in ("10:00:00", "09:59:59", "10:00:01"))


@pytest.mark.parametrize(
    ("headers", "verdict"),
    [
        ({}, "go on"),
        ({"If-None-Match": '"abc"'}, "not modified"),
        ({"If-None-Match": '"x" , W/"abc"'}, "not modified"),
        ({"If-None-Match": '"x,", "abc"'}, "not modified"),
        ({"If-None-Match": "*"}, "not modified"),
        ({"If-None-Match": '"abd"'}, "go on"),
        ({"If-None-Match": "abc"}, "go on"),
        ({"If-None-Match": ""}, "go on"),
        ({"If-Modified-Since": SAME}, "not modified"),
        ({"If-Modified-Since": AFTER}, "not modified"),
        ({"If-Modified-Since": BEFORE}, "go on"),
        ({"If-Modified-Since": "Wednesday, 01-Jul-26 10:00:00 GMT"}, "not modified"),
        ({"If-Modified-Since": "Wed Jul  1 10:00:00 2026"}, "not modified"),
        ({"If-Modified-Since": "yesterday"}, "go on"),
        ({"If-None-Match": '"x"', "If-Modified-Since": SAME}, "go on"),
        ({"If-Match": '"abc"'}, "go on"),
        ({"If-Match": '"x", "abc"'}, "go on"),
        ({"If-Match": "*"}, "go on"),
        ({"If-Match": 'W/"abc"'}, "failed"),
        ({"If-Match": '"abd"'}, "failed"),
        ({"If-Match": ""}, "failed"),
        ({"If-Unmodified-Since": SAME}, "go on"),
        ({"If-Unmodified-Since": BEFORE}, "failed"),
        ({"If-Unmodified-Since": "never"}, "go on"),
        ({"If-Match": '"abc"', "If-Unmodified-Since": BEFORE}, "go on"),
        ({"If-Match": '"abc"', "If-None-Match": '"abc"'}, "not modified"),
        ({"If-Match": '"x"', "If-None-Match": '"abc"'}, "failed"),
        ({"If-Unmodified-Since": BEFORE, "If-Modified-Since": SAME}, "failed"),
    ],
)
def test_the_table_of_preconditions(headers: dict[str, str], verdict: Verdict) -> None:
    given = Headers((name.encode(), value.encode()) for name, value in headers.items())
    assert judge(given, '"abc"', MODIFIED) == verdict


def test_a_weak_tag_is_never_strongly_equal() -> None:
    assert listed('W/"abc"', 'W/"abc"')
    assert not listed('W/"abc"', 'W/"abc"', strong=True)


@given(st.text(alphabet="SunMoWedJlug, 0123456789:+-GMTZ", max_size=40))
def test_dates_never_fail(value: str) -> None:
    date = http_time(value)
    assert date is None or date.tzinfo is not None


def test_an_impossible_zone_is_no_date() -> None:
    assert http_time("Wed, 01 Jul 2026 10:00:00 +99999999999999999999") is None
