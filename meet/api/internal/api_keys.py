"""/api-keys: the key of the integration, at most one (contract 2.5.2)."""

from __future__ import annotations

from typing import Any

from meet.api.authentication import caller
from meet.api.services import services
from meet.core.model.user import ApiKey
from meet.http import Call, Response, json_response

_UNSTORED = {"Cache-Control": "no-store"}


async def create_api_key(call: Call) -> Response:
    return json_response(201, _document(await services(call).api_keys.create(caller(call))), _UNSTORED)


async def get_api_keys(call: Call) -> Response:
    keys = await services(call).api_keys.list(caller(call))
    return json_response(200, [_document(key) for key in keys], _UNSTORED)


async def delete_api_keys(call: Call) -> Response:
    await services(call).api_keys.delete(caller(call))
    return json_response(200, {"message": "API keys deleted successfully"})


def _document(key: ApiKey) -> dict[str, Any]:
    return {"key": key.key, "creationDate": key.creation_date}
