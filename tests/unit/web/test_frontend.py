"""A built web app served in place of our pages (contract 1.9): files, page, component, and nothing outside."""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from meet.http import Document, HttpApp
from meet.web.frontend import Frontend, FrontendFolder, FrontendMissing
from meet.web.frontend.index import inject

from .conftest import ROOT, NoOne

BUILD = ROOT / "tests" / "support" / "frontend"
PLAIN = {"accept-encoding": "identity"}
ROUTES = (
    "login", "change-password-required", "room/a-1", "room/a-1/recordings", "recording/a-1--EG_x--0", "disconnected",
    "error", "overview", "rooms", "rooms/new", "rooms/a-1", "rooms/a-1/edit", "rooms/a-1/members/new",
    "rooms/a-1/members/m/edit", "recordings", "recordings/r", "users", "users/new", "users/u", "embedded", "config",
    "profile", "room/a-1/", "index.html", "no/such/file.js",
)  # fmt: skip


@pytest.fixture
def build(tmp_path: Path) -> Path:
    shutil.copytree(BUILD / "public", tmp_path / "public")
    (tmp_path / "public" / "secret.txt").write_text("outside")
    return tmp_path / "public"


@pytest.fixture
async def client(build: Path) -> AsyncIterator[httpx.AsyncClient]:
    document = Document(ROOT / "openapi" / "web" / "frontend.yaml", ("/meet", ""))
    services = SimpleNamespace(web=Frontend(build, "/meet"))
    app: Any = HttpApp([document], NoOne(), services, base_path="/meet")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://host.test") as http:
        yield http


@pytest.mark.parametrize("base", ["/meet/", "/"])
async def test_every_route_of_the_app_gets_the_page_with_its_base(client: httpx.AsyncClient, base: str) -> None:
    for route in ("", *ROUTES):
        answer = await client.get(base + route)
        assert answer.status_code == 200, route
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert answer.text.count(f'<base href="{base}">') == answer.text.count("<base") == 1
        script = f'<script>window.__OPENVIDU_MEET_CONFIG__={{basePath:"{base}"}};</script>\n</head>'
        assert script in answer.text, route


async def test_the_page_may_be_embedded_and_is_asked_for_again(client: httpx.AsyncClient) -> None:
    answer = await client.get("/meet/room/x?secret=topsecret1")
    assert not {"x-frame-options", "content-security-policy", "permissions-policy", "set-cookie"} & set(answer.headers)
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "topsecret1" not in answer.text
    again = await client.get("/meet/rooms", headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_the_base_path_is_the_configured_one(client: httpx.AsyncClient) -> None:
    assert '<base href="/meet/">' in (await client.get("/MEET/Rooms")).text
    assert '<base href="/">' in (await client.get("/meetings")).text


async def test_a_new_build_is_served_without_a_restart(client: httpx.AsyncClient, build: Path) -> None:
    before = (await client.get("/meet/")).text
    page = build / "frontend" / "index.html"
    page.write_text(page.read_text().replace("main-7QEH2KXM", "main-NEWBUILD"))
    os.utime(page, ns=(1, 1))
    assert (await client.get("/meet/")).text == before.replace("main-7QEH2KXM", "main-NEWBUILD")


async def test_a_build_that_is_being_replaced(client: httpx.AsyncClient, build: Path) -> None:
    good = (await client.get("/")).text
    page = build / "frontend" / "index.html"
    page.write_text("<html><hea")
    assert (await client.get("/")).text == good
    page.unlink()
    assert (await client.get("/room/a-1")).text == good
    shutil.rmtree(build / "webcomponent")
    assert (await client.get("/v1/openvidu-meet.js")).status_code == 404
    page.write_text("<html><head><title>next</title></head></html>")
    assert "next" in (await client.get("/")).text


@pytest.mark.parametrize("base", ["/meet/", "/"])
async def test_files_come_first(client: httpx.AsyncClient, build: Path, base: str) -> None:
    answer = await client.get(f"{base}main-7QEH2KXM.js", headers=PLAIN)
    assert answer.content == (build / "frontend" / "main-7QEH2KXM.js").read_bytes()
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    icon = await client.get(f"{base}assets/images/icon.svg", headers=PLAIN)
    assert icon.headers["content-type"] == "image/svg+xml"
    assert icon.headers["cache-control"] == "public, max-age=0"
    assert icon.headers["x-content-type-options"] == "nosniff"
    part = await client.get(f"{base}assets/images/icon.svg", headers={"range": "bytes=0-3"})
    assert (part.status_code, part.text) == (206, "<svg")


async def test_validators_and_compression(client: httpx.AsyncClient, build: Path) -> None:
    path = "/meet/main-7QEH2KXM.js"
    plain = await client.get(path, headers=PLAIN)
    async with client.stream("GET", path, headers={"accept-encoding": "gzip"}) as packed:
        body = b"".join([chunk async for chunk in packed.aiter_raw()])
    assert gzip.decompress(body) == plain.content
    assert packed.headers["vary"] == "accept-encoding"
    assert packed.headers["etag"] != plain.headers["etag"]
    for headers, answer in ((PLAIN, plain), ({"accept-encoding": "gzip"}, packed)):
        again = await client.get(path, headers={**headers, "if-none-match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        head = await client.head(path, headers=headers)
        assert (head.content, head.headers["content-length"]) == (b"", answer.headers["content-length"])


@pytest.mark.parametrize(
    "path",
    ["../secret.txt", "..%2fsecret.txt", "%2e%2e/secret.txt", "assets/..%2f..%2fsecret.txt", "..%5csecret.txt",
     "%2fetc/passwd", "/etc/passwd", ".hidden", "link.txt", "folder/secret.txt", "a%00b", "x" * 5000],
)  # fmt: skip
async def test_nothing_outside_the_build_is_sent(client: httpx.AsyncClient, build: Path, path: str) -> None:
    app = build / "frontend"
    (app / ".hidden").write_text("outside")
    (app / "link.txt").symlink_to(build / "secret.txt")
    (app / "folder").symlink_to(build)
    request = client.build_request("GET", "http://host.test/")
    request.url = request.url.copy_with(raw_path=b"/meet/" + path.encode())
    answer = await client.send(request)
    assert answer.status_code == 200
    assert "<base" in answer.text
    assert "outside" not in answer.text


@pytest.mark.parametrize("path", ["/meet/api/v1/nothing", "/internal-api/v1/nothing", "/meet/room/api/x"])
async def test_unknown_api_paths_are_refused(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert answer.status_code == 404
    assert answer.json() == {"error": "Path Not Found", "message": "API path not implemented"}
    assert (await client.post("/meet/rooms")).status_code == 404


async def test_the_component_is_revalidated_with_its_hash(client: httpx.AsyncClient, build: Path) -> None:
    script = (build / "webcomponent" / "openvidu-meet.bundle.min.js").read_bytes()
    tag = f'"{hashlib.sha256(script).hexdigest()}"'
    answer = await client.get("/meet/v1/openvidu-meet.js")
    assert answer.content == script
    assert answer.headers["etag"] == tag
    assert answer.headers["cache-control"] == "no-cache"
    assert "last-modified" not in answer.headers
    assert answer.headers["access-control-allow-origin"] == "*"
    again = await client.get("/v1/openvidu-meet.js", headers={"if-none-match": f'"x", {tag}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    weak = await client.get("/meet/v1/openvidu-meet.js", headers={"if-none-match": f"W/{tag}"})
    assert weak.status_code == 200
    missing = await client.get("/meet/v1/openvidu-meet.esm.js")
    assert missing.status_code == 404


@pytest.mark.parametrize("inside", [".", "browser", "frontend", "public/frontend"])
def test_the_usual_layouts_are_found(tmp_path: Path, inside: str) -> None:
    app = tmp_path / inside
    app.mkdir(parents=True, exist_ok=True)
    (app / "index.html").write_text("<head></head>")
    assert FrontendFolder.find(tmp_path).app == app.resolve()


def test_a_folder_without_an_app_is_refused_with_one_line(tmp_path: Path) -> None:
    with pytest.raises(FrontendMissing, match=r"^MEET_FRONTEND_DIR=\S+ holds no index\.html; .*$"):
        Frontend(tmp_path, "/meet")
    (tmp_path / "index.html").write_text("hello")
    with pytest.raises(FrontendMissing, match="no </head>"):
        Frontend(tmp_path, "/meet")


def test_injection_is_safe_and_works_without_a_base() -> None:
    page = inject("<HTML><HEAD lang=en><title>x</title></HEAD></HTML>", '/a"</script>/')
    assert '<base href="/a&quot;&lt;/script&gt;/"><title>' in page
    assert 'basePath:"/a\\"\\u003c/script>/"' in page
    assert inject("<head><base href='/x'/></head>", "/m/").count("<base") == 1
