"""/config/security and /config/rooms/appearance: settings that everybody reads and administrators write (2.5.4)."""

from __future__ import annotations

from meet.api.authentication import ACCESS, caller
from meet.api.services import services
from meet.core.edits import version_of
from meet.http import Call, Response, json_response, versions


async def get_security_config(call: Call) -> Response:
    # No credential is needed and a bad one does no harm; an administrator's decides what is masked.
    reader = await services(call).auth.anonymous(call.credential(ACCESS))
    security = await services(call).global_settings.security(reader)
    response = json_response(200, security)
    if reader.is_admin:  # the version is of the whole, secrets included
        response.version = version_of(security)
    return response


async def update_security_config(call: Call) -> Response:
    wanted = versions(call.params.get("If-Match"))
    security = await services(call).global_settings.set_security(caller(call), call.body, versions=wanted)
    return json_response(200, security)


async def get_rooms_appearance_config(call: Call) -> Response:
    appearance = await services(call).global_settings.appearance()
    response = json_response(200, {"appearance": appearance})
    response.version = version_of(appearance)
    return response


async def update_rooms_appearance_config(call: Call) -> Response:
    wanted = versions(call.params.get("If-Match"))
    settings = services(call).global_settings
    appearance = await settings.set_appearance(caller(call), call.body["appearance"], versions=wanted)
    return json_response(200, {"appearance": appearance})
