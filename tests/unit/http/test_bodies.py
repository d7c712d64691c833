"""JSON bodies: parsing rules, 422 texts and order, stripping and defaults."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from meet.http import HttpApp

from .client import request

THING = "/api/v1/things"
GOOD = {"kind": "big", "name": "Ann"}


async def accepted(app: HttpApp, body: Any) -> Any:
    reply = await request(app, "POST", THING, json=body)
    assert reply.status == 201, reply.body
    return reply.json()["body"]


async def refused(app: HttpApp, body: Any) -> list[tuple[str, str]]:
    return (await request(app, "POST", THING, json=body)).details


async def test_defaults_are_filled_also_below_a_default(app: HttpApp) -> None:
    assert (await accepted(app, GOOD))["config"] == {"enabled": True, "layout": "grid"}
    given = await accepted(app, {**GOOD, "config": {"layout": "speaker"}, "tags": [{"label": "x"}]})
    assert given["config"] == {"enabled": True, "layout": "speaker"}
    assert given["tags"] == [{"label": "x", "shade": "pale"}]


async def test_defaults_of_one_request_do_not_leak_into_the_next(app: HttpApp) -> None:
    first = await accepted(app, GOOD)
    first["config"]["layout"] = "changed"
    assert (await accepted(app, GOOD))["config"]["layout"] == "grid"


async def test_unknown_keys_vanish_unless_the_schema_speaks_about_them(app: HttpApp) -> None:
    body = await accepted(app, {**GOOD, "bogus": 1, "open": {"a": 1, "b": 2}, "config": {"bogus": 2}})
    assert "bogus" not in body
    assert "bogus" not in body["config"]
    assert body["open"] == {"a": 1, "b": 2}
    assert await refused(app, {**GOOD, "closed": {"a": 1, "z": 2}}) == [
        ("closed", "Unrecognized key(s) in object: 'z'")
    ]


async def test_whole_floats_arrive_as_int(app: HttpApp) -> None:
    body = await accepted(app, {**GOOD, "price": 2.0, "count": 3.0})
    assert (repr(body["price"]), repr(body["count"])) == ("2", "3")


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        ({"kind": "huge"}, "kind", "Invalid enum value. Expected 'big' | 'small', received 'huge'"),
        ({"kind": True}, "kind", "Expected 'big' | 'small', received boolean"),
        ({"kind": None}, "kind", "Expected 'big' | 'small', received null"),
        ({"name": ""}, "name", "name cannot be empty"),
        ({"name": "too long"}, "name", "String must contain at most 5 character(s)"),
        ({"name": 5}, "name", "Expected string, received number"),
        ({"name": []}, "name", "Expected string, received array"),
        ({"count": 0}, "count", "Number must be greater than or equal to 1"),
        ({"count": 10}, "count", "Number must be less than or equal to 9"),
        ({"count": 1.5}, "count", "Expected integer, received float"),
        ({"count": "1"}, "count", "Expected number, received string"),
        ({"count": True}, "count", "Expected number, received boolean"),
        ({"price": 0}, "price", "Number must be greater than 0"),
        ({"config": {"enabled": 1}}, "config.enabled", "Expected boolean, received number"),
        ({"config": 1}, "config", "Expected object, received number"),
        ({"tags": []}, "tags", "Array must contain at least 1 element(s)"),
        ({"tags": [{"label": "a"}, {}]}, "tags.1.label", "Required"),
        ({"tags": {}}, "tags", "Expected array, received object"),
        ({"encoding": "P9"}, "encoding", "Invalid enum value. Expected 'P1' | 'P2', received 'P9'"),
        ({"encoding": 7}, "encoding", "Encoding must be a preset or an object"),
        ({"encoding": {"width": "x"}}, "encoding.width", "Expected number, received string"),
        ({"shape": {"kind": "square"}}, "shape.side", "Required"),
        ({"shape": {"kind": "blob"}}, "shape", "Invalid input"),
        ({"userId": "ann"}, "userId", "Either name or userId"),
    ],
)
async def test_one_wrong_value(app: HttpApp, change: dict[str, Any], field: str, message: str) -> None:
    assert await refused(app, {**GOOD, **change}) == [(field, message)]


async def test_alternatives_get_defaults_and_lose_unknown_keys(app: HttpApp) -> None:
    body = await accepted(app, {**GOOD, "encoding": {"codec": "x", "bogus": 1}})
    assert body["encoding"] == {"codec": "x", "width": 4}


async def test_issues_come_in_schema_order_whatever_the_request_order(app: HttpApp) -> None:
    body = {"tags": [{"label": 1}, {}], "encoding": 1, "count": "x", "kind": "no", "name": "much too long"}
    assert [field for field, _ in await refused(app, body)] == [
        "name",
        "kind",
        "count",
        "tags.0.label",
        "tags.1.label",
        "encoding",
    ]


async def test_an_object_rule_is_silent_when_a_field_is_missing_but_not_when_one_is_too_long(app: HttpApp) -> None:
    assert await refused(app, {"name": "ann", "userId": "ann"}) == [("kind", "Required")]
    both = {"kind": "big", "name": "too long", "userId": "ann"}
    assert [field for field, _ in await refused(app, both)] == ["name", "userId"]


async def test_length_counts_utf16_units(app: HttpApp) -> None:
    assert (await accepted(app, {**GOOD, "name": "\U0001f600\U0001f600x"}))["name"] == "\U0001f600\U0001f600x"
    assert await refused(app, {**GOOD, "name": "\U0001f600" * 3}) == [
        ("name", "String must contain at most 5 character(s)")
    ]
    assert len((await accepted(app, {**GOOD, "name": "ééééé"}))["name"]) == 5


async def test_missing_body(app: HttpApp) -> None:
    assert (await request(app, "POST", THING)).details == [("", "Required")]
    typed = await request(app, "POST", THING, headers={"content-type": "application/json"}, body=b"")
    assert typed.details == [("", "Required")]
    text = await request(app, "POST", THING, headers={"content-type": "text/plain"}, body=b'{"kind":"big"}')
    assert text.details == [("", "Required")]


@pytest.mark.parametrize("body", [b"{", b"nope", b'"text"', b"7", b"null", b"{'a':1}", b"\xff\xfe{}", b'{"a":NaN}'])
async def test_malformed_json(app: HttpApp, body: bytes) -> None:
    reply = await request(app, "POST", THING, headers={"content-type": "application/json"}, body=body)
    assert (reply.status, reply.json()) == (400, {"error": "Bad Request", "message": "Malformed body"})


async def test_deep_nesting_is_refused_but_many_brackets_are_not(app: HttpApp) -> None:
    deep = {"content-type": "application/json"}
    for body in (b'{"a":' + b"[" * 101 + b"]" * 101 + b"}", b"[" * 1000 + b"]" * 1000):
        assert (await request(app, "POST", THING, headers=deep, body=body)).status == 400
    assert "shade" in (await accepted(app, {**GOOD, "tags": [{"label": '[[{\\"' * 50}] * 60}))["tags"][0]


async def test_a_list_is_well_formed_but_not_an_object(app: HttpApp) -> None:
    assert await refused(app, []) == [("", "Expected object, received array")]


async def test_form_bodies_are_understood(app: HttpApp) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
    reply = await request(app, "POST", THING, headers=headers, body=b"kind=big&name=A+n&x=1&x=2")
    assert reply.json()["body"]["name"] == "A n"


async def test_body_cap(app: HttpApp) -> None:
    fits = orjson.dumps({**GOOD, "pad": "x" * (100 * 1024 - 40)})
    assert len(fits) <= 100 * 1024
    headers = {"content-type": "application/json"}
    assert (await request(app, "POST", THING, headers=headers, body=fits)).status == 201
    for options in ({"body": b"x" * 102401}, {"chunks": [b"x" * 60000, b"x" * 60000]}):
        reply = await request(app, "POST", THING, headers=headers, **options)
        assert reply.status == 413
        assert reply.json()["error"] == "Payload Too Large"


async def test_other_media_types_go_to_the_handler_untouched(app: HttpApp) -> None:
    headers = {"content-type": "application/webhook+json"}
    reply = await request(app, "POST", "/api/v1/raw", headers=headers, body=b"{" * 150000)
    assert reply.json() == {"size": 150000}
