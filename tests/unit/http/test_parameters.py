"""Query, path and header parameters: JavaScript's reading of text, comma lists, defaults, names in 422 details."""

from __future__ import annotations

from typing import Any

import pytest

from meet.http import HttpApp, coercion

from .client import request

NUMBERS = "/api/v1/numbers"
LISTS = "/api/v1/lists"


async def params(app: HttpApp, target: str, headers: dict[str, str] | None = None) -> Any:
    reply = await request(app, "GET", target, headers=headers)
    assert reply.status == 200, reply.body
    return reply.json()["params"]


async def test_defaults(app: HttpApp) -> None:
    assert await params(app, NUMBERS) == {"maxItems": 10, "flag": False, "order": "desc"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("7", 7),
        ("1e2", 100),
        ("0x10", 16),
        ("0b11", 3),
        (" 5 ", 5),
        ("2.9", 2.9),
        (".5", 0.5),
        ("-3.", -3),
        ("", 0),
        ("+4", 4),
        ("1e400", 1.7976931348623157e308),
        ("-Infinity", -1.7976931348623157e308),
    ],
)
def test_numbers_are_read_like_javascript(text: str, value: float) -> None:
    assert coercion.number(text) == value


@pytest.mark.parametrize("text", ["abc", "1_000", "1,5", "0x", "--1", "++Infinity", "٣", "1e", "nan", "+0x10"])
def test_what_javascript_does_not_read_is_nan(text: str) -> None:
    assert repr(coercion.number(text)) == "nan"


@pytest.mark.parametrize(("text", "value"), [("7.9", 7), ("0.5", 1), ("1000", 100), ("1e3", 100), ("Infinity", 100)])
async def test_lenient_numbers_are_floored_and_capped(app: HttpApp, text: str, value: int) -> None:
    assert (await params(app, f"{NUMBERS}?maxItems={text}"))["maxItems"] == value


@pytest.mark.parametrize(
    ("query", "field", "message"),
    [
        ("maxItems=0", "maxItems", "maxItems must be a positive number"),
        ("maxItems=", "maxItems", "maxItems must be a positive number"),
        ("maxItems=-1", "maxItems", "maxItems must be a positive number"),
        ("maxItems=x", "maxItems", "Expected number, received nan"),
        ("maxItems=1&maxItems=2", "maxItems", "Expected number, received nan"),
        ("count=1.5", "count", "Expected integer, received float"),
        ("count=6", "count", "Number must be less than or equal to 5"),
        ("flag=yes", "flag", "Expected boolean, received string"),
        ("order=up", "order", "Invalid enum value. Expected 'asc' | 'desc', received 'up'"),
        ("plain=a&plain=b", "plain", "Expected string, received array"),
        ("order=asc&order=desc", "order", "Expected 'asc' | 'desc', received array"),
        ("when=yesterday", "when", "Invalid datetime"),
        ("name=%F0%9F%98%80%F0%9F%98%80", "name", "String must contain at most 3 character(s)"),
    ],
)
async def test_refused(app: HttpApp, query: str, field: str, message: str) -> None:
    assert (await request(app, "GET", f"{NUMBERS}?{query}")).details == [(field, message)]


async def test_accepted(app: HttpApp) -> None:
    query = "flag=TRUE&ratio=0x1F&when=2026-01-02T03:04:05Z&name=a%20b&unknown=1"
    seen = await params(app, f"{NUMBERS}?{query}")
    assert (seen["flag"], seen["ratio"], seen["name"]) == (True, 31, "a b")
    assert "unknown" not in seen


async def test_all_bad_parameters_are_reported_in_document_order(app: HttpApp) -> None:
    reply = await request(app, "GET", f"{NUMBERS}?order=x&count=x&maxItems=0")
    assert [field for field, _ in reply.details] == ["maxItems", "count", "order"]


async def test_comma_lists_are_trimmed_and_their_items_checked(app: HttpApp) -> None:
    assert (await params(app, f"{LISTS}?ids=aa,%20bb,,cc"))["ids"] == ["aa", "bb", "cc"]
    assert (await request(app, "GET", f"{LISTS}?ids=aa,b")).details == [
        ("ids.1", "String must contain at least 2 character(s)")
    ]
    assert (await request(app, "GET", f"{LISTS}?ids=,")).details == [
        ("ids", "Array must contain at least 1 element(s)")
    ]


async def test_a_repeated_comma_list(app: HttpApp) -> None:
    assert (await request(app, "GET", f"{LISTS}?ids=aa&ids=bb")).details == [("ids", "Expected string, received array")]
    assert (await request(app, "GET", f"{LISTS}?joined=1,x")).details == [("joined.1", "Expected number, received nan")]
    assert (await params(app, f"{LISTS}?joined=1,2&joined=3"))["joined"] == [1, 2, 3]
    assert (await params(app, f"{LISTS}?emptied=1&emptied=2"))["emptied"] == []
    assert (await params(app, f"{LISTS}?each=1,2&each=3"))["each"] == ["1,2", "3"]


async def test_unknown_fields_are_dropped_and_nothing_left_counts_as_absent(app: HttpApp) -> None:
    assert (await params(app, f"{LISTS}?fields=b,zz,b,a"))["fields"] == ["b", "a"]
    assert "fields" not in await params(app, f"{LISTS}?fields=zz")
    assert (await params(app, LISTS, {"x-fIELDS": "a, b"}))["X-Fields"] == ["a", "b"]


async def test_an_operations_parameter_replaces_the_path_items(app: HttpApp) -> None:
    reply = await request(app, "GET", "/api/v1/things/a-1")
    assert reply.json() == {"thingId": "a1", "verbose": False}


async def test_transforms_refuse_with_their_own_text(app: HttpApp) -> None:
    assert (await request(app, "GET", "/api/v1/things/---?verbose=x")).details == [
        ("thingId", "thingId is empty after clean-up")
    ]
    assert (await request(app, "GET", "/api/v1/things/12345678901")).details == [
        ("thingId", "thingId cannot exceed 10 characters")
    ]


async def test_location_prefix_and_own_field_names(app: HttpApp) -> None:
    reply = await request(app, "GET", "/api/v1/guarded?size=x&hidden=x", headers={"range": "lines=1"})
    assert reply.details == [
        ("query.size", "Expected number, received nan"),
        ("headers.Range", "Invalid"),
        ("query", "Expected number, received nan"),
    ]
