"""/ai/assistants: live captions (contract 2.5.7)."""

from __future__ import annotations

from meet.api.authentication import caller
from meet.api.services import services
from meet.http import Call, Response, json_response


async def create_assistant(call: Call) -> Response:
    assistant_id = await services(call).assistants.create(caller(call))
    return json_response(201, {"id": assistant_id, "status": "active"})


async def cancel_assistant(call: Call) -> Response:
    await services(call).assistants.cancel(caller(call))
    return json_response(200, {"message": f"Assistant '{call.params['assistantId']}' canceled successfully"})
