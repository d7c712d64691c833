"""API keys, global settings, analytics: contract 2.5.2, 2.5.4, 2.5.8."""

from __future__ import annotations

from typing import Any

import pytest

from meet.core.global_settings import MASK

from .calls import call
from .table_administration import APPEARANCE, KEYS, PROVIDER, SECURITY, THEME, providers, themes
from .world import API_KEY, Scene

pytestmark = pytest.mark.asyncio(loop_scope="session")

ROOMS = "/api/v1/rooms"


async def test_a_new_key_replaces_the_former(scene: Scene) -> None:
    response = await call(scene, "POST", KEYS, 201, who="admin")
    key = response.json()
    assert key["key"].startswith("ovmeet-")
    assert len(key["key"]) == 39
    assert response.headers["cache-control"] == "no-store"
    assert (await call(scene, "GET", KEYS, who="admin")).json() == [key]
    assert key["key"] != API_KEY
    refused = (await call(scene, "GET", ROOMS, 401)).json()
    assert refused["message"] == "Invalid API key"
    await call(scene, "GET", ROOMS, who="nobody", headers={"X-API-KEY": key["key"]})


async def test_without_a_key_none_is_right(scene: Scene) -> None:
    for _ in range(2):
        body = (await call(scene, "DELETE", KEYS, who="admin")).json()
        assert body == {"message": "API keys deleted successfully"}
    assert (await call(scene, "GET", KEYS, who="admin")).json() == []
    refused = (await call(scene, "GET", ROOMS, 401)).json()
    assert refused["message"] == "There are no API keys configured yet. Please, create one to access the API"


async def test_client_secrets_are_for_administrators(scene: Scene) -> None:
    config = providers(PROVIDER, {**PROVIDER, "provider": "google", "clientSecret": "other"})
    assert (await call(scene, "PUT", SECURITY, who="admin", json=config)).json() == config
    assert (await call(scene, "GET", SECURITY, who="admin")).json() == config
    masked = providers({**PROVIDER, "clientSecret": MASK}, {**PROVIDER, "provider": "google", "clientSecret": MASK})
    for who in ("nobody", "manager", "member", "API key", "forged access token", "moderator"):
        assert (await call(scene, "GET", SECURITY, who=who)).json() == masked
    await call(scene, "PUT", SECURITY, who="admin", json=providers())
    assert (await call(scene, "GET", SECURITY, who="nobody")).json() == providers()


async def test_colours_that_are_left_out_stay(scene: Scene) -> None:
    first = {**THEME, "backgroundColor": "#ffffff", "nonsense": 1}
    await call(scene, "PUT", APPEARANCE, who="admin", json=themes(first))
    second = {"name": "other", "enabled": False, "baseTheme": "light", "accentColor": "#ABCDEF80"}
    changed = (await call(scene, "PUT", APPEARANCE, who="admin", json=themes(second))).json()
    assert changed == themes({**THEME, "backgroundColor": "#ffffff", **second})
    assert (await call(scene, "GET", APPEARANCE, who="nobody")).json() == changed


async def test_analytics_count(scene: Scene) -> None:
    async def counted() -> dict[str, Any]:
        body: dict[str, Any] = (await call(scene, "GET", "/internal-api/v1/analytics", who="admin")).json()
        return body

    before = await counted()
    await scene.meet()
    await scene.add_recording("complete", media=False)
    await scene.add_recording("failed", media=False)
    after = await counted()
    assert {name: after[name] - before[name] for name in after} == {
        "totalRooms": 0,
        "activeRooms": 1,
        "totalRecordings": 2,
        "completeRecordings": 1,
    }
