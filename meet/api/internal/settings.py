"""/config/security and /config/rooms/appearance: settings that everybody reads and administrators write (2.5.4)."""

from __future__ import annotations

from meet.api.authentication import ACCESS, caller
from meet.api.services import services
from meet.http import Call, Response, json_response


async def get_security_config(call: Call) -> Response:
    # No credential is needed and a bad one does no harm; an administrator's decides what is masked.
    reader = await services(call).auth.anonymous(call.credential(ACCESS))
    return json_response(200, await services(call).global_settings.security(reader))


async def update_security_config(call: Call) -> Response:
    return json_response(200, await services(call).global_settings.set_security(caller(call), call.body))


async def get_rooms_appearance_config(call: Call) -> Response:
    return json_response(200, {"appearance": await services(call).global_settings.appearance()})


async def update_rooms_appearance_config(call: Call) -> Response:
    appearance = await services(call).global_settings.set_appearance(caller(call), call.body["appearance"])
    return json_response(200, {"appearance": appearance})
