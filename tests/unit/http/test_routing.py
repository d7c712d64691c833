"""The route table: specificity, base paths, case, slashes, verbs."""

from __future__ import annotations

import pytest

from meet.http import HttpApp
from meet.http.router import RouteTable

from .client import request

NOT_FOUND = {"error": "Path Not Found", "message": "API path not implemented"}


async def operation(app: HttpApp, target: str) -> tuple[str, dict[str, str]]:
    seen = (await request(app, "GET", target)).json()
    return seen["operation"], seen["params"]


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/apps/x", ("getApp", {"app": "x"})),
        ("/apps/x:startRecord", ("startRecord", {"app": "x"})),
        ("/apps/x%3AstartRecord", ("startRecord", {"app": "x"})),
        ("/apps/literal", ("literalApp", {})),
        ("/APPS/MixedCase/", ("getApp", {"app": "MixedCase"})),
        ("/apps/a%2Fb%20c", ("getApp", {"app": "a/b c"})),
        ("/apps/a:b", ("getApp", {"app": "a:b"})),
    ],
)
@pytest.mark.parametrize("base", ["/api/v1", "/meet/api/v1"])
async def test_finds(app: HttpApp, base: str, target: str, expected: tuple[str, dict[str, str]]) -> None:
    assert await operation(app, base + target) == expected


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "/api/v1/nothing"),
        ("GET", "/api/v1/apps/x/y"),
        ("GET", "/api/v1/apps//"),
        ("DELETE", "/api/v1/apps/x"),
        ("PATCH", "/api/v1/things"),
        ("GET", "/"),
        ("GET", "/other/api/v1/apps/x"),
    ],
)
async def test_unknown_path_or_verb(app: HttpApp, method: str, target: str) -> None:
    reply = await request(app, method, target)
    assert (reply.status, reply.json()) == (404, NOT_FOUND)


async def test_head_is_answered_by_get_without_a_body(app: HttpApp) -> None:
    got = await request(app, "GET", "/api/v1/apps/x")
    head = await request(app, "HEAD", "/api/v1/apps/x")
    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-length"] == got.headers["content-length"] == str(len(got.body))


def test_overlapping_base_paths_do_not_shadow_each_other() -> None:
    table: RouteTable[str] = RouteTable()
    table.add("GET", "/api/{version}/vhosts/{name}", "generic")
    table.add("GET", "/api/v1/rooms/{roomId}", "rooms")
    found = table.find("/api/v1/vhosts/a")
    assert found == ({"GET": "generic"}, {"version": "v1", "name": "a"})


def test_the_same_operation_twice_is_refused() -> None:
    table: RouteTable[str] = RouteTable()
    table.add("GET", "/a/{x}", "one")
    with pytest.raises(ValueError, match="declared twice"):
        table.add("GET", "/A/{y}", "two")


def test_the_rest_of_a_path_is_taken_only_when_nothing_else_matches() -> None:
    table: RouteTable[str] = RouteTable()
    table.add("GET", "/{path}", "rest", rest=True)
    table.add("GET", "/meet/{path}", "meet rest", rest=True)
    table.add("GET", "/meet/room/{roomId}", "room")
    assert table.find("/meet/room/a") == ({"GET": "room"}, {"roomId": "a"})
    assert table.find("/Meet/a/B.js/") == ({"GET": "meet rest"}, {"path": "a/B.js"})
    assert table.find("/a/../b", b"/a%2F..%2Fb") == ({"GET": "rest"}, {"path": "a/../b"})
    assert table.find("/") is None
