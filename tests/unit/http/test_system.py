"""Health, readiness, the served description and the docs page."""

from __future__ import annotations

from pathlib import Path

import pytest

from meet.http import HttpApp

from .client import request
from .conftest import make_app


@pytest.mark.parametrize("path", ["/livez", "/health", "/meet/health"])
async def test_liveness(app: HttpApp, path: str) -> None:
    reply = await request(app, "GET", path)
    assert (reply.status, reply.body, reply.headers["content-type"]) == (200, b"OK", "text/html; charset=utf-8")


async def test_readiness_names_what_fails_without_its_message() -> None:
    state = {"up": True}

    async def database() -> None:
        if not state["up"]:
            raise ConnectionError("postgres://user:password@host/db")

    async def storage() -> None:
        return None

    app = make_app(readiness={"database": database, "storage": storage})
    ready = await request(app, "GET", "/readyz")
    assert (ready.status, ready.json()) == (200, {"ready": True, "checks": {"database": "ok", "storage": "ok"}})
    state["up"] = False
    failing = await request(app, "GET", "/readyz")
    assert failing.status == 503
    assert failing.json() == {"ready": False, "checks": {"database": "ConnectionError", "storage": "ok"}}
    without = await request(app, "GET", "/readyz?exclude=database,media")
    assert (without.status, without.json()) == (200, {"ready": True, "checks": {"storage": "ok"}})
    assert (await request(app, "GET", "/readyz?exclude=everything")).status == 422


@pytest.mark.parametrize(("base", "server"), [("", "/api/v1"), ("/meet", "/meet/api/v1")])
async def test_the_description_is_one_file_without_wiring(app: HttpApp, base: str, server: str) -> None:
    reply = await request(app, "GET", f"{base}/api/v1/openapi.json")
    document = reply.json()
    assert document["openapi"] == "3.1.0"
    assert document["servers"] == [{"url": server}]
    assert "{{ this }}" in document["info"]["description"]
    assert b"x-openapi-router-controller" not in reply.body
    assert b".yaml" not in reply.body
    assert document["paths"]["/things"]["post"]["requestBody"]["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/NewThing"
    }
    assert (await request(app, "GET", "/api/v1/openapi.json?document=other")).status == 404


async def test_docs_page_and_assets(tmp_path: Path) -> None:
    (tmp_path / "swagger-ui.css").write_text("a{}")
    (tmp_path / "swagger-ui-bundle.js").write_text("1")
    (tmp_path / "secrets.json").write_text("{}")
    app = make_app(docs_assets=tmp_path)
    for path, mount in (("/docs", ""), ("/docs/", ""), ("/meet/docs", "/meet"), ("/meet/api/v1/docs/", "/meet")):
        page = await request(app, "GET", path)
        assert page.status == 200, path
        assert f'src="{mount}/docs/swagger-ui-bundle.js"' in page.body.decode()
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "://" not in policy
        assert "unsafe" not in policy
    script = await request(app, "GET", "/meet/docs/docs.js")
    assert script.headers["content-type"].startswith("text/javascript")
    assert (await request(app, "GET", "/docs/swagger-ui.css")).body == b"a{}"
    for name in ("secrets.json", "..%2Fsecrets.json", "index.html"):
        assert (await request(app, "GET", f"/docs/{name}")).status == 404


async def test_docs_without_assets_say_so(tmp_path: Path) -> None:
    reply = await request(make_app(docs_assets=tmp_path), "GET", "/docs")
    assert (reply.status, reply.json()["error"]) == (503, "Documentation Unavailable")
