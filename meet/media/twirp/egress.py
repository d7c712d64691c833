"""livekit.Egress: rooms, single participants and tracks as files, made by our recorder."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Iterator
from dataclasses import replace

from livekit.protocol import egress as api

from meet.media.room import RoomRegistry
from meet.media.twirp.auth import Authenticator, Grants
from meet.media.twirp.egress_info import check_layout, egress_info, egress_request, participant_request
from meet.media.twirp.egress_model import (
    Compose,
    EgressControl,
    EgressNotRunning,
    EgressRefused,
    EgressRequest,
    EgressSilent,
    EgressUnavailable,
    EgressUnknown,
    EgressUnsupported,
)
from meet.media.twirp.egress_tracks import track_composite_request, track_request
from meet.media.twirp.errors import TwirpError
from meet.media.twirp.service import Method, Service


@contextlib.contextmanager
def of_running() -> Iterator[None]:
    """The control's refusals in the protocol's words."""
    try:
        yield
    except EgressUnknown as error:
        raise TwirpError("not_found", str(error)) from None
    except EgressNotRunning as error:
        raise TwirpError("failed_precondition", str(error)) from None
    except EgressSilent as error:  # another code than `unavailable`: the wish has been taken note of
        raise TwirpError("deadline_exceeded", str(error)) from None
    except EgressUnavailable as error:
        raise TwirpError("unavailable", str(error)) from None


class EgressApi:
    """The calls of the service; every one needs roomRecord."""

    def __init__(self, registry: RoomRegistry, control: EgressControl) -> None:
        self._registry = registry
        self._control = control

    def service(self, auth: Authenticator) -> Service:
        """The service with its methods."""
        return Service(
            "livekit.Egress",
            auth,
            {
                "StartRoomCompositeEgress": Method(api.RoomCompositeEgressRequest, self.start_room_composite),
                "StartParticipantEgress": Method(api.ParticipantEgressRequest, self.start_participant),
                "StartTrackCompositeEgress": Method(api.TrackCompositeEgressRequest, self.start_track_composite),
                "StartTrackEgress": Method(api.TrackEgressRequest, self.start_track),
                "StopEgress": Method(api.StopEgressRequest, self.stop_egress),
                "ListEgress": Method(api.ListEgressRequest, self.list_egress),
                "UpdateLayout": Method(api.UpdateLayoutRequest, self.update_layout),
            },
            known=frozenset({"StartEgress", "StartWebEgress", "UpdateStream"}),
        )

    async def start_room_composite(
        self, grants: Grants, message: api.RoomCompositeEgressRequest, compose: Compose | None = None
    ) -> api.EgressInfo:
        """Answers at once with status STARTING; the room must exist."""
        grants.need_record()
        room = self._registry.require(message.room_name)
        request = egress_request(message, room.sid, datetime.datetime.now(datetime.UTC))
        return await self._start(replace(request, compose=compose))

    async def start_participant(self, grants: Grants, message: api.ParticipantEgressRequest) -> api.EgressInfo:
        """Records until the participant leaves; one that is not there yet is waited for, as in LiveKit."""
        grants.need_record()
        room = self._registry.require(message.room_name)
        return await self._start(participant_request(message, room.sid, datetime.datetime.now(datetime.UTC)))

    async def start_track_composite(self, grants: Grants, message: api.TrackCompositeEgressRequest) -> api.EgressInfo:
        """A picture and a sound, not of the same participant of necessity, as one file; until both are gone."""
        grants.need_record()
        room = self._registry.require(message.room_name)
        return await self._start(track_composite_request(message, room, datetime.datetime.now(datetime.UTC)))

    async def start_track(self, grants: Grants, message: api.TrackEgressRequest) -> api.EgressInfo:
        """One track as it comes, without transcoding; until it is gone."""
        grants.need_record()
        room = self._registry.require(message.room_name)
        return await self._start(track_request(message, room, datetime.datetime.now(datetime.UTC)))

    async def _start(self, request: EgressRequest) -> api.EgressInfo:
        try:
            return egress_info(await self._control.start(request))
        except EgressRefused as error:
            raise TwirpError("resource_exhausted", str(error)) from None
        except EgressUnsupported as error:
            raise TwirpError("invalid_argument", str(error)) from None
        except EgressUnavailable as error:
            raise TwirpError("unavailable", str(error)) from None

    async def stop_egress(self, grants: Grants, message: api.StopEgressRequest) -> api.EgressInfo:
        grants.need_record()
        with of_running():
            return egress_info(await self._control.stop(message.egress_id))

    async def update_layout(self, grants: Grants, message: api.UpdateLayoutRequest) -> api.EgressInfo:
        grants.need_record()
        layout = check_layout(message.layout)
        with of_running():
            return egress_info(await self._control.update_layout(message.egress_id, layout))

    async def list_egress(self, grants: Grants, message: api.ListEgressRequest) -> api.ListEgressResponse:
        """All that match in one page; an unknown id is an empty list."""
        grants.need_record()
        with of_running():
            found = await self._control.find(
                egress_id=message.egress_id or None, room=message.room_name or None, active=message.active
            )
        return api.ListEgressResponse(items=[egress_info(state) for state in found])
