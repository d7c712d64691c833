"""/rooms/{roomId}/members/token: tokens for one room (contract 2.5.5)."""

from __future__ import annotations

from meet.api.authentication import caller
from meet.api.services import services
from meet.core.tokens import MemberTokenRequest
from meet.http import Call, Response, json_response


async def generate_room_member_token(call: Call) -> Response:
    body = call.body
    request = MemberTokenRequest(
        secret=body.get("secret") or None,
        join_meeting=body["joinMeeting"],
        participant_name=body.get("participantName"),
    )
    token = await services(call).tokens.generate(
        caller(call),
        call.params["roomId"],
        request,
        livekit_url=services(call).media_url(call.base_url),
        previous_token=call.credential("expiringRoomMemberToken"),
    )
    services(call).public.seen_by_participant(call.base_url)
    return _token(token)


async def refresh_room_member_token(call: Call) -> Response:
    token = call.credential("expiringRoomMemberToken")
    return _token(await services(call).tokens.refresh(call.params["roomId"], token))


def _token(token: str) -> Response:
    return json_response(200, {"token": token}, {"Cache-Control": "no-store"})
