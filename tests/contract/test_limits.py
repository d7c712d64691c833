"""Rate limits: contract 1.6. Every operation names its limiter, and the limiters do what the contract says."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from meet import api
from meet.api import documents
from meet.api.rate_limits import LIMITS
from meet.http import FixedWindows
from meet.http.documents import load

from .oracle import Oracle
from .world import API_KEY, ORIGIN, PASSWORD, World

pytestmark = pytest.mark.asyncio(loop_scope="session")

LOGIN = "/internal-api/v1/auth/login"
TOKEN = "/internal-api/v1/rooms/nowhere/members/token"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Limited:
    """The application with its limits on, judged, and a clock."""

    client: httpx.AsyncClient
    clock: Clock

    async def statuses(self, count: int, method: str, path: str, **request: Any) -> list[int]:
        return [(await self.client.request(method, path, **request)).status_code for _ in range(count)]


@pytest.fixture
async def limited(world: World) -> AsyncIterator[Limited]:
    clock = Clock()
    app = api.build(world.services, public_url=ORIGIN, rate_limiter=FixedWindows(LIMITS, clock))
    transport = httpx.ASGITransport(Oracle(app))
    async with httpx.AsyncClient(transport=transport, base_url=f"{ORIGIN}/meet") as client:
        yield Limited(client, clock)


def limiters() -> dict[str, tuple[str, tuple[str, ...]]]:
    """Operation id -> path and limiter names, of the documents with limits."""
    found = {}
    for document in documents():
        if document.path.parent.name not in ("meet", "meet-3.9", "meet-internal", "meet-extra"):
            continue
        for path, item in load(document.path)["paths"].items():
            for operation in item.values():
                if isinstance(operation, dict) and "operationId" in operation:
                    names = operation["x-rate-limit"]
                    found[operation["operationId"]] = path, (names,) if isinstance(names, str) else tuple(names)
                    assert "429" in operation["responses"], operation["operationId"]
    return found


async def test_every_operation_has_the_limiter_of_the_contract() -> None:
    for name, (path, names) in limiters().items():
        if path == "/auth/login":
            expected: tuple[str, ...] = ("login",)
        elif path.startswith("/auth/"):
            expected = ("auth",)
        elif path.startswith("/rooms/{roomId}/members/token"):
            expected = ("token",)
        elif path.startswith("/api-keys"):
            expected = ("sensitive",)
        elif path in ("/users/change-password", "/users/{userId}/password"):
            expected = ("api", "sensitive")
        else:
            expected = ("api",)
        assert names == expected, name


async def test_five_wrong_passwords_are_enough_and_right_ones_do_not_count(limited: Limited) -> None:
    good = {"userId": "admin", "password": PASSWORD}
    bad = {"userId": "admin", "password": "wrong"}
    assert await limited.statuses(7, "POST", LOGIN, json=good) == [200] * 7
    assert await limited.statuses(6, "POST", LOGIN, json=bad) == [404] * 5 + [429]
    refused = await limited.client.post(LOGIN, json=good)
    assert refused.json() == {
        "error": "Too Many Requests",
        "message": "Too many login attempts, please try again later",
    }
    assert refused.headers["retry-after"] == "300"
    assert refused.headers["ratelimit"] == "limit=5, remaining=0, reset=300"
    assert refused.headers["ratelimit-policy"] == "5;w=300"
    assert "x-ratelimit-limit" not in refused.headers
    limited.clock.now += 300
    assert await limited.statuses(1, "POST", LOGIN, json=good) == [200]


async def test_the_api_limiter_spares_whoever_sends_a_key_good_or_bad(limited: Limited) -> None:
    path = "/api/v1/rooms"
    assert await limited.statuses(121, "GET", path) == [401] * 120 + [429]
    assert await limited.statuses(1, "GET", "/internal-api/v1/config/captions") == [429]
    assert await limited.statuses(1, "GET", path, headers={"X-API-KEY": API_KEY}) == [200]
    assert await limited.statuses(1, "GET", path, headers={"X-API-KEY": "wrong"}) == [401]
    assert await limited.statuses(1, "GET", path, headers={"X-Forwarded-For": "198.51.100.9"}) == [401]


async def test_tokens_have_a_limit_of_their_own_and_a_key_does_not_help(limited: Limited) -> None:
    key = {"X-API-KEY": API_KEY}
    assert await limited.statuses(61, "POST", TOKEN, json={}, headers=key) == [404] * 60 + [429]
    refused = await limited.client.post(TOKEN, json={})
    assert refused.json()["message"] == "Too many token requests, please try again later"
    assert await limited.statuses(1, "GET", "/api/v1/rooms", headers=key) == [200]


async def test_passwords_are_limited_twice(limited: Limited) -> None:
    path = "/internal-api/v1/users/change-password"
    assert await limited.statuses(21, "POST", path, json={}) == [401] * 20 + [429]
    refused = await limited.client.post(path, json={})
    assert refused.json()["message"] == "Too many requests for this operation, please try again later"


async def test_renewals_are_limited(limited: Limited) -> None:
    assert await limited.statuses(31, "POST", "/internal-api/v1/auth/refresh") == [400] * 30 + [429]
