"""/analytics: numbers for the overview (contract 2.5.8)."""

from __future__ import annotations

from meet.api.authentication import caller
from meet.api.services import services
from meet.http import Call, Response, json_response


async def get_analytics(call: Call) -> Response:
    totals = await services(call).analytics.totals(caller(call))
    return json_response(
        200,
        {
            "totalRooms": totals.rooms,
            "activeRooms": totals.active_rooms,
            "totalRecordings": totals.recordings,
            "completeRecordings": totals.complete_recordings,
        },
    )
