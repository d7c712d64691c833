"""Tags that name a state, and the requests that ask for one."""

from __future__ import annotations

import pytest

from meet.http.conditional import versions, weak_etag


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, None),
        ("*", None),
        (" * ", None),
        (weak_etag(b"{}", "abc"), {"abc"}),
        (f'"other", {weak_etag(b"[]", "def")}', {"other", "def"}),
        (weak_etag(b"{}", "abc").removeprefix("W/"), {"abc"}),
        ("", set()),
        ("abc", set()),
    ],
)
def test_versions_are_read_from_if_match(header: str | None, expected: set[str] | None) -> None:
    assert versions(header) == expected


def test_tags_without_a_version_match_none() -> None:
    assert versions(weak_etag(b"{}")) == frozenset({weak_etag(b"{}").removeprefix('W/"').removesuffix('"')})


def test_what_is_shown_of_a_state_is_part_of_the_tag() -> None:
    assert len({weak_etag(body, "abc") for body in (b"{}", b'{"a":1}', b'{"a":2}')}) == 3
