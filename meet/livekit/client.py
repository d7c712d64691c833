"""The domain's MediaServer port over `livekit-api` (Twirp; contract A.2 for what each failure is called)."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Iterator, Sequence
from typing import Final

import aiohttp
import structlog
from livekit import api
from livekit.protocol import models as pb

from meet.core.meeting_errors import CaptionsUnavailable
from meet.core.model.encoding import Encoding, Layout
from meet.core.model.media import MediaParticipant
from meet.core.model.recording import Egress
from meet.livekit.calling import calling, of_egress, starting
from meet.livekit.egress import composite_request, is_recording, to_egress
from meet.livekit.participants import is_hidden, to_participant
from meet.livekit.recorder import OwnRecorder

log = structlog.get_logger(__name__)

_TIMEOUT_S: Final = 10.0


class LiveKitMediaServer:
    """Implements `meet.core.ports.MediaServer` and `meet.core.assistant_ports.AgentDispatcher`.

    url: ws(s):// or http(s)://, as this process reaches the server. tls: for an https server with our own certificate.
    A session given from outside is used and left open. Must be made inside a running event loop. `recorder` speaks to
    what only our own media server has, over the same connections.
    """

    def __init__(
        self,
        url: str,
        api_key: str,
        api_secret: str,
        *,
        tls: ssl.SSLContext | None = None,
        session: aiohttp.ClientSession | None = None,
    ) -> None:
        self._own_session = session is None
        self._session = session or aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=tls if tls is not None else True),
            timeout=aiohttp.ClientTimeout(total=_TIMEOUT_S),
        )
        self._api = api.LiveKitAPI(url, api_key, api_secret, session=self._session, failover=False)
        self.recorder = OwnRecorder(url, api_key, api_secret, self._session)

    async def close(self) -> None:
        """Drop the connections."""
        if self._own_session:
            await self._session.close()

    # -- rooms

    async def create_room(self, name: str, *, metadata: str, empty_timeout_s: int, departure_timeout_s: int) -> None:
        """Create the media room. Timeouts are seconds."""
        request = api.CreateRoomRequest(
            name=name, metadata=metadata, empty_timeout=empty_timeout_s, departure_timeout=departure_timeout_s
        )
        with calling("creating LiveKit room"):
            await self._api.room.create_room(request)

    async def delete_room(self, name: str) -> None:
        """End the meeting; absent is fine."""
        with calling(f"deleting LiveKit room '{name}'"), _absent_is_fine():
            await self._api.room.delete_room(api.DeleteRoomRequest(room=name))

    async def list_rooms(self) -> list[str]:
        """Names of the media rooms."""
        with calling("getting LiveKit rooms"):
            answer = await self._api.room.list_rooms(api.ListRoomsRequest())
        return [room.name for room in answer.rooms]

    # -- participants

    async def list_participants(self, room: str) -> list[MediaParticipant]:
        """Visible participants; an absent room has none."""
        answer = api.ListParticipantsResponse()
        with calling(f"getting participants of LiveKit room '{room}'"), _absent_is_fine():
            answer = await self._api.room.list_participants(api.ListParticipantsRequest(room=room))
        return [to_participant(info) for info in answer.participants if not is_hidden(info)]

    async def get_participant(self, room: str, identity: str) -> MediaParticipant | None:
        """The participant, or None when it or its room is not there."""
        request = api.RoomParticipantIdentity(room=room, identity=identity)
        with calling(f"getting participant '{identity}' in room '{room}'"), _absent_is_fine():
            return to_participant(await self._api.room.get_participant(request))
        return None

    async def remove_participant(self, room: str, identity: str) -> bool:
        """Kick; False when it was not there."""
        request = api.RoomParticipantIdentity(room=room, identity=identity)
        with calling(f"removing participant '{identity}' from room '{room}'"), _absent_is_fine():
            await self._api.room.remove_participant(request)
            return True
        return False

    async def update_participant_metadata(self, room: str, identity: str, metadata: str) -> None:
        """Replace the metadata."""
        request = api.UpdateParticipantRequest(room=room, identity=identity, metadata=metadata)
        with calling(f"updating metadata for participant '{identity}' in room '{room}'"):
            await self._api.room.update_participant(request)

    async def send_data(
        self, room: str, payload: bytes, *, topic: str, identities: Sequence[str] = (), sids: Sequence[str] = ()
    ) -> None:
        """Send reliably to everybody, or to those named."""
        request = api.SendDataRequest(
            room=room,
            data=payload,
            kind=pb.DataPacket.RELIABLE,
            topic=topic,
            destination_identities=identities,
            destination_sids=sids,
        )
        with calling(f"sending data to LiveKit room '{room}'"):
            await self._api.room.send_data(request)

    # -- egress

    async def start_room_composite(
        self, room: str, *, layout: Layout, encoding: Encoding, key: str, audio_only: bool = False
    ) -> Egress:
        """Start recording `room` into `key`. Raises RecordingRefused, ValidationFailed (encoding)."""
        request = composite_request(room, layout, encoding, key, audio_only)
        with starting(room):
            return to_egress(await self._api.egress.start_room_composite_egress(request))
        raise AssertionError("unreachable")

    async def stop_egress(self, egress_id: str) -> Egress:
        """Stop it. Raises EgressNotFound, EgressNotActive."""
        with calling(f"stopping egress '{egress_id}'"), of_egress(egress_id):
            return to_egress(await self._api.egress.stop_egress(api.StopEgressRequest(egress_id=egress_id)))
        raise AssertionError("unreachable")

    async def update_layout(self, egress_id: str, layout: Layout) -> Egress:
        """Arrange the picture differently. Raises EgressNotFound, EgressNotActive."""
        request = api.UpdateLayoutRequest(egress_id=egress_id, layout=layout)
        with calling(f"changing the layout of egress '{egress_id}'"), of_egress(egress_id):
            return to_egress(await self._api.egress.update_layout(request))
        raise AssertionError("unreachable")

    async def list_egress(
        self, *, room: str | None = None, egress_id: str | None = None, active: bool | None = None
    ) -> list[Egress]:
        """Recordings that match; other kinds of egress are left out. active=None or False: the finished ones too."""
        request = api.ListEgressRequest(room_name=room or "", egress_id=egress_id or "", active=active or False)
        answer = api.ListEgressResponse()
        with calling(f"getting egress '{egress_id}'" if egress_id else "getting egress"), _absent_is_fine():
            answer = await self._api.egress.list_egress(request)
        return [to_egress(info) for info in answer.items if is_recording(info)]

    # -- agents

    async def create_dispatch(self, room: str, agent: str) -> str:
        """Call an agent into the room; the id of the dispatch. Raises CaptionsUnavailable."""
        request = api.CreateAgentDispatchRequest(room=room, agent_name=agent)
        with calling(f"creating agent dispatch for room '{room}'"), _without_agents_no_captions():
            return (await self._api.agent_dispatch.create_dispatch(request)).id
        raise AssertionError("unreachable")

    async def list_dispatches(self, room: str, agent: str) -> list[str]:
        """Ids of the agent's dispatches in the room. Raises CaptionsUnavailable."""
        found: list[api.AgentDispatch] = []
        with (
            calling(f"listing agent dispatches for room '{room}'"),
            _without_agents_no_captions(),
            _absent_is_fine(),
        ):
            found = await self._api.agent_dispatch.list_dispatch(room)
        return [each.id for each in found if each.agent_name == agent and not each.state.deleted_at]

    async def delete_dispatch(self, room: str, dispatch_id: str) -> None:
        """Send the agent away; absent is fine."""
        with calling(f"stopping agent dispatch '{dispatch_id}' in room '{room}'"), _absent_is_fine():
            await self._api.agent_dispatch.delete_dispatch(dispatch_id, room)


@contextlib.contextmanager
def _without_agents_no_captions() -> Iterator[None]:
    """Say so when the media server has no agents at all, as the embedded one."""
    try:
        yield
    except api.ServerError as error:
        if error.code != api.ServerErrorCode.UNIMPLEMENTED:
            raise
        raise CaptionsUnavailable.no_agents() from error


@contextlib.contextmanager
def _absent_is_fine() -> Iterator[None]:
    """Leave the block when the room, participant or egress does not exist."""
    try:
        yield
    except api.ServerError as error:
        if error.code != api.ServerErrorCode.NOT_FOUND:
            raise
