"""List queries and list answers (contract 2.0.3, 2.0.5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from meet.core.model.paging import Page, PageRequest, TextMatch

LARGEST_PAGE = 100


def page_request(params: Mapping[str, Any]) -> PageRequest:
    """The page a validated query asks for: fractions cut off, sizes between 1 and 100."""
    return PageRequest(
        sort_field=params["sortField"],
        sort_order=params["sortOrder"],
        max_items=max(1, min(LARGEST_PAGE, int(params["maxItems"]))),
        # An empty token is what a client has that never got one.
        token=params.get("nextPageToken") or None,
    )


def room_name(params: Mapping[str, Any]) -> TextMatch | None:
    """The `roomName` filter; an empty text filters nothing."""
    return text_match(params, "roomName")


def text_match(params: Mapping[str, Any], name: str) -> TextMatch | None:
    """The text filter of a parameter and its two companions; an empty text filters nothing."""
    value = params.get(name)
    if not value:
        return None
    return TextMatch(value, params[f"{name}MatchMode"], params[f"{name}CaseInsensitive"], name)


def pagination(page: Page[Any]) -> dict[str, Any]:
    """The `pagination` part of a list answer."""
    token = page.next_token
    following = {} if token is None else {"nextPageToken": token}
    return {"isTruncated": token is not None, **following, "maxItems": page.max_items}
