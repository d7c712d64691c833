from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from meet.http import Call, Document, HttpApp
from meet.web import Pages, WebConfig

ROOT = Path(__file__).parents[3]
PAGES = (
    *("home", "rooms", "room_settings", "library", "users", "settings", "profile"),
    *("room", "recordings", "player"),
)
COMPONENT = "v1/openvidu-meet.js"
ENTRIES = {name: f"{name}-AB12.js" for name in PAGES}


@pytest.fixture
def static_dir(tmp_path: Path) -> Path:
    """What the build writes, in small."""
    files = ENTRIES | {"style": "style-AB12.css", "icon": "icon-AB12.svg", COMPONENT: COMPONENT}
    (tmp_path / "v1").mkdir()
    for name in files.values():
        (tmp_path / name).write_text(f"/* {name} */" * 50)
    (tmp_path / "manifest.json").write_text(json.dumps(files))
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "swagger-ui.css").write_text("p{}")
    return tmp_path


class NoOne:
    async def authenticate(self, call: Call, schemes: frozenset[str]) -> Any:
        raise AssertionError("pages need no credential")


@pytest.fixture
async def client(static_dir: Path) -> AsyncIterator[httpx.AsyncClient]:
    """The pages as the HTTP runtime serves them, at the root and below /meet."""
    pages = Pages(WebConfig(media_url=lambda base: f"ws://{urlsplit(base).hostname}:7880", static_dir=static_dir))
    document = Document(ROOT / "openapi/web/openapi.yaml", ("", "/meet"))
    app: Any = HttpApp([document], NoOne(), SimpleNamespace(web=pages), base_path="/meet")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://host.test") as http:
        yield http
