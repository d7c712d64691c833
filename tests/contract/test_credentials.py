"""Several credentials at once, and credentials in unusual places: contract 1.4."""

from __future__ import annotations

import pytest

from .calls import call
from .credentials import FORGED
from .world import API_KEY, Scene

pytestmark = pytest.mark.asyncio(loop_scope="session")

ROOMS = "/api/v1/rooms"
ROOM = f"{ROOMS}/{{room}}"


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def message(scene: Scene, path: str, status: int, headers: dict[str, str], **params: str) -> str:
    body = (await call(scene, "GET", path, status, who="nobody", headers=headers, params=params)).json()
    text: str = body.get("message", "")
    return text


async def test_a_wrong_key_is_not_forgiven_for_a_good_login(scene: Scene) -> None:
    headers = {"X-API-KEY": "ovmeet-wrong", **bearer(scene.world.user_token("admin"))}
    assert await message(scene, ROOMS, 401, headers) == "Invalid API key"


async def test_a_good_key_makes_a_wrong_login_irrelevant(scene: Scene) -> None:
    await message(scene, ROOMS, 200, {"X-API-KEY": API_KEY, **bearer(FORGED)})


async def test_a_room_member_token_comes_before_a_login(scene: Scene) -> None:
    admin = bearer(scene.world.user_token("admin"))
    elsewhere = {"X-Room-Member-Token": f"Bearer {scene.elsewhere()}"}
    await message(scene, ROOM, 403, {**admin, **elsewhere})
    await message(scene, ROOM, 200, admin)


async def test_a_credential_the_operation_does_not_take_is_ignored(scene: Scene) -> None:
    admin = bearer(scene.world.user_token("admin"))
    await message(scene, "/internal-api/v1/users/me", 200, {**admin, "X-API-KEY": "ovmeet-wrong"})
    await message(scene, ROOMS, 200, {**admin, "X-Room-Member-Token": f"Bearer {FORGED}"})


@pytest.mark.parametrize("prefix", ["", "bearer ", "Token ", "Bearer"])
async def test_a_token_without_its_prefix_counts_as_absent(scene: Scene, prefix: str) -> None:
    headers = {"Authorization": f"{prefix}{scene.world.user_token('admin')}"}
    assert await message(scene, ROOMS, 401, headers) == "Unauthorized"


async def test_a_token_in_the_header_comes_before_one_in_the_query(scene: Scene) -> None:
    good = scene.world.user_token("admin")
    assert await message(scene, ROOMS, 401, bearer(FORGED), accessToken=good) == "Invalid token"
    await message(scene, ROOMS, 200, bearer(good), accessToken=FORGED)


async def test_an_empty_key_is_none(scene: Scene) -> None:
    assert await message(scene, ROOMS, 401, {"X-API-KEY": ""}) == "Unauthorized"


async def test_a_refresh_token_opens_nothing(scene: Scene) -> None:
    token = scene.world.codec.sign_user("admin", "Admin", "refresh")
    assert await message(scene, ROOMS, 401, bearer(token)) == "Invalid token"


async def test_a_room_member_token_is_no_access_token(scene: Scene) -> None:
    assert await message(scene, ROOMS, 401, bearer(scene.moderator())) == "Invalid token"
    as_member = {"X-Room-Member-Token": f"Bearer {scene.world.user_token('admin')}"}
    assert await message(scene, ROOM, 401, as_member) == "Invalid token"


async def test_a_token_of_a_deleted_room_is_void(scene: Scene) -> None:
    token = {"X-Room-Member-Token": f"Bearer {scene.moderator()}"}
    await call(scene, "DELETE", ROOM)
    assert await message(scene, ROOM, 401, token) == "Invalid token"
