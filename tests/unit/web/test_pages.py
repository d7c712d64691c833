"""The pages through the HTTP runtime: which page answers where, with which settings and headers."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest

PAGES = {
    "": ("home", {}),
    "/rooms": ("rooms", {}),
    "/rooms/team-0123456789abcde": ("room_settings", {"roomId": "team-0123456789abcde"}),
    "/recordings": ("library", {}),
    "/users": ("users", {}),
    "/config": ("settings", {}),
    "/profile": ("profile", {}),
    "/room/team-0123456789abcde": ("room", {"roomId": "team-0123456789abcde"}),
    "/room/team-0123456789abcde/recordings": ("recordings", {"roomId": "team-0123456789abcde"}),
    "/recording/team-01--EG_ab--0123456789": ("player", {"recordingId": "team-01--EG_ab--0123456789"}),
}


class Tags(HTMLParser):
    """All start tags with their attributes, and the text of the JSON script."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.json = ""
        self._inside = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag == "script" and dict(attrs).get("type") == "application/json"

    def handle_endtag(self, tag: str) -> None:
        self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.json += data


async def fetch(client: httpx.AsyncClient, path: str) -> Tags:
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    return Tags(answer.text)


@pytest.mark.parametrize("mount", ["", "/meet"])
@pytest.mark.parametrize("path", PAGES)
async def test_page_gets_its_script_and_settings(client: httpx.AsyncClient, mount: str, path: str) -> None:
    name, data = PAGES[path]
    answer = await client.get(mount + path or "/")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    page = Tags(answer.text)
    assert json.loads(page.json) == {"basePath": f"{mount}/", **data}
    scripts = [attrs["src"] for tag, attrs in page.tags if tag == "script" and "src" in attrs]
    assert scripts == [f"{mount}/static/{name}-AB12.js"]
    assert (await client.get(scripts[0] or "")).status_code == 200


async def test_path_may_end_in_a_slash_and_ignores_case(client: httpx.AsyncClient) -> None:
    page = await fetch(client, "/MEET/Room/Team-01/")
    assert json.loads(page.json) == {"basePath": "/MEET/", "roomId": "Team-01"}


async def test_hostile_room_id_stays_text(client: httpx.AsyncClient) -> None:
    page = await fetch(client, "/room/%3C%2Fscript%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E")
    assert "alert(1)" in json.loads(page.json)["roomId"]
    assert sum(tag == "script" for tag, _ in page.tags) == 2


async def test_headers_forbid_everything_foreign(client: httpx.AsyncClient) -> None:
    headers = (await client.get("/meet/room/x?secret=s")).headers
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert policy["connect-src"] == "'self' ws://host.test:7880 http://host.test:7880"
    assert "unsafe" not in headers["content-security-policy"]
    assert "frame-ancestors" not in policy
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert "camera=(self)" in headers["permissions-policy"]


@pytest.mark.parametrize("path", PAGES)
async def test_markup_has_nothing_inline_and_nothing_from_elsewhere(client: httpx.AsyncClient, path: str) -> None:
    page = await fetch(client, path or "/")
    for tag, attrs in page.tags:
        assert tag != "style"
        assert tag != "script" or "src" in attrs or attrs["type"] == "application/json"
        assert not [name for name in attrs if name == "style" or name.startswith("on")], (tag, attrs)
        for name in ("src", "href", "action"):
            assert not re.match(r"(?i)(https?:)?//|javascript:", attrs.get(name) or ""), (tag, attrs)


@pytest.mark.parametrize("path", PAGES)
async def test_markup_is_accessible_and_ids_are_unique(client: httpx.AsyncClient, path: str) -> None:
    tags = (await fetch(client, path or "/")).tags
    ids = [attrs["id"] for _, attrs in tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    labels = {attrs.get("for") for tag, attrs in tags if tag == "label"}
    for _, attrs in tags:
        for name in ("aria-labelledby", "aria-controls"):
            assert name not in attrs or attrs[name] in ids
    assert labels - {None} <= set(ids)
    assert any(attrs.get("aria-live") == "polite" for _, attrs in tags)
    assert ("html", {"lang": "en"}) in tags


async def test_query_does_not_reach_the_markup(client: httpx.AsyncClient) -> None:
    answer = await client.get("/room/x?secret=topsecret01")
    assert "topsecret01" not in answer.text + str(answer.headers)


async def test_icons_that_are_used_exist(client: httpx.AsyncClient) -> None:
    for path in PAGES:
        tags: list[Any] = (await fetch(client, path or "/")).tags
        drawn = {f"#{attrs['id']}" for tag, attrs in tags if tag == "symbol"}
        assert {attrs["href"] for tag, attrs in tags if tag == "use"} <= drawn


@pytest.mark.parametrize("path", PAGES)
async def test_only_what_sites_embed_may_be_framed(client: httpx.AsyncClient, path: str) -> None:
    """A site that frames the console could have people click on what they do not see."""
    policy = (await client.get(path or "/")).headers["content-security-policy"]
    framed = path.startswith(("/room/", "/recording/"))
    assert ("frame-ancestors 'self'" in policy) is not framed
