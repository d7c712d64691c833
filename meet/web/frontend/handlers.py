"""Handlers of `openapi/web/frontend.yaml`; `call.services.web` is the `Frontend`."""

from __future__ import annotations

from typing import Any, cast

from meet.http.call import Call
from meet.http.errors import path_not_found
from meet.http.response import Response
from meet.web import component

from .service import Frontend


def _frontend(call: Call) -> Frontend:
    return cast(Frontend, call.services.web)


async def index(call: Call) -> Response:
    return _frontend(call).index(call)


async def web_component(call: Call) -> Response:
    return await _component(call, "openvidu-meet.js")


async def web_component_module(call: Call) -> Response:
    return await _component(call, "openvidu-meet.esm.js")


async def file_or_index(call: Call) -> Any:
    """A file of the build, else the page: except below API paths, where an unknown path is a refusal."""
    frontend, path = _frontend(call), call.params["path"]
    if path.lower() != "index.html":
        file = await frontend.files.respond(path, cast(Any, call.scope))
        if file is not None:
            return file
    if "/api/" in call.path or "/internal-api/" in call.path:
        raise path_not_found()
    return frontend.index(call)


async def _component(call: Call, name: str) -> Response:
    script = _frontend(call).components.get(name)
    if script is None:
        raise path_not_found()
    try:
        return await component.respond(script, call.headers.get("if-none-match"))
    except FileNotFoundError:  # a build that is being replaced by the next one
        raise path_not_found() from None
