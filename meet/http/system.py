"""Handlers of `openapi/system`: health, readiness, the API description and the docs page.

The docs page is swagger-ui-dist 5 (it renders OpenAPI 3.1), put into `meet/web/static/docs` by the web build. Its
Content-Security-Policy allows this origin only, so nothing can be fetched from anywhere else unnoticed.
"""

from __future__ import annotations

import asyncio
import html
from functools import lru_cache
from pathlib import Path
from string import Template

import structlog

from .bundle import public_view
from .call import Call
from .compiled import CompiledApi
from .errors import HttpError
from .response import Response, encode, json_response

_log = structlog.get_logger(__name__)

_PAGES = Path(__file__).parent / "docs_page"
_VENDORED = ("swagger-ui.css", "swagger-ui-bundle.js")
_OWN = ("docs.css", "docs.js")
_TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}
_CHECK_TIMEOUT_S = 5.0

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


async def livez(call: Call) -> Response:
    return _ok()


async def health(call: Call) -> Response:
    return _ok()


async def health_post(call: Call) -> Response:
    return _ok()


async def readyz(call: Call) -> Response:
    """200 when every injected check but the excluded passes, 503 naming the others. The reasons are class names, not
    messages."""
    wanted = {name: check for name, check in call.app.readiness.items() if name not in call.params.get("exclude", ())}
    results = await asyncio.gather(*(_outcome(name, check) for name, check in wanted.items()))
    checks = dict(results)
    ready = all(result == "ok" for result in checks.values())
    return json_response(200 if ready else 503, {"ready": ready, "checks": checks}, {"cache-control": "no-store"})


async def openapi_json(call: Call) -> Response:
    """The bundled document with the base path of this request as its server."""
    apis = public_documents(call)
    wanted = call.params.get("document")
    chosen = next((api for name, api in apis.items() if wanted in (None, name)), None)
    if chosen is None:
        raise HttpError(404, "Document Not Found", f"There is no API description '{wanted}'")
    mount = _mount(call, "/api/v1/openapi.json")
    bases = chosen.document.base_paths
    server = next((base for base in bases if base.startswith(mount + "/")), bases[0])
    body = _description(chosen, server)
    return Response(200, body, {"content-type": "application/json; charset=utf-8", "cache-control": "no-cache"})


async def docs_page(call: Call) -> Response:
    return _page(call, "/docs")


async def docs_page_of_api(call: Call) -> Response:
    return _page(call, "/api/v1/docs")


async def docs_asset(call: Call) -> Response:
    name = call.params["asset"]
    content = _own_asset(name) if name in _OWN else _vendored(call, name)
    if content is None:
        raise HttpError(404, "Path Not Found", "API path not implemented")
    headers = {
        "content-type": _TYPES[Path(name).suffix],
        "cache-control": "public, max-age=3600",
        "x-content-type-options": "nosniff",
    }
    return Response(200, content, headers)


def public_documents(call: Call) -> dict[str, CompiledApi]:
    """Documents by folder name, in the order they were given to `HttpApp`; this one is not among them."""
    return {
        api.document.path.parent.name: api
        for api in call.app.apis
        if api.document.public and api.document.path.parent.name != "system"
    }


def _page(call: Call, path: str) -> Response:
    if _vendored(call, _VENDORED[0]) is None:
        raise HttpError(503, "Documentation Unavailable", "The documentation assets are missing; run the web build")
    mount = _mount(call, path)
    names = " ".join(public_documents(call))
    template = Template((_PAGES / "index.html").read_text(encoding="utf-8"))
    page = template.substitute(mount=html.escape(mount), documents=html.escape(names))
    return _html(page)


def _mount(call: Call, path: str) -> str:
    """What stands before `path` in the request: the base path this request came in under."""
    length = len(call.path.rstrip("/")) - len(path)
    return call.path[:length]


@lru_cache(maxsize=32)
def _description(api: CompiledApi, server: str) -> bytes:
    return encode(public_view(api.specification.raw, server))


@lru_cache(maxsize=8)
def _own_asset(name: str) -> bytes:
    return (_PAGES / name).read_bytes()


def _vendored(call: Call, name: str) -> bytes | None:
    return _read(call.app.docs_assets / name) if name in _VENDORED else None


@lru_cache(maxsize=8)
def _read_known(path: Path, _modified_ns: int) -> bytes:
    return path.read_bytes()


def _read(path: Path) -> bytes | None:
    try:
        return _read_known(path, path.stat().st_mtime_ns)
    except FileNotFoundError:
        return None


async def _outcome(name: str, check: object) -> tuple[str, str]:
    assert callable(check)
    try:
        async with asyncio.timeout(_CHECK_TIMEOUT_S):
            await check()
    except Exception as error:
        _log.warning("readiness_check_failed", check=name, error=type(error).__name__)
        return name, type(error).__name__
    return name, "ok"


def _ok() -> Response:
    return Response(200, b"OK", {"content-type": "text/html; charset=utf-8"})


def _html(page: str) -> Response:
    headers = {
        "content-type": "text/html; charset=utf-8",
        "content-security-policy": CSP,
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
    }
    return Response(200, page.encode(), headers)
