"""v1 receiving: one peer connection in which the client is the only offerer and provides receive sections."""

from __future__ import annotations

from livekit.protocol import rtc as sig

from meet.media.gateway.forwards import Forward, Forwards, Send
from meet.media.room import Participant
from meet.media.sdp import codecs, write
from meet.media.sdp.parse import Section
from meet.media.transport.peer import Peer


class AnsweringSubscriber(Forwards):
    """Asks the client to offer again whenever what it shall receive has changed."""

    def __init__(self, participant: Participant, peer: Peer, send: Send) -> None:
        super().__init__(participant, peer, send)
        self._asked = False
        self._offered = False

    def negotiate(self) -> None:
        # Before the first offer there is nothing to ask for: that offer is on its way.
        if self._offered and not self._asked:
            self._ask(0, 0)

    def resumed(self) -> None:
        """The client offers by itself after a resume (ICE restart); only what it missed is asked for."""
        self._asked = False
        if any(f.mid is None for f in self.items.values()):
            self.negotiate()

    def begin_answer(self) -> None:
        """A new offer is being answered: it settles everything asked so far."""
        self._asked = False
        self._offered = True

    def answer_section(self, section: Section, transport: write.TransportLines) -> tuple[list[str], str] | None:
        """(lines, track sid) for a receive section that gets a track, None for one that stays inactive."""
        forward = next((f for f in self.items.values() if f.mid == section.mid), None)
        if forward is None:
            forward = self._waiting(section)
        if forward is None:
            return None
        choice = codecs.choose(section, forward.track.codec)
        if choice is None:
            self.refused(forward)
            return None
        if forward.down is None:
            ids = section.extension_id(write.ABS_SEND_TIME), section.extension_id(write.DEPENDENCY)
            forward.attach(self.peer, choice, *ids)
            forward.carry_redundancy(choice)
        forward.mid = section.mid
        sid = forward.publication.sid
        return write.send(section, choice, transport, forward.outgoing(sid)), sid

    def end_answer(self) -> None:
        """The answer is sent: start what is negotiated, and ask for sections for the rest."""
        audios = videos = 0
        for forward in self.items.values():
            if forward.mid is not None:
                if not forward.negotiated:
                    forward.negotiated = True
                    forward.apply()
            elif forward.track.video:
                videos += 1
            else:
                audios += 1
        if audios or videos:
            self._ask(audios, videos)

    def _waiting(self, section: Section) -> Forward | None:
        return next((f for f in self.items.values() if f.mid is None and f.track.kind == section.kind), None)

    def _ask(self, audios: int, videos: int) -> None:
        """Zeros mean "offer again"; numbers say how many receive sections are missing."""
        self._asked = True
        self.send(
            sig.SignalResponse(
                media_sections_requirement=sig.MediaSectionsRequirement(num_audios=audios, num_videos=videos)
            )
        )
