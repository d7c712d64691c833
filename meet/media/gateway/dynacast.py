"""Telling publishers which simulcast layers somebody watches, so that they need not encode the others."""

from __future__ import annotations

from livekit.protocol import rtc as sig

from meet.media.gateway import wire
from meet.media.gateway.forwards import Send
from meet.media.room import Participant, Publication
from meet.media.sfu.track import Track

_TOP = 2
_NOBODY = -1
_LOWER_AFTER_S = 5.0


class Dynacast:
    """State of one publisher. More is asked for at once, less only when it stayed so for five seconds."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._told: dict[str, int] = {}
        self._lower_since: dict[str, float] = {}

    def repeat(self) -> None:
        """The client may have missed messages: say everything again at the next `tick`."""
        self._told.clear()

    def tick(self, publisher: Participant, now: float) -> None:
        """Compare what is wanted with what was told; call a few times a second."""
        videos = {p.sid: p for p in publisher.live_tracks if isinstance(p.media, Track) and p.media.video}
        for sid in [s for s in self._told if s not in videos]:
            self._told.pop(sid)
            self._lower_since.pop(sid, None)
        for sid, publication in videos.items():
            wanted, told = _wanted(publication), self._told.get(sid, _TOP)
            if wanted >= told:
                self._lower_since.pop(sid, None)
            if wanted > told or (sid not in self._told and wanted == _TOP):
                self._tell(publication, wanted)
            elif wanted < told and now - self._lower_since.setdefault(sid, now) >= _LOWER_AFTER_S:
                del self._lower_since[sid]
                self._tell(publication, wanted)

    def _tell(self, publication: Publication, best: int) -> None:
        self._told[publication.sid] = best
        qualities = [wire.subscribed_quality(q, q <= best) for q in range(_TOP + 1)]
        codec = publication.mime_type.partition("/")[2].lower()
        update = sig.SubscribedQualityUpdate(
            track_sid=publication.sid,
            subscribed_qualities=qualities,
            subscribed_codecs=[sig.SubscribedCodec(codec=codec, qualities=qualities)],
        )
        self._send(sig.SignalResponse(subscribed_quality_update=update))


def _wanted(publication: Publication) -> int:
    """The best layer any subscriber asks for; what its bandwidth allows does not count, or it could never grow."""
    track = publication.media
    assert isinstance(track, Track)
    return max((min(d.limit, _TOP) for d in track.downs if d.enabled), default=_NOBODY)
