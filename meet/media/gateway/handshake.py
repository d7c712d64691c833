"""The HTTP side of signalling: who may connect, joining, resuming, and reading the socket."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping

import structlog
from aiohttp import WSMsgType, web
from google.protobuf.message import DecodeError
from livekit.protocol import rtc as sig

from meet.media.gateway import dispatch, wire
from meet.media.gateway.auth import JoinGrant, TokenError, join_grant, verify
from meet.media.gateway.pulse import Pulse
from meet.media.gateway.refusals import Refusals
from meet.media.gateway.request import BadRequest, ConnectRequest, read_request
from meet.media.gateway.session import MediaContext, Session, leave
from meet.media.gateway.signal_socket import SignalSocket
from meet.media.gateway.subscriber_offer import OfferingSubscriber
from meet.media.gateway.tokens import ClientToken
from meet.media.room import (
    LeaveAction,
    LeaveReason,
    Participant,
    Permission,
    RoomError,
    RoomNotFound,
    RoomRegistry,
)
from meet.media.sdp.parse import SdpError, parse
from meet.media.transport.budget import WorkBudget

log = structlog.get_logger(__name__)

_CORS = {"Access-Control-Allow-Origin": "*"}


class _Refused(Exception):
    """The client is told to leave at once."""

    def __init__(self, reason: LeaveReason, action: LeaveAction) -> None:
        super().__init__(reason.name)
        self.reason = reason
        self.action = action


class Gateway:
    """Accepts clients. keys: API key to secret. `pulse` must be started for timers (feedback, timeouts) to run."""

    def __init__(self, registry: RoomRegistry, context: MediaContext, keys: Mapping[str, str]) -> None:
        self.registry = registry
        self.context = context
        self.pulse = Pulse(registry, context.mux, context.metrics)
        self._keys = dict(keys)
        self._refusals = Refusals(context.mux.clock)

    # -- HTTP handlers

    async def validate(self, request: web.Request) -> web.Response:
        """Tell a client why its WebSocket was refused: 200 "success", 401, or 404 with the reason."""
        if self._refusals.too_many(request.remote):
            return self._turned_away()
        try:
            grant = join_grant(verify(_token(request), self._keys))
            self._room_must_be_reachable(grant)
        except TokenError as error:
            self._refusals.count(request.remote)
            return web.Response(status=401, text=str(error), headers=_CORS)
        except RoomError as error:
            return web.Response(status=404, text=str(error), headers=_CORS)
        return web.Response(text="success", headers=_CORS)

    async def connect_v0(self, request: web.Request) -> web.StreamResponse:
        return await self._connect(request, single_pc=False)

    async def connect_v1(self, request: web.Request) -> web.StreamResponse:
        return await self._connect(request, single_pc=True)

    def _turned_away(self) -> web.Response:
        self.context.metrics.refused.labels("rate").inc()
        response = web.Response(status=429, text="too many refused requests", headers={**_CORS, "Retry-After": "1"})
        response.force_close()
        return response

    async def _connect(self, request: web.Request, *, single_pc: bool) -> web.StreamResponse:
        if self._refusals.too_many(request.remote):
            return self._turned_away()
        try:
            grant = join_grant(verify(_token(request), self._keys))
            self._room_must_be_reachable(grant)
            wanted = read_request(request.query, single_pc=single_pc)
        except TokenError as error:
            self.context.metrics.refused.labels("token").inc()
            self._refusals.count(request.remote)
            return web.Response(status=401, text=str(error), headers=_CORS)
        except RoomError as error:
            self.context.metrics.refused.labels("room").inc()
            return web.Response(status=404, text=str(error), headers=_CORS)
        except BadRequest as error:
            self.context.metrics.refused.labels("request").inc()
            self._refusals.count(request.remote)
            return web.Response(status=400, text=str(error), headers=_CORS)
        socket = SignalSocket()
        if not socket.can_prepare(request).ok:
            return web.Response(text="success", headers=_CORS)
        try:
            await socket.prepare(request)
        except ConnectionResetError:
            return socket  # whoever asked has gone away meanwhile, as many do when all come back at once
        try:
            enter = self._resume if wanted.reconnect else self._join
            session = enter(socket, grant, wanted)
        except _Refused as refusal:
            await socket.send_bytes(leave(refusal.reason, refusal.action).SerializeToString())
        else:
            await self._read(session, socket)
        await socket.close()
        return socket

    # -- joining and resuming

    def _room_must_be_reachable(self, grant: JoinGrant) -> None:
        """A hidden participant neither creates a room nor wakes one up that nobody has come back to."""
        room = self.registry.get(grant.room)
        if not grant.may_create_room and (room is None or room.restored):
            raise RoomNotFound(grant.room)

    def _join(self, socket: web.WebSocketResponse, grant: JoinGrant, wanted: ConnectRequest) -> Session:
        room = self.registry.get(grant.room)
        if room is None:
            room = self.registry.create(grant.room)
        token = ClientToken(grant.claims, self._keys)
        session = Session(self.context, socket, token, single_pc=wanted.single_pc)
        participant = _participant(session, grant, wanted)
        try:
            room.admit(participant)
        except RoomError as error:
            session.outbox.discard()
            raise _Refused(LeaveReason.JOIN_FAILURE, LeaveAction.DISCONNECT) from error
        session.enter(participant, room, reuse_sections=wanted.sdk == "js")
        self.pulse.add(session)
        log.info(
            "participant_joining",
            room=room.name,
            identity=participant.identity,
            sid=participant.sid,
            signalling="v1" if wanted.single_pc else "v0",
        )
        session.send(wire.join_response(participant, room, session.ice_servers(), single_pc=wanted.single_pc))
        room.joined(participant)
        for request in wanted.add_tracks:
            session.send(session.publisher.add_track(request))
        if wanted.offer is not None:
            try:
                session.answer(parse(wanted.offer.sdp), wanted.offer.id)
            except SdpError as error:
                log.warning("bad_sdp", identity=participant.identity, error=str(error))
                room.leave(participant, LeaveReason.JOIN_FAILURE)
        if isinstance(session.subscriber, OfferingSubscriber):
            session.subscriber.start()
        return session

    def _resume(self, socket: web.WebSocketResponse, grant: JoinGrant, wanted: ConnectRequest) -> Session:
        """Attach the socket to the participant that is still there. Raises _Refused when it is not, or cannot go on."""
        room = self.registry.get(grant.room)
        member = room.participants.get(grant.identity) if room is not None else None
        session = member.link if member is not None else None
        if room is None or member is None or not isinstance(session, Session):
            raise _Refused(LeaveReason.STATE_MISMATCH, LeaveAction.RECONNECT)
        other = wanted.participant_sid not in ("", member.sid) or session.single_pc != wanted.single_pc
        if other or any(p.failed or p.closed for p in session.peers):
            raise _Refused(LeaveReason.STATE_MISMATCH, LeaveAction.RECONNECT)
        session.attach(socket)
        log.info("participant_resumed", room=room.name, identity=member.identity, sid=member.sid)
        session.send(
            sig.SignalResponse(
                reconnect=sig.ReconnectResponse(
                    ice_servers=session.ice_servers(),
                    server_info=wire.server_info(),
                    last_message_seq=session.reliable.last,
                )
            )
        )
        session.participants_changed([member, *room.others_visible_to(member)])
        session.room_changed(room)
        session.dynacast.repeat()
        self.pulse.quality.repeat(member.sid)
        if wanted.offer is not None:
            dispatch.handle(session, sig.SignalRequest(offer=wanted.offer))
        session.subscriber.resumed()
        return session

    async def _read(self, session: Session, socket: web.WebSocketResponse) -> None:
        outbox = session.outbox
        left = False
        try:
            left = await self._until_left(session, socket)
        finally:
            # A newer socket may have taken over meanwhile; then this one says nothing about the client.
            if session.outbox is outbox:
                if left:
                    session.room.leave(session.participant, LeaveReason.CLIENT_INITIATED)
                else:
                    session.detach(self.context.mux.clock())
        await outbox.drained()

    @staticmethod
    async def _until_left(session: Session, socket: web.WebSocketResponse) -> bool:
        """Carry out requests. True when the client said that it leaves, False when the socket just ended.

        A client whose requests take too much of the loop's time is read more slowly.
        """
        budget = WorkBudget()
        async for message in socket:
            if message.type is not WSMsgType.BINARY:
                continue
            started = time.thread_time()
            try:
                request = sig.SignalRequest.FromString(message.data)
            except DecodeError:
                log.warning("bad_signal", identity=session.participant.identity)
                return False
            try:
                if not dispatch.handle(session, request):
                    return True
            except Exception:
                log.exception("signal_request_failed", kind=request.WhichOneof("message"))
                return False
            pause = budget.spend(time.thread_time() - started)
            if pause:
                await asyncio.sleep(pause)
        return False


def _token(request: web.Request) -> str:
    token = request.query.get("access_token")
    if token:
        return token
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    return value.strip() if scheme.lower() == "bearer" else ""


def _participant(session: Session, grant: JoinGrant, wanted: ConnectRequest) -> Participant:
    permission: Permission = grant.permission
    may_change = permission.can_update_metadata
    return Participant(
        identity=grant.identity,
        link=session,
        name=grant.name,
        metadata=(wanted.metadata if may_change and wanted.metadata else grant.metadata),
        attributes={**grant.attributes, **(wanted.attributes if may_change else {})},
        kind=grant.kind,
        permission=permission,
        auto_subscribe=wanted.auto_subscribe,
        client_protocol=wanted.client_protocol,
    )
