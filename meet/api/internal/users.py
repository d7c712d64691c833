"""/users: the logged-in user (contract 2.5.3)."""

from __future__ import annotations

from meet.api.authentication import caller
from meet.api.selection import user_document
from meet.api.services import services
from meet.http import Call, Response, json_response


async def get_me(call: Call) -> Response:
    return json_response(200, user_document(await services(call).auth.me(caller(call))))


async def change_password(call: Call) -> Response:
    auth = services(call).auth
    user = await auth.me(caller(call))
    tokens = await auth.change_password(caller(call), call.body["currentPassword"], call.body["newPassword"])
    return json_response(
        200,
        {
            "message": f"Password for user '{user.user_id}' changed successfully",
            "accessToken": tokens.access_token if tokens else None,
            "refreshToken": tokens.refresh_token if tokens else None,
        },
        {"Cache-Control": "no-store"},
    )
