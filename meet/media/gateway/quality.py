"""How well each participant is connected, told to everybody in its room."""

from __future__ import annotations

from livekit.protocol import rtc as sig

from meet.media.gateway import wire
from meet.media.gateway.session import Session

POOR, GOOD, EXCELLENT, LOST = range(4)

_LOST_AFTER_S = 8.0
_POOR_LOSS = 0.10
_GOOD_LOSS = 0.02
_SCORES = {POOR: 2.0, GOOD: 3.8, EXCELLENT: 4.6, LOST: 0.0}
"""On the scale of mean opinion scores (ITU-T P.800) that LiveKit uses."""


class ConnectionQuality:
    """Remembers what was told to whom. Call `tick` every second or two."""

    def __init__(self) -> None:
        self._told: dict[str, int] = {}
        self._informed: set[str] = set()

    def tick(self, sessions: set[Session]) -> None:
        """Send changes to the members of each room, and everything to those who are new in it."""
        rooms: dict[str, list[Session]] = {}
        for session in sessions:
            if session.participant.announced:
                rooms.setdefault(session.room.sid, []).append(session)
        present = {s.participant.sid for members in rooms.values() for s in members}
        self._told = {sid: quality for sid, quality in self._told.items() if sid in present}
        self._informed &= present
        for members in rooms.values():
            self._tell(members)

    def _tell(self, members: list[Session]) -> None:
        now = {s.participant.sid: rate(s) for s in members if not s.participant.hidden}
        changed = {sid: quality for sid, quality in now.items() if self._told.get(sid) != quality}
        self._told |= changed
        for session in members:
            fresh = session.participant.sid not in self._informed
            news = now if fresh else changed
            if news:
                infos = [wire.quality_info(sid, quality, _SCORES[quality]) for sid, quality in news.items()]
                session.send(sig.SignalResponse(connection_quality=sig.ConnectionQualityUpdate(updates=infos)))
            self._informed.add(session.participant.sid)

    def repeat(self, participant_sid: str) -> None:
        """The client may have missed messages."""
        self._informed.discard(participant_sid)


def rate(session: Session) -> int:
    """By the worse direction: packet loss before repair, video held back for lack of bandwidth, silence."""
    age = min((p.ice.consent_age() for p in session.peers if p.connected), default=0.0)
    if session.detached_at is not None or age > _LOST_AFTER_S:
        return LOST
    losses = [s.fraction_lost for t in session.publisher.tracks for s in t.layers.values()]
    losses += [f.down.fraction_lost for f in session.subscriber.items.values() if f.down is not None]
    loss = max(losses, default=0.0)
    if loss >= _POOR_LOSS or session.subscriber.paused_sids:
        return POOR
    if loss >= _GOOD_LOSS or session.subscriber.held_back:
        return GOOD
    return EXCELLENT
