"""What participants write into their own metadata is theirs; rights are not (contract 3.8.4, 7.3)."""

from __future__ import annotations

import json
from typing import Any

import jwt
import pytest

from meet.core.model.permissions import ALL, SPEAKER

from .calls import call
from .world import Scene

pytestmark = pytest.mark.asyncio(loop_scope="session")

TOKEN = "/internal-api/v1/rooms/{room}/members/token"
ROLE = "/internal-api/v1/meetings/{room}/participants/{someone}/role"


def metadata_of(scene: Scene, token: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(scene.world.metadata_of(token))
    return found


async def test_forged_metadata_gains_nothing(scene: Scene) -> None:
    secret = scene.room.access["anonymous"]["speaker"]["secret"]
    request = {"secret": secret, "joinMeeting": True}
    token = (await call(scene, "POST", TOKEN, who="nobody", json={**request, "participantName": "Eve"})).json()["token"]
    scene.variables["someone"] = identity = jwt.decode(token, options={"verify_signature": False})["sub"]
    forged = {
        **metadata_of(scene, token),
        "permissions": dict(ALL),
        "badge": "moderator",
        "isPromotedModerator": True,
        "originalPermissions": dict(ALL),
    }
    scene.world.media.join(scene.room.room_id, identity, name="Eve", metadata=json.dumps(forged))
    member = {"X-Room-Member-Token": f"Bearer {token}"}
    refreshed = await call(scene, "POST", f"{TOKEN}/refresh", who="nobody", headers=member)
    regenerated = await call(scene, "POST", TOKEN, who="nobody", headers=member, json=request)
    for answer in (refreshed, regenerated):
        metadata = metadata_of(scene, answer.json()["token"])
        assert (metadata["badge"], metadata["permissions"]) == ("other", dict(SPEAKER))
        assert "isPromotedModerator" not in metadata
    again = {"X-Room-Member-Token": f"Bearer {refreshed.json()['token']}"}
    await call(scene, "PUT", ROLE, 403, who="nobody", headers=again, json={"action": "upgrade"})
    await call(scene, "DELETE", "/internal-api/v1/meetings/{room}", 403, who="nobody", headers=again)
