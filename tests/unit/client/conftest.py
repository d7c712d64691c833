"""Clients whose requests are answered by a function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from meet.client import AsyncClient, Client

KEY = "ovmeet-s3cret"
Handler = Callable[[httpx.Request], httpx.Response]


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What the clients waited for; no time passes."""
    waited: list[float] = []

    async def wait(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr("meet.client.runner.time.sleep", waited.append)
    monkeypatch.setattr("meet.client.runner.asyncio.sleep", wait)
    return waited


def client(handler: Handler, url: str = "http://meet.test", **options: Any) -> Client:
    """A blocking client of `handler`."""
    return Client(url, api_key=KEY, transport=httpx.MockTransport(handler), **options)


def async_client(handler: Handler, url: str = "http://meet.test", **options: Any) -> AsyncClient:
    """The same with asyncio."""
    return AsyncClient(url, api_key=KEY, transport=httpx.MockTransport(handler), **options)


def page(first: int, last: int, token: str | None) -> httpx.Response:
    """A page of rooms."""
    pagination = {"isTruncated": token is not None, "maxItems": 2, **({"nextPageToken": token} if token else {})}
    rooms = [{"roomId": f"room-{number}"} for number in range(first, last)]
    return httpx.Response(200, json={"rooms": rooms, "pagination": pagination, "_extraFields": []})


def problem(status: int, error: str = "Room Error", message: str = "No", **more: Any) -> httpx.Response:
    """An error of the server."""
    headers = more.pop("headers", None)
    return httpx.Response(status, json={"error": error, "message": message, **more}, headers=headers)
