"""v0 receiving: a peer connection of its own in which the server is the offerer."""

from __future__ import annotations

from dataclasses import dataclass

from livekit.protocol import rtc as sig

from meet.media.gateway.forwards import Forward, Forwards, Send
from meet.media.gateway.transport_lines import transport_lines
from meet.media.room import Participant
from meet.media.sdp import write
from meet.media.sdp.codecs import OFFERED, Choice
from meet.media.sdp.parse import Section
from meet.media.transport.aiortc_adapter import MAX_MESSAGE
from meet.media.transport.peer import Peer


@dataclass(eq=False)
class _Slot:
    """One media section after the data section; sections are never removed, only left inactive and reused."""

    mid: str
    kind: str
    choice: Choice
    forward: Forward | None = None


class OfferingSubscriber(Forwards):
    """At most one offer is outstanding; changes meanwhile go into the next one.

    reuse_sections: an ended track's section may carry another one. A reused receiver keeps its first track id, so ids
    must then not look like track sids, and the client has to take the sid from mid_to_track_id. The JS SDK does; the
    native SDKs want the sid as track id, and get a new section for every track.
    """

    def __init__(
        self, participant: Participant, peer: Peer, send: Send, fingerprint: str, *, reuse_sections: bool
    ) -> None:
        super().__init__(participant, peer, send)
        self._fingerprint = fingerprint
        self._reuse = reuse_sections
        self._slots: list[_Slot] = []
        self._started = self._outstanding = self._again = False
        self._offer_id = 0

    def start(self) -> None:
        """Open the data channels and send the first offer, with everything that is live already."""
        sctp = self.peer.enable_sctp()
        sctp.create("_reliable", reliable=True)
        sctp.create("_lossy", reliable=False)
        sctp.create("_data_track", reliable=False)
        self._started = True
        self._offer()

    def negotiate(self) -> None:
        if not self._started:
            return
        if self._outstanding:
            self._again = True
        else:
            self._offer()

    def resumed(self) -> None:
        """New ICE credentials and a new offer; an answer that got lost no longer matters."""
        self.peer.restart_ice()
        self._again = False
        self._offer()

    def on_answer(self, sections: list[Section], offer_id: int) -> None:
        """The client took the offer. Sections it rejected cannot be received by it."""
        fingerprint = next((s.fingerprint for s in sections if s.fingerprint), None)
        if fingerprint is not None:
            self.peer.set_remote(fingerprint)
        if offer_id and offer_id != self._offer_id:
            return
        answered = {s.mid: s for s in sections}
        for slot in self._slots:
            forward = slot.forward
            if forward is None or forward.negotiated:
                continue
            section = answered.get(slot.mid)
            if section is None:
                continue
            if section.port == 0 or section.direction not in ("recvonly", "sendrecv"):
                slot.forward = None
                self.refused(forward)
                continue
            forward.negotiated = True
            forward.apply()
        self._outstanding = False
        if self._again:
            self._again = False
            self._offer()

    def _offer(self) -> None:
        self._assign()
        transport = transport_lines(self.peer, self._fingerprint, "actpass")
        sections: list[tuple[str, list[str]]] = [("0", write.application("0", transport, MAX_MESSAGE))]
        mids: dict[str, str] = {}
        for slot in self._slots:
            stream = None
            if slot.forward is not None:
                sid = slot.forward.publication.sid
                stream = slot.forward.outgoing(f"m{slot.mid}" if self._reuse else sid)
                mids[slot.mid] = sid
            sections.append((slot.mid, write.offer(slot.kind, slot.mid, slot.choice, transport, stream)))
        self._offer_id += 1
        self._outstanding = True
        self.send(
            sig.SignalResponse(
                offer=sig.SessionDescription(
                    type="offer",
                    sdp=write.session(self._offer_id, sections),
                    id=self._offer_id,
                    mid_to_track_id=mids,
                )
            )
        )

    def _assign(self) -> None:
        for slot in self._slots:
            if slot.forward is not None and slot.forward.publication.sid not in self.items:
                slot.forward = None
        for forward in self.items.values():
            if forward.mid is not None:
                continue
            track = forward.track
            free = self._free_slot(track.codec) if self._reuse else None
            slot = free or _Slot(str(len(self._slots) + 1), track.kind, OFFERED[track.codec])
            if free is None:
                self._slots.append(slot)
            slot.forward = forward
            forward.mid = slot.mid
            forward.attach(self.peer, slot.choice, write.OFFERED_ABS_SEND_TIME_ID)

    def _free_slot(self, codec: str) -> _Slot | None:
        return next((s for s in self._slots if s.forward is None and s.choice.name == codec), None)
