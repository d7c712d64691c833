"""/config: what the pages adapt to (contract 2.5.4)."""

from __future__ import annotations

from meet.api.services import services
from meet.http import Call, Response, json_response


async def get_captions_config(call: Call) -> Response:
    return json_response(200, {"enabled": services(call).captions_enabled})
