"""One client: its socket, its peer connections, and the intents of the room carried out on them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import structlog
from google.protobuf.message import DecodeError
from livekit.protocol import models as pb
from livekit.protocol import rtc as sig

from meet.media.gateway import data_tracks, wire
from meet.media.gateway.dynacast import Dynacast
from meet.media.gateway.outbox import Outbox, Socket
from meet.media.gateway.publisher import Publisher
from meet.media.gateway.reliable import ReliableLog
from meet.media.gateway.subscriber_answer import AnsweringSubscriber
from meet.media.gateway.subscriber_offer import OfferingSubscriber
from meet.media.gateway.tokens import ClientToken
from meet.media.gateway.transport_lines import transport_lines
from meet.media.gateway.turn import TurnConfig
from meet.media.metrics import MediaMetrics
from meet.media.room import (
    LeaveAction,
    LeaveReason,
    Participant,
    ParticipantState,
    Publication,
    Room,
    SpeakerLevel,
)
from meet.media.sdp import write
from meet.media.sdp.parse import Section
from meet.media.sfu.track import Track
from meet.media.transport.aiortc_adapter import MAX_MESSAGE, Certificate
from meet.media.transport.peer import Peer
from meet.media.transport.traffic import Traffic
from meet.media.transport.udpmux import UdpMux

log = structlog.get_logger(__name__)

RELIABLE = "_reliable"
LOSSY = "_lossy"


@dataclass(frozen=True)
class MediaContext:
    """What all sessions of the process share."""

    mux: UdpMux
    certificate: Certificate
    metrics: MediaMetrics = field(default_factory=MediaMetrics)
    turn: TurnConfig | None = None


class Session:
    """Implements `ParticipantLink`. single_pc: v1, one peer connection; else v0: one to publish, one to subscribe."""

    def __init__(self, context: MediaContext, socket: Socket, token: ClientToken, *, single_pc: bool) -> None:
        self.context = context
        self._token = token
        self.single_pc = single_pc
        self.outbox = Outbox(socket)
        self.detached_at: float | None = None
        self.started_at = context.mux.clock()
        self.participant: Participant
        self.room: Room
        self.publisher: Publisher
        self.subscriber: AnsweringSubscriber | OfferingSubscriber
        self.data_tracks: data_tracks.DataTracks
        self._version = 1
        self._remote_ufrag = ""
        self._closed = False
        self._early: deque[bytes] = deque(maxlen=64)
        self.dynacast = Dynacast(self.send)
        self.reliable = ReliableLog()
        self._close_task: asyncio.Task[None] | None = None
        self.publishing_peer: Peer
        self.subscribing_peer: Peer

    def enter(self, participant: Participant, room: Room, *, reuse_sections: bool = False) -> None:
        """Tie the session to its participant and create its transports; reuse_sections as in OfferingSubscriber."""
        self.participant, self.room = participant, room
        mux, certificate = self.context.mux, self.context.certificate
        self.publishing_peer = Peer(mux, certificate, f"{participant.sid}/pub")
        if self.single_pc:
            self.subscribing_peer = self.publishing_peer
            self.subscriber = AnsweringSubscriber(participant, self.subscribing_peer, self.send)
        else:
            self.subscribing_peer = Peer(mux, certificate, f"{participant.sid}/sub")
            self.subscriber = OfferingSubscriber(
                participant,
                self.subscribing_peer,
                self.send,
                certificate.fingerprint,
                reuse_sections=reuse_sections,
            )
        self.publisher = Publisher(participant, room, self.publishing_peer)
        self.data_tracks = data_tracks.DataTracks(
            participant,
            room,
            lambda packet: self.subscribing_peer.send_message(data_tracks.LABEL, packet, reliable=False),
        )
        self.subscribing_peer.on_connected = self._media_up
        for peer in self.peers:
            peer.on_failed = self._media_failed
            peer.on_message = self._on_data
            peer.on_trouble = self._in_trouble

    @property
    def peers(self) -> list[Peer]:
        if self.single_pc:
            return [self.publishing_peer]
        return [self.publishing_peer, self.subscribing_peer]

    # -- signalling

    def send(self, message: sig.SignalResponse) -> None:
        self.outbox.send(message.SerializeToString())

    def ice_servers(self) -> list[sig.ICEServer]:
        """TURN servers with fresh credentials for this participant."""
        turn = self.context.turn
        return [turn.server(self.participant.identity)] if turn is not None else []

    def attach(self, socket: Socket) -> None:
        """The client resumed on another socket."""
        self.outbox.finish()
        self.outbox = Outbox(socket)
        self.detached_at = None
        for peer in self.peers:
            peer.ice.touch()

    def detach(self, now: float) -> None:
        """The socket went away without a leave; the participant stays for a while."""
        self.detached_at = now
        self.outbox.finish()

    def answer(self, sections: list[Section], offer_id: int) -> None:
        """Answer a client's offer: for v0 on the publisher connection, for v1 on the only one."""
        peer = self.publishing_peer
        ufrag = sections[0].ufrag
        if self._remote_ufrag and ufrag != self._remote_ufrag:
            peer.restart_ice()
        self._remote_ufrag = ufrag
        transport = transport_lines(peer, self.context.certificate.fingerprint, "passive")
        receiving = self.subscriber if isinstance(self.subscriber, AnsweringSubscriber) else None
        if receiving is not None:
            receiving.begin_answer()
        out: list[tuple[str, list[str]]] = []
        # With v0 too: some SDKs take the map of any answer for that of all sections they receive in.
        mids = self.subscriber.track_ids if isinstance(self.subscriber, OfferingSubscriber) else {}
        for section in sections:
            if section.kind == "application":
                peer.enable_sctp()
                out.append((section.mid, write.application(section.mid, transport, MAX_MESSAGE)))
                continue
            lines = self.publisher.answer_section(section, transport)
            if lines is None and receiving is not None and section.direction == "recvonly":
                assigned = receiving.answer_section(section, transport)
                if assigned is not None:
                    lines, mids[section.mid] = assigned
            out.append((section.mid, lines or write.inactive(section, transport)))
        fingerprint = next((s.fingerprint for s in sections if s.fingerprint), None)
        if fingerprint is not None:
            peer.set_remote(fingerprint)
        self._version += 1
        self.send(
            sig.SignalResponse(
                answer=sig.SessionDescription(
                    type="answer", sdp=write.session(self._version, out), id=offer_id, mid_to_track_id=mids
                )
            )
        )
        if receiving is not None:
            receiving.end_answer()

    # -- what the transports report

    def _media_up(self) -> None:
        self.subscriber.transport_up()
        self.context.metrics.join_latency.observe(self.context.mux.clock() - self.started_at)
        self.room.activated(self.participant)

    def _in_trouble(self, reason: str) -> None:
        self.context.metrics.transport_failures.labels(reason).inc()

    def _media_failed(self) -> None:
        self.room.leave(self.participant, LeaveReason.MEDIA_FAILURE, LeaveAction.RECONNECT)

    def _on_data(self, label: str, data: bytes) -> None:
        if self.participant.state is ParticipantState.DISCONNECTED or not self.participant.permission.can_publish_data:
            return
        if label == data_tracks.LABEL:
            self.data_tracks.relay(data, (session.data_tracks for session in self._others()))
        if label not in (RELIABLE, LOSSY):
            return
        try:
            packet = pb.DataPacket.FromString(data)
        except DecodeError:
            return
        reliable = label == RELIABLE
        if reliable and not self.reliable.accept(packet.sequence):
            return  # sent again after a resume, and here already
        destinations = set(packet.destination_identities) | set(packet.user.destination_identities)
        sids = set(packet.user.destination_sids)
        if sids:
            destinations |= {p.identity for p in self.room.participants.values() if p.sid in sids}
            if not destinations:
                return
        packet.participant_identity = self.participant.identity
        packet.participant_sid = self.participant.sid
        if packet.HasField("user"):
            packet.user.participant_identity = self.participant.identity
            packet.user.participant_sid = self.participant.sid
        encoded = packet.SerializeToString()
        if reliable:
            self.reliable.keep(packet.sequence, encoded, frozenset(destinations), self.context.mux.clock())
        self.room.relay_packet(self.participant, encoded, reliable=reliable, destinations=destinations)

    def replay(self, received: Mapping[str, int]) -> None:
        """Send again what may have got lost before a resume. received: last sequence number by publisher sid."""
        now = self.context.mux.clock()
        for other in self._others():
            after = received.get(other.participant.sid, 0)
            for packet in other.reliable.missed(self.participant.identity, after, self.started_at, now):
                self.deliver_packet(packet, reliable=True)

    def _others(self) -> Iterator[Session]:
        for member in self.room.participants.values():
            if member.link is not self and isinstance(member.link, Session):
                yield member.link

    # -- intents of the room (ParticipantLink)

    def participants_changed(self, participants: Sequence[Participant]) -> None:
        infos = [wire.participant_info(p) for p in participants]
        self.send(sig.SignalResponse(update=sig.ParticipantUpdate(participants=infos)))

    def subscribe(self, publication: Publication) -> None:
        if self._closed or publication.sid in self.subscriber.items:
            return
        self.subscriber.add(publication)
        owner = publication.owner.link
        if isinstance(owner, Session) and not self.participant.hidden:
            owner.send(sig.SignalResponse(track_subscribed=sig.TrackSubscribed(track_sid=publication.sid)))

    def unsubscribe(self, publication: Publication) -> None:
        if not self._closed:
            self.subscriber.remove(publication)

    def subscription_allowed(self, publication: Publication, allowed: bool) -> None:
        update = sig.SubscriptionPermissionUpdate(
            participant_sid=publication.owner.sid, track_sid=publication.sid, allowed=allowed
        )
        self.send(sig.SignalResponse(subscription_permission_update=update))

    def unpublished(self, publication: Publication) -> None:
        self.publisher.stop(publication)
        self.send(sig.SignalResponse(track_unpublished=sig.TrackUnpublishedResponse(track_sid=publication.sid)))

    def mute_requested(self, publication: Publication) -> None:
        mute = sig.MuteTrackRequest(sid=publication.sid, muted=publication.muted)
        self.send(sig.SignalResponse(mute=mute))
        self.apply_mute(publication)

    @staticmethod
    def apply_mute(publication: Publication) -> None:
        """Forward nothing of a muted track, even if its client goes on sending."""
        if isinstance(publication.media, Track):
            publication.media.set_muted(publication.muted)

    def rights_changed(self) -> None:
        self.send(sig.SignalResponse(refresh_token=self._token.renew(self.participant)))

    def refresh(self) -> None:
        """Send a token in time before the client's own runs out."""
        if self._token.runs_out:
            self.rights_changed()

    def room_changed(self, room: Room) -> None:
        self.send(sig.SignalResponse(room_update=sig.RoomUpdate(room=wire.room_info(room))))

    def speakers_changed(self, speakers: Sequence[SpeakerLevel]) -> None:
        infos = [pb.SpeakerInfo(sid=s.sid, level=s.level, active=s.active) for s in speakers]
        self.send(sig.SignalResponse(speakers_changed=sig.SpeakersChanged(speakers=infos)))

    def deliver_packet(self, packet: bytes, *, reliable: bool) -> None:
        sent = self.subscribing_peer.send_message(RELIABLE if reliable else LOSSY, packet, reliable=reliable)
        if not sent and reliable and not self._channel_open():
            self._early.append(packet)

    def flush_early(self) -> None:
        """Send the reliable packets that came before the client's data channel was open (at most 64 are kept)."""
        while self._early and self._channel_open():
            self.subscribing_peer.send_message(RELIABLE, self._early.popleft(), reliable=True)

    def _channel_open(self) -> bool:
        sctp = self.subscribing_peer.sctp
        return sctp is not None and sctp.is_open(RELIABLE)

    def deliver_data(self, payload: bytes, *, topic: str, reliable: bool) -> None:
        packet = pb.DataPacket(
            kind=pb.DataPacket.RELIABLE if reliable else pb.DataPacket.LOSSY,
            user=pb.UserPacket(payload=payload, topic=topic),
        )
        self.deliver_packet(packet.SerializeToString(), reliable=reliable)

    def closed(self, reason: LeaveReason, action: LeaveAction) -> None:
        if self._closed:
            return
        self._closed = True
        self.context.metrics.left.labels(reason.name.lower()).inc()
        self._log_traffic()
        if reason is not LeaveReason.CLIENT_INITIATED:
            self.send(leave(reason, action))
        self.outbox.finish()
        self.subscriber.close()
        self.publisher.close()
        self.reliable = ReliableLog()
        self._early.clear()
        self._close_task = asyncio.create_task(self._close_peers(), name=f"close {self.participant.sid}")

    def _log_traffic(self) -> None:
        total = Traffic()
        for peer in self.peers:
            total.add(peer.traffic)
        log.info(
            "participant_stats",
            room=self.room.name,
            identity=self.participant.identity,
            sid=self.participant.sid,
            seconds=round(self.context.mux.clock() - self.started_at, 1),
            estimate_bps=self.subscriber.bandwidth.estimate,
            **total.as_dict(),
        )

    async def _close_peers(self) -> None:
        await self.outbox.drained()
        for peer in self.peers:
            await peer.close()

    async def wait_closed(self) -> None:
        if self._close_task is not None:
            await asyncio.wait([self._close_task], timeout=5)


def leave(reason: LeaveReason, action: LeaveAction) -> sig.SignalResponse:
    """The leave message; `can_reconnect` repeats the action for clients older than protocol 13."""
    return sig.SignalResponse(
        leave=sig.LeaveRequest(
            can_reconnect=action is not LeaveAction.DISCONNECT,
            reason=int(reason),  # type: ignore[arg-type]
            action=int(action),  # type: ignore[arg-type]
        )
    )
