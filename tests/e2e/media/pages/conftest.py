"""Pages with an unmodified livekit-client from npm, in a browser, against a media server in this process."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from playwright.async_api import Browser, Page

from meet.media.main import Extension, MediaConfig, MediaServer
from meet.media.room import RoomRegistry
from tests.e2e.browser.pages import chromium
from tests.e2e.media.conftest import KEY, SECRET, access_token

HERE = Path(__file__).parent
_MODULES = HERE.parents[3] / "web/node_modules"
NEWEST, YEAR_OLD = "livekit-client", "livekit-client-year-old"
"""npm names in web/package.json."""

thorough = pytest.mark.skipif("MEET_BROWSERS" not in os.environ, reason="part of `make browsers`")

Enter = Callable[..., Awaitable[Page]]


async def page_routes(_registry: RoomRegistry) -> Extension:
    """`/page?client=NAME` is page.html with the livekit-client of that npm name."""

    async def page(request: web.Request) -> web.Response:
        text = (HERE / "page.html").read_text().replace("CLIENT", request.query.get("client", NEWEST))
        return web.Response(text=text, content_type="text/html")

    async def client(request: web.Request) -> web.FileResponse:
        path = _MODULES / request.match_info["name"] / "dist/livekit-client.umd.js"
        return web.FileResponse(path, headers={"Content-Type": "text/javascript"})

    return Extension(routes=[web.get("/page", page), web.get("/client/{name:[a-z-]+}", client)])


@pytest.fixture
def video_codecs() -> tuple[str, ...]:
    return ("VP8", "H264")


@pytest.fixture
async def media(video_codecs: tuple[str, ...]) -> AsyncIterator[MediaServer]:
    assert (_MODULES / NEWEST).exists(), f"{_MODULES} is incomplete: run `make web`"
    server = MediaServer(MediaConfig(keys={KEY: SECRET}, port=0, rtc_port=0, video_codecs=video_codecs), page_routes)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as running:
        yield running


def joining(media: MediaServer, identity: str, *, single: bool, **wish: Any) -> dict[str, Any]:
    """The argument of page.html's `join`. wish: codec, publish, options, connect; the rest are grants."""
    codec, publish = wish.pop("codec", "vp8"), wish.pop("publish", True)
    options, connect = wish.pop("options", None), wish.pop("connect", None)
    return {
        "url": f"ws://127.0.0.1:{media.port}",
        "token": access_token(identity, **wish),
        "single": single,
        "codec": codec,
        "publish": publish,
        "options": options or {},
        "connect": connect or {},
    }


@pytest.fixture
def enter(media: MediaServer, browser: Browser) -> Enter:
    """`await enter("alice", single=True, codec="vp8", publish=True, options={}, connect={}, client=NEWEST)`."""

    async def join(identity: str, *, single: bool, client: str = NEWEST, **wish: Any) -> Page:
        page = await (await browser.new_context()).new_page()
        await page.goto(f"http://127.0.0.1:{media.port}/page?client={client}")
        await page.evaluate("wanted => join(wanted)", joining(media, identity, single=single, **wish))
        return page

    return join
