"""/users: the logged-in user (contract 2.5.3)."""

from __future__ import annotations

from meet.api.authentication import caller
from meet.api.services import services
from meet.http import Call, Response, json_response


async def get_me(call: Call) -> Response:
    user = await services(call).auth.me(caller(call))
    return json_response(
        200,
        {
            "userId": user.user_id,
            "name": user.name,
            "registrationDate": user.registration_date,
            "role": user.role,
            "roleUpdatedAt": user.role_updated_at,
        },
    )


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
