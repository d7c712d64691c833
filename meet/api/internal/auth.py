"""/auth: from a password to tokens (contract 2.5.1)."""

from __future__ import annotations

from meet.api.services import services
from meet.http import Call, Response, json_response


async def login(call: Call) -> Response:
    user_id = call.body["userId"]
    tokens = await services(call).auth.login(user_id, call.body["password"])
    done = f"User '{user_id}' logged in successfully"
    if tokens.must_change_password:
        message = f"{done}, but password change is required"
        body = {"message": message, "accessToken": tokens.access_token, "mustChangePassword": True}
    else:
        body = {"message": done, "accessToken": tokens.access_token, "refreshToken": tokens.refresh_token}
    return _unstored(body)


async def logout(_call: Call) -> Response:
    return json_response(200, {"message": "Logout successful"})


async def refresh_token(call: Call) -> Response:
    user, tokens = await services(call).auth.refresh(call.credential("refreshTokenHeader"))
    return _unstored(
        {
            "message": f"Access token for user '{user.user_id}' successfully refreshed",
            "accessToken": tokens.access_token,
            "refreshToken": tokens.refresh_token,
        }
    )


def _unstored(body: dict[str, object]) -> Response:
    return json_response(200, body, {"Cache-Control": "no-store"})
