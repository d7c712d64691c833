"""Handlers of `openapi/web`. Each one names a page; `call.services.web` is the `Pages` that renders it."""

from __future__ import annotations

from typing import cast

from meet.http.call import Call
from meet.http.response import Response

from . import component
from .bridge import Pages
from .static_files import StaticFiles


def _pages(call: Call) -> Pages:
    return cast(Pages, call.services.web)


async def home_page(call: Call) -> Response:
    return _pages(call).render(call)


async def rooms_page(call: Call) -> Response:
    return _pages(call).render(call, "rooms")


async def room_settings_page(call: Call) -> Response:
    return _pages(call).render(call, "rooms", call.params["roomId"])


async def recordings_page(call: Call) -> Response:
    return _pages(call).render(call, "recordings")


async def users_page(call: Call) -> Response:
    return _pages(call).render(call, "users")


async def config_page(call: Call) -> Response:
    return _pages(call).render(call, "config")


async def profile_page(call: Call) -> Response:
    return _pages(call).render(call, "profile")


async def room_page(call: Call) -> Response:
    return _pages(call).render(call, "room", call.params["roomId"])


async def room_recordings_page(call: Call) -> Response:
    return _pages(call).render(call, "room", call.params["roomId"], "recordings")


async def recording_page(call: Call) -> Response:
    return _pages(call).render(call, "recording", call.params["recordingId"])


async def web_component(call: Call) -> Response:
    return await component.respond(_pages(call).component, call.headers.get("if-none-match"))


async def static_file(call: Call) -> StaticFiles:
    """Sent as raw ASGI: the file's name is the end of the path."""
    return _pages(call).static
