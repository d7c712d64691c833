"""/meetings: what moderators do while people meet (contract 2.5.6)."""

from __future__ import annotations

from meet.api.authentication import caller
from meet.api.services import services
from meet.http import Call, Response, json_response


async def end_meeting(call: Call) -> Response:
    room = call.params["roomId"]
    await services(call).meetings.end(caller(call), room)
    return json_response(200, {"message": f"Meeting in room '{room}' ended successfully"})


async def kick_participant(call: Call) -> Response:
    room, identity = call.params["roomId"], call.params["participantIdentity"]
    await services(call).meetings.kick(caller(call), room, identity)
    message = f"Participant '{identity}' kicked successfully from meeting in room '{room}'"
    return json_response(200, {"message": message})


async def update_participant_role(call: Call) -> Response:
    room, identity, action = call.params["roomId"], call.params["participantIdentity"], call.body["action"]
    await services(call).meetings.change_role(caller(call), room, identity, action)
    message = f"Moderation action '{action}' applied to participant '{identity}' in room '{room}'"
    return json_response(200, {"message": message})
