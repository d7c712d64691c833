"""v0 receiving: a peer connection of its own in which the server is the offerer."""

from __future__ import annotations

from dataclasses import dataclass

from livekit.protocol import rtc as sig

from meet.media.gateway.forwards import Forward, Forwards, Send
from meet.media.gateway.transport_lines import transport_lines
from meet.media.room import Participant
from meet.media.sdp import codecs, write
from meet.media.sdp.codecs import OFFERED, Choice
from meet.media.sdp.parse import Section
from meet.media.transport.aiortc_adapter import MAX_MESSAGE
from meet.media.transport.peer import Peer


@dataclass(eq=False)
class _Slot:
    """One media section after the data section. Its place is never given up: it is reused, or another one takes it.

    ended: offered as rejected (port 0). vacant: that is settled, another section may have the place (RFC 8829 5.2.2).
    """

    mid: str
    kind: str
    choice: Choice
    forward: Forward | None = None
    ended: bool = False
    vacant: bool = False


class OfferingSubscriber(Forwards):
    """At most one offer is outstanding; changes meanwhile go into the next one.

    reuse_sections: an ended track's section may carry another one. A reused receiver keeps its first track id, so ids
    must then not look like track sids, and the client has to take the sid from mid_to_track_id. The JS SDK does; the
    native SDKs want the sid as track id, and get a new section for every track, in the place of an ended one.
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
        self._last_mid = 0

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
            slot.ended, slot.vacant = False, slot.ended or slot.vacant
            forward = slot.forward
            if forward is None or forward.negotiated or not self._current(forward):
                continue
            section = answered.get(slot.mid)
            if section is None:
                continue
            if section.port == 0 or section.direction not in ("recvonly", "sendrecv"):
                self._vacate(slot)
                self.refused(forward)
                continue
            taken = codecs.choose(section, slot.choice.name)
            if taken is not None:
                forward.carry_redundancy(taken)
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
        for slot in self._slots:
            stream = None
            if slot.ended or slot.vacant:
                sections.append((slot.mid, write.rejected(slot.kind, slot.mid, slot.choice)))
                continue
            if slot.forward is not None:
                sid = slot.forward.publication.sid
                stream = slot.forward.outgoing(f"m{slot.mid}" if self._reuse else sid)
            sections.append((slot.mid, write.offer(slot.kind, slot.mid, slot.choice, transport, stream)))
        self._offer_id += 1
        self._outstanding = True
        self.send(
            sig.SignalResponse(
                offer=sig.SessionDescription(
                    type="offer",
                    sdp=write.session(self._offer_id, sections),
                    id=self._offer_id,
                    mid_to_track_id=self.track_ids,
                )
            )
        )

    @property
    def track_ids(self) -> dict[str, str]:
        """Track sids by mid, as of the last offer."""
        return {slot.mid: slot.forward.publication.sid for slot in self._slots if slot.forward is not None}

    def _assign(self) -> None:
        for slot in self._slots:
            if slot.forward is not None and not self._current(slot.forward):
                self._vacate(slot)
        for forward in self.items.values():
            if forward.mid is not None:
                continue
            slot = self._slot_for(forward.track.kind, forward.track.codec)
            slot.forward = forward
            forward.mid = slot.mid
            forward.attach(self.peer, slot.choice, write.OFFERED_ABS_SEND_TIME_ID, write.OFFERED_DEPENDENCY_ID)

    def _current(self, forward: Forward) -> bool:
        """False when it was given up, even if the same track was asked for again."""
        return self.items.get(forward.publication.sid) is forward

    def _vacate(self, slot: _Slot) -> None:
        slot.forward = None
        slot.ended = not self._reuse

    def _slot_for(self, kind: str, codec: str) -> _Slot:
        for at, slot in enumerate(self._slots):
            if self._reuse and slot.forward is None and slot.choice.name == codec:
                return slot
            if slot.vacant:
                self._slots[at] = self._new_slot(kind, codec)
                return self._slots[at]
        self._slots.append(self._new_slot(kind, codec))
        return self._slots[-1]

    def _new_slot(self, kind: str, codec: str) -> _Slot:
        self._last_mid += 1
        return _Slot(str(self._last_mid), kind, OFFERED[codec])
