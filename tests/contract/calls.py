"""Requests of the content tests: a named credential, and a status that must be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx

from .credentials import CREDENTIALS
from .world import Scene

_BY_NAME = {credential.name: credential for credential in CREDENTIALS}


async def call(
    scene: Scene,
    method: str,
    path: str,
    status: int = 200,
    *,
    who: str = "API key",
    params: Mapping[str, str | list[str]] | None = None,
    headers: dict[str, str] | None = None,
    json: Any = None,
    judged: bool = True,
) -> httpx.Response:
    """The answer, which must have `status`. `{room}`, `{recording}` and so on in `path` are filled in.

    Requests that stock Connexion does not route (trailing slashes, unknown verbs) go unjudged."""
    credential = _BY_NAME[who]
    client = scene.world.client if judged else scene.world.unjudged
    response = await client.request(
        method,
        scene.fill(path),
        params={**(params or {}), **credential.query(scene)},
        headers={**credential.headers(scene), **(headers or {})},
        json=json,
    )
    assert response.status_code == status, response.text
    return response
