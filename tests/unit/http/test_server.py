"""The application under its real server, with a real client: what only shows on a socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
import uvicorn

from meet.http import HttpApp

from .conftest import make_app


@pytest.fixture
async def origin() -> AsyncIterator[str]:
    events: list[str] = []

    async def started() -> None:
        events.append("started")

    async def stopped() -> None:
        events.append("stopped")

    app: HttpApp = make_app(on_startup=[started], on_shutdown=[stopped])
    config = uvicorn.Config(app, port=0, log_level="critical", access_log=False, proxy_headers=False, lifespan="on")
    server = uvicorn.Server(config)
    task = asyncio.create_task(server._serve())  # serve() would take over the test runner's signal handlers
    while not server.started:
        await asyncio.sleep(0.01)
    host, port = server.servers[0].sockets[0].getsockname()[:2]
    yield f"http://{host}:{port}"
    server.should_exit = True
    await task
    assert events == ["started", "stopped"]


async def test_exchanges_over_one_connection(origin: str) -> None:
    async with httpx.AsyncClient(base_url=origin) as client:
        assert (await client.get("/livez")).text == "OK"
        made = await client.post("/meet/api/v1/things", json={"kind": "small", "name": "Zoë"})
        assert (made.status_code, made.json()["body"]["name"]) == (201, "Zoë")
        head = await client.head("/api/v1/apps/x")
        assert (head.status_code, head.content, int(head.headers["content-length"]) > 0) == (200, b"", True)
        options = await client.options("/api/v1/apps/x")
        assert options.status_code == 204
        assert (await client.get("/api/v1/apps/a%2Fb")).json()["params"] == {"app": "a/b"}
        assert (await client.get("/api/v1/apps/x")).headers["server"] == "uvicorn"


async def test_a_body_over_the_cap_is_refused_while_it_is_still_coming(origin: str) -> None:
    async with httpx.AsyncClient(base_url=origin, timeout=20) as client:
        large = await client.post("/api/v1/things", content=b"x" * 3_000_000, headers={"content-type": "text/plain"})
        assert (large.status_code, large.json()["error"]) == (413, "Payload Too Large")
        assert (await client.get("/livez")).status_code == 200


@pytest.mark.parametrize("kind", ["1", "known"])
async def test_a_broken_stream_is_visible_to_the_client(origin: str, kind: str) -> None:
    async with httpx.AsyncClient(base_url=origin) as client:
        assert (await client.get("/api/v1/stream")).text == "one two"
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get(f"/api/v1/stream?fail={kind}")
        assert (await client.get("/livez")).status_code == 200
