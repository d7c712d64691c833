"""The timers of the media process: one task for all sessions, so that the number of timers does not grow with them."""

from __future__ import annotations

import asyncio

import structlog

from meet.media.gateway.quality import ConnectionQuality
from meet.media.gateway.session import Session
from meet.media.metrics import MediaMetrics
from meet.media.room import LeaveAction, LeaveReason, ParticipantState, Room, RoomRegistry
from meet.media.room.speakers import Speakers
from meet.media.sfu.track import Track
from meet.media.transport import aiortc_adapter as rtc
from meet.media.transport.udpmux import UdpMux

log = structlog.get_logger(__name__)

_STEP_S = 0.025
_TWCC_EVERY = 2
_LAYERS_EVERY = 10
_SPEAKERS_EVERY = 20
_SECOND_EVERY = 40
_QUALITY_EVERY = 80
_MAX_REPORTS = 31

CONSENT_S = 30.0
"""No authentic STUN check for this long: the media path is gone."""
JOIN_S = 30.0
"""A client must have its media transport up within this time."""
RESUME_S = 20.0
"""How long a participant stays after its socket went away without a leave."""


class Pulse:
    """NACK and key frame retries, TWCC, reports, layer choice, speakers, and all timeouts."""

    def __init__(self, registry: RoomRegistry, mux: UdpMux, metrics: MediaMetrics) -> None:
        self._metrics = metrics
        self.quality = ConnectionQuality()
        self._registry = registry
        self._mux = mux
        self._sessions: set[Session] = set()
        self._speakers: dict[str, Speakers] = {}
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="media pulse")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    def add(self, session: Session) -> None:
        self._sessions.add(session)

    @property
    def sessions(self) -> set[Session]:
        return self._sessions

    async def _run(self) -> None:
        count = 0
        while True:
            before = self._mux.clock()
            await asyncio.sleep(_STEP_S)
            now = self._mux.clock()
            self._metrics.loop_lag.observe(max(0.0, now - before - _STEP_S))
            count += 1
            try:
                self.step(count, now)
            except Exception:
                log.exception("pulse_failed")

    def step(self, count: int, now: float) -> None:
        """One tick of 25 ms; slower work runs every n-th time."""
        for session in list(self._sessions):
            if session.participant.state is ParticipantState.DISCONNECTED:
                self._sessions.discard(session)
                continue
            try:
                self._tend(session, count, now)
            except Exception:  # the others wait behind this one
                log.exception("pulse_failed", sid=session.participant.sid)
        if count % _SPEAKERS_EVERY == 0:
            self._speaking()
        if count % _SECOND_EVERY == 0:
            self._registry.tick()
        if count % _QUALITY_EVERY == 0:
            self.quality.tick(self._sessions)

    def _tend(self, session: Session, count: int, now: float) -> None:
        for track in session.publisher.tracks:
            for stream in track.layers.values():
                stream.tick(now, 0.05)
        if count % _TWCC_EVERY == 0:
            session.publishing_peer.flush_twcc()
        if count % _LAYERS_EVERY == 0:
            session.subscriber.tick(now)
            session.flush_early()
            session.dynacast.tick(session.participant, now)
        if count % _SECOND_EVERY == 0:
            self._timeouts(session, now)
            self._reports(session, now)
            session.refresh()

    @staticmethod
    def _reports(session: Session, now: float) -> None:
        blocks = []
        for track in session.publisher.tracks:
            for stream in track.layers.values():
                stream.measure(now)
                block = stream.receiver_report(now)
                if block is not None:
                    blocks.append(block)
        peer = session.publishing_peer
        for at in range(0, len(blocks), _MAX_REPORTS):
            report = rtc.RtcpRrPacket(ssrc=peer.ssrc, reports=blocks[at : at + _MAX_REPORTS])
            peer.send_rtcp(bytes(report))

    def _timeouts(self, session: Session, now: float) -> None:
        room, participant = session.room, session.participant
        if session.detached_at is not None:
            if now - session.detached_at > RESUME_S:
                room.leave(participant, LeaveReason.SIGNAL_CLOSE)
        elif participant.state is not ParticipantState.ACTIVE:
            if now - session.started_at > JOIN_S:
                self._metrics.transport_failures.labels("ice_timeout").inc()
                room.leave(participant, LeaveReason.JOIN_FAILURE, LeaveAction.RECONNECT)
        elif any(p.connected and p.ice.consent_age() > CONSENT_S for p in session.peers):
            self._metrics.transport_failures.labels("consent_expired").inc()
            room.leave(participant, LeaveReason.CONNECTION_TIMEOUT, LeaveAction.RECONNECT)

    def _speaking(self) -> None:
        rooms = {room.sid: room for room in self._registry.list()}
        for sid in list(self._speakers):
            if sid not in rooms:
                del self._speakers[sid]
        for sid, room in rooms.items():
            changes = self._speakers.setdefault(sid, Speakers()).update(_levels(room))
            if changes:
                room.speakers(changes)


def _levels(room: Room) -> dict[str, float]:
    levels: dict[str, float] = {}
    for participant in room.visible:
        for publication in participant.tracks.values():
            track = publication.media
            if isinstance(track, Track) and not track.video:
                level = track.levels.take()
                if not publication.muted:
                    levels[participant.sid] = max(level, levels.get(participant.sid, 0.0))
    return levels
