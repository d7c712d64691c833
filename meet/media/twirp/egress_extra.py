"""meet.Egress: what LiveKit's Egress service has no words for, in a service of our own beside it.

Messages are JSON objects (`google.protobuf.Struct` for callers who speak protobuf):

- `PauseEgress`, `ResumeEgress`, `GetEgress`: `{"egress_id"}`
- `StartRoomCompositeEgress`: `{"request": <livekit.RoomCompositeEgressRequest>, "compose": "live" | "after"}`

All answer `{"egress_id", "status", "paused", "compose"?, "integrity"?}`; a start answers livekit's EgressInfo.
"""

from __future__ import annotations

from typing import Any

from google.protobuf import json_format
from google.protobuf.struct_pb2 import Struct
from livekit.protocol import egress as api

from meet.media.twirp.auth import Authenticator, Grants
from meet.media.twirp.egress import EgressApi, of_running
from meet.media.twirp.egress_model import COMPOSE, EgressControl, EgressState
from meet.media.twirp.errors import TwirpError
from meet.media.twirp.service import Method, Service


class EgressExtraApi:
    """The calls of the service; every one needs roomRecord."""

    def __init__(self, egress: EgressApi, control: EgressControl) -> None:
        self._egress = egress
        self._control = control

    def service(self, auth: Authenticator) -> Service:
        """The service with its methods."""
        return Service(
            "meet.Egress",
            auth,
            {
                "StartRoomCompositeEgress": Method(Struct, self.start_room_composite),
                "PauseEgress": Method(Struct, self.pause),
                "ResumeEgress": Method(Struct, self.resume),
                "GetEgress": Method(Struct, self.get),
            },
            known=frozenset(),
        )

    async def start_room_composite(self, grants: Grants, message: Struct) -> api.EgressInfo:
        """As livekit.Egress has it, and says when to compose."""
        body = json_format.MessageToDict(message)
        compose = next((mode for mode in COMPOSE if mode == body.get("compose")), None)
        if compose is None:
            raise TwirpError("invalid_argument", f"compose must be one of {', '.join(COMPOSE)}")
        request, wish = api.RoomCompositeEgressRequest(), body.get("request")
        try:
            json_format.ParseDict(wish if isinstance(wish, dict) else {}, request, ignore_unknown_fields=True)
        except json_format.ParseError:
            raise TwirpError("malformed", "request is not a RoomCompositeEgressRequest") from None
        return await self._egress.start_room_composite(grants, request, compose)

    async def pause(self, grants: Grants, message: Struct) -> Struct:
        """Record nothing until it is resumed; already paused is fine. Answers when the recorder has stopped."""
        return await self._set_paused(grants, message, True)

    async def resume(self, grants: Grants, message: Struct) -> Struct:
        """Go on in the same file; not paused is fine."""
        return await self._set_paused(grants, message, False)

    async def get(self, grants: Grants, message: Struct) -> Struct:
        """What is known; of finished ones for seven days."""
        grants.need_record()
        egress_id = _egress_id(message)
        with of_running():
            found = await self._control.find(egress_id=egress_id)
        if not found:
            raise TwirpError("not_found", f"egress {egress_id} does not exist")
        return _standing(found[0])

    async def _set_paused(self, grants: Grants, message: Struct, paused: bool) -> Struct:
        grants.need_record()
        with of_running():
            return _standing(await self._control.set_paused(_egress_id(message), paused))


def _egress_id(message: Struct) -> str:
    egress_id = json_format.MessageToDict(message).get("egress_id")
    if not isinstance(egress_id, str) or not egress_id:
        raise TwirpError("invalid_argument", "egress_id is required")
    return egress_id


def _standing(state: EgressState) -> Struct:
    content: dict[str, Any] = {
        "egress_id": state.egress_id,
        "status": state.status,
        "paused": state.paused and not state.final,
    }
    if state.request.compose is not None:
        content["compose"] = state.request.compose
    if state.integrity is not None:
        content["integrity"] = state.integrity
    answer = Struct()
    answer.update(content)
    return answer
