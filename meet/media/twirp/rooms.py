"""livekit.RoomService: rooms, participants, tracks and data, administered from outside."""

from __future__ import annotations

from livekit.protocol import models as pb
from livekit.protocol import room as api

from meet.media.gateway import wire
from meet.media.room import RoomOptions, RoomRegistry
from meet.media.twirp.auth import Authenticator, Grants
from meet.media.twirp.errors import TwirpError
from meet.media.twirp.service import Method, Service

MAX_NAME = 256
MAX_METADATA = 64_000
MAX_DATA = 64_000
"""Bytes of a data packet from the server: it must fit one SCTP message of every client."""


class RoomServiceApi:
    """The calls of the service over the registry of this process."""

    def __init__(self, registry: RoomRegistry) -> None:
        self._registry = registry

    def service(self, auth: Authenticator) -> Service:
        """The service with its methods."""
        return Service(
            "livekit.RoomService",
            auth,
            {
                "CreateRoom": Method(api.CreateRoomRequest, self.create_room),
                "ListRooms": Method(api.ListRoomsRequest, self.list_rooms),
                "DeleteRoom": Method(api.DeleteRoomRequest, self.delete_room),
                "UpdateRoomMetadata": Method(api.UpdateRoomMetadataRequest, self.update_room_metadata),
                "ListParticipants": Method(api.ListParticipantsRequest, self.list_participants),
                "GetParticipant": Method(api.RoomParticipantIdentity, self.get_participant),
                "RemoveParticipant": Method(api.RoomParticipantIdentity, self.remove_participant),
                "UpdateParticipant": Method(api.UpdateParticipantRequest, self.update_participant),
                "MutePublishedTrack": Method(api.MuteRoomTrackRequest, self.mute_published_track),
                "UpdateSubscriptions": Method(api.UpdateSubscriptionsRequest, self.update_subscriptions),
                "SendData": Method(api.SendDataRequest, self.send_data),
            },
            known=frozenset({"ForwardParticipant", "MoveParticipant", "PerformRpc"}),
        )

    async def create_room(self, grants: Grants, request: api.CreateRoomRequest) -> pb.Room:
        """Create, or change the options of an existing room; 0 means the server's default."""
        grants.need_create()
        if not request.name or len(request.name) > MAX_NAME:
            raise TwirpError("invalid_argument", f"name must have 1 to {MAX_NAME} characters")
        if request.HasField("egress") or request.agents:
            raise TwirpError("unimplemented", "automatic egress and agents are not available on this server")
        _check_metadata(request.metadata)
        options = RoomOptions(
            metadata=request.metadata or None,
            empty_timeout_s=request.empty_timeout or None,
            departure_timeout_s=request.departure_timeout or None,
            max_participants=request.max_participants or None,
        )
        room = self._registry.create(request.name, options)
        await self._registry.settle()
        return wire.room_info(room)

    async def list_rooms(self, grants: Grants, request: api.ListRoomsRequest) -> api.ListRoomsResponse:
        grants.need_list()
        return api.ListRoomsResponse(rooms=[wire.room_info(r) for r in self._registry.list(request.names)])

    async def delete_room(self, grants: Grants, request: api.DeleteRoomRequest) -> api.DeleteRoomResponse:
        grants.need_create()
        self._registry.delete(request.room)
        await self._registry.settle()
        return api.DeleteRoomResponse()

    async def update_room_metadata(self, grants: Grants, request: api.UpdateRoomMetadataRequest) -> pb.Room:
        grants.need_admin(request.room)
        _check_metadata(request.metadata)
        room = self._registry.require(request.room)
        room.update_metadata(request.metadata)
        await self._registry.settle()
        return wire.room_info(room)

    async def list_participants(
        self, grants: Grants, request: api.ListParticipantsRequest
    ) -> api.ListParticipantsResponse:
        """Hidden participants are listed too, marked by their permission; an absent room is an empty one."""
        grants.need_admin(request.room)
        room = self._registry.get(request.room)
        members = list(room.participants.values()) if room is not None else []
        return api.ListParticipantsResponse(participants=[wire.participant_info(p) for p in members])

    async def get_participant(self, grants: Grants, request: api.RoomParticipantIdentity) -> pb.ParticipantInfo:
        grants.need_admin(request.room)
        return wire.participant_info(self._registry.require(request.room).participant(request.identity))

    async def remove_participant(
        self, grants: Grants, request: api.RoomParticipantIdentity
    ) -> api.RemoveParticipantResponse:
        grants.need_admin(request.room)
        self._registry.require(request.room).remove_participant(request.identity)
        return api.RemoveParticipantResponse()

    async def update_participant(self, grants: Grants, request: api.UpdateParticipantRequest) -> pb.ParticipantInfo:
        """Empty metadata and name leave what is there, as in LiveKit; a permission replaces the whole one."""
        grants.need_admin(request.room)
        _check_metadata(request.metadata)
        _check_metadata("".join(f"{k}{v}" for k, v in request.attributes.items()))
        try:
            permission = wire.permission_from(request.permission) if request.HasField("permission") else None
        except ValueError:
            raise TwirpError("invalid_argument", "unknown track source in the permission") from None
        changed = self._registry.require(request.room).update_participant(
            request.identity,
            metadata=request.metadata or None,
            name=request.name or None,
            attributes=dict(request.attributes) or None,
            permission=permission,
        )
        return wire.participant_info(changed)

    async def mute_published_track(
        self, grants: Grants, request: api.MuteRoomTrackRequest
    ) -> api.MuteRoomTrackResponse:
        """Mute only: nobody's microphone or camera is switched on from outside (LiveKit's default as well)."""
        grants.need_admin(request.room)
        room = self._registry.require(request.room)
        if not request.muted:
            raise TwirpError("failed_precondition", "remote unmute not enabled")
        return api.MuteRoomTrackResponse(
            track=wire.track_info(room.mute_track(request.identity, request.track_sid, True))
        )

    async def update_subscriptions(
        self, grants: Grants, request: api.UpdateSubscriptionsRequest
    ) -> api.UpdateSubscriptionsResponse:
        grants.need_admin(request.room)
        room = self._registry.require(request.room)
        sids = [*request.track_sids, *(sid for group in request.participant_tracks for sid in group.track_sids)]
        room.set_subscription(room.participant(request.identity), sids, request.subscribe)
        return api.UpdateSubscriptionsResponse()

    async def send_data(self, grants: Grants, request: api.SendDataRequest) -> api.SendDataResponse:
        grants.need_admin(request.room)
        if len(request.data) > MAX_DATA:
            raise TwirpError("invalid_argument", f"data is longer than {MAX_DATA} bytes")
        self._registry.require(request.room).send_data(
            request.data,
            topic=request.topic,
            reliable=int(request.kind) == int(pb.DataPacket.RELIABLE),
            identities=tuple(request.destination_identities),
            sids=tuple(request.destination_sids),
        )
        return api.SendDataResponse()


def _check_metadata(value: str) -> None:
    if len(value.encode()) > MAX_METADATA:
        raise TwirpError("invalid_argument", f"metadata is longer than {MAX_METADATA} bytes")
