"""From validated query parameters to list requests."""

from __future__ import annotations

from typing import Any

import pytest

from meet.api.paging import page_request, pagination, room_name
from meet.core.model.paging import Page, TextMatch


def params(**changes: Any) -> dict[str, Any]:
    return {"maxItems": 10, "sortField": "creationDate", "sortOrder": "desc", **changes}


@pytest.mark.parametrize(("asked", "used"), [(10, 10), (0.5, 1), (7.9, 7), (100, 100), (5000, 100), (1e300, 100)])
def test_page_sizes_are_whole_and_between_1_and_100(asked: float, used: int) -> None:
    assert page_request(params(maxItems=asked)).max_items == used


def test_an_empty_cursor_is_the_first_page() -> None:
    assert page_request(params(nextPageToken="")).token is None
    assert page_request(params(nextPageToken="abc")).token == "abc"


def test_an_empty_name_filters_nothing() -> None:
    assert room_name({"roomName": ""}) is None
    assert room_name({}) is None


def test_a_name_is_matched_as_asked() -> None:
    given = {"roomName": "Da", "roomNameMatchMode": "prefix", "roomNameCaseInsensitive": True}
    assert room_name(given) == TextMatch("Da", "prefix", True, "roomName")


def test_the_last_page_has_no_token() -> None:
    assert pagination(Page((), None, 10)) == {"isTruncated": False, "maxItems": 10}
    assert pagination(Page((1,), "t", 1)) == {"isTruncated": True, "nextPageToken": "t", "maxItems": 1}
