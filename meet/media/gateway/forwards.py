"""The receiving half of a session, common to both signalling versions: what is forwarded, in which quality."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from livekit.protocol import rtc as sig

from meet.media.gateway import wire
from meet.media.room import Participant, Publication
from meet.media.sdp.codecs import Choice
from meet.media.sdp.write import Outgoing
from meet.media.sfu.bandwidth import Bandwidth
from meet.media.sfu.downtrack import HIGHEST, DownTrack
from meet.media.sfu.track import Track
from meet.media.transport.peer import Peer

log = structlog.get_logger(__name__)

Send = Callable[[sig.SignalResponse], None]

_STREAM_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`{|}~-]{1,64}")
"""A token as msid has it (RFC 8830). Publishers choose the name, and other people's descriptions carry it."""
_MAX_SHORT_ID = 14
"""Highest extension id of the one-byte form (RFC 8285), in which abs-send-time is sent."""


@dataclass(eq=False)
class Forward:
    """One publication on its way to this client. `down` and `mid` are set once a section is found for it."""

    publication: Publication
    track: Track
    down: DownTrack | None = None
    mid: str | None = None
    limit: int = HIGHEST
    disabled: bool = False
    negotiated: bool = False

    def attach(
        self, peer: Peer, choice: Choice, abs_send_time_id: int | None, descriptor_id: int | None = None
    ) -> DownTrack:
        """Create the DownTrack with the payload types and extension ids of the section."""
        if self.down is None:
            video = self.track.video
            timed = video and abs_send_time_id is not None and abs_send_time_id <= _MAX_SHORT_ID
            self.down = DownTrack(
                self.track,
                peer,
                pt=choice.pt,
                rtx_pt=choice.rtx_pt if video else None,
                abs_send_time_id=abs_send_time_id if timed else None,
                descriptor_id=descriptor_id,
                clock=peer.mux.clock,
            )
            self.down.limit = self.limit
        return self.down

    def carry_redundancy(self, choice: Choice) -> None:
        """Pass redundant audio on as it is, where the section has it and both ends mean the same by its blocks."""
        red = self.track.red
        if red is not None and choice.red_pt is not None and choice.pt == red.opus_pt and self.down is not None:
            self.down.carry_redundancy(choice.red_pt)

    def apply(self) -> None:
        """Send, or pause, as negotiation and the client's settings have it."""
        if self.down is not None:
            self.down.limit = self.limit
            self.down.enable(self.negotiated and not self.disabled)
            self.down.choose()

    def outgoing(self, track_id: str) -> Outgoing:
        down = self.down
        assert down is not None
        owner = self.publication.owner.sid
        stream = self.publication.stream
        if not _STREAM_NAME.fullmatch(stream):
            stream = self.publication.sid
        return Outgoing(
            ssrc=down.ssrc,
            rtx_ssrc=down.rtx_ssrc if down.rtx_pt is not None else None,
            cname=owner,
            stream=f"{owner}|{stream}",
            track_id=track_id,
        )


class Forwards(ABC):
    """Base of the two subscribers. Subclasses say how a new or ended forward gets negotiated."""

    def __init__(self, participant: Participant, peer: Peer, send: Send) -> None:
        self.participant = participant
        self.peer = peer
        self.send = send
        self.items: dict[str, Forward] = {}
        self.bandwidth = Bandwidth()
        self.paused_sids: set[str] = set()
        peer.on_remb = self.bandwidth.on_estimate

    @abstractmethod
    def negotiate(self) -> None:
        """Bring the client's sections in line with `items`."""

    @abstractmethod
    def resumed(self) -> None:
        """The client came back on a new socket; messages sent meanwhile may be lost."""

    def add(self, publication: Publication) -> None:
        track = publication.media
        if publication.sid in self.items or not isinstance(track, Track):
            return
        self.items[publication.sid] = Forward(publication, track)
        self.negotiate()

    def remove(self, publication: Publication) -> None:
        forward = self.items.pop(publication.sid, None)
        if forward is None:
            return
        if forward.down is not None:
            forward.down.close()
            forward.down = None
        self.negotiate()

    def transport_up(self) -> None:
        for forward in self.items.values():
            forward.apply()

    def configure(self, settings: sig.UpdateTrackSettings) -> None:
        """track_setting: pause, quality, or the size at which the track is shown."""
        for sid in settings.track_sids:
            forward = self.items.get(sid)
            if forward is not None:
                forward.disabled = settings.disabled or settings.quality == 3
                forward.limit = _limit(forward.publication, settings)
                forward.apply()

    def pause(self, sid: str) -> None:
        forward = self.items.get(sid)
        if forward is not None:
            forward.disabled = True
            forward.apply()

    def refused(self, forward: Forward) -> None:
        """The client cannot decode it."""
        self.items.pop(forward.publication.sid, None)
        if forward.down is not None:
            forward.down.close()
            forward.down = None
        self.send(
            sig.SignalResponse(
                subscription_response=sig.SubscriptionResponse(track_sid=forward.publication.sid, err=1)  # type: ignore[arg-type]
            )
        )

    def tick(self, now: float) -> None:
        """Re-evaluate layers; call about four times a second."""
        downs = [f.down for f in self.items.values() if f.down is not None]
        self.bandwidth.allocate(now, downs)
        for down in downs:
            down.choose()
        self._tell_pauses()

    @property
    def held_back(self) -> bool:
        """Some video is sent in less than the quality the client asked for."""
        return any(
            f.down.ceiling < min(f.limit, 2) for f in self.items.values() if f.down is not None and f.down.enabled
        )

    def _tell_pauses(self) -> None:
        """stream_state_update: videos that stopped, or go on, for the sake of bandwidth."""
        paused = {sid for sid, f in self.items.items() if f.down is not None and f.down.enabled and f.down.starved}
        changed = [sid for sid in paused ^ self.paused_sids if sid in self.items]
        self.paused_sids = paused
        if changed:
            log.info("videos_paused_for_bandwidth", identity=self.participant.identity, paused=len(paused))
            states = [wire.stream_state(self.items[sid].publication, paused=sid in paused) for sid in changed]
            self.send(sig.SignalResponse(stream_state_update=sig.StreamStateUpdate(stream_states=states)))

    def close(self) -> None:
        for forward in self.items.values():
            if forward.down is not None:
                forward.down.close()
                forward.down = None
        self.items.clear()


def _limit(publication: Publication, settings: sig.UpdateTrackSettings) -> int:
    """Rank of the best layer worth sending."""
    shown = min(settings.width, settings.height) or settings.height or settings.width
    if not shown:
        return int(settings.quality)
    for layer in sorted(publication.layers, key=lambda each: each.quality):
        if min(layer.width, layer.height) >= shown:
            return layer.quality
    return HIGHEST
