"""/ai/assistants: live captions (contract 2.5.7)."""

from __future__ import annotations

from typing import NoReturn

from meet.api.authentication import caller
from meet.api.services import services
from meet.http import Call, Response, json_response


async def create_assistant(call: Call) -> NoReturn:
    """Always ends in the error that says why there are no captions."""
    await services(call).assistants.create(caller(call))


async def cancel_assistant(call: Call) -> Response:
    await services(call).assistants.cancel(caller(call))
    return json_response(200, {"message": f"Assistant '{call.params['assistantId']}' canceled successfully"})
