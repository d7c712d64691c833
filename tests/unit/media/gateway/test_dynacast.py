"""Which layers a publisher is told to encode."""

from __future__ import annotations

from livekit.protocol import rtc as sig

from meet.media.gateway.dynacast import Dynacast
from meet.media.room import Participant, Publication, TrackKind, TrackSource
from meet.media.sfu.downtrack import HIGHEST, DownTrack
from meet.media.sfu.track import Track
from tests.unit.media.fakes import Clock, FakeLink, FakePeer


class Rig:
    def __init__(self) -> None:
        self.clock = Clock()
        self.sent: list[list[bool]] = []
        self.dynacast = Dynacast(self._send)
        self.owner = Participant("ann", FakeLink())
        self.track = Track(
            FakePeer(self.clock).as_peer(), sid="TR_V", kind="video", codec="VP8", cname="PA", clock_rate=90000
        )
        publication = Publication(
            "TR_V", "c", TrackKind.VIDEO, TrackSource.CAMERA, self.owner, mime_type="video/VP8", live=True
        )
        publication.media = self.track
        self.owner.tracks["TR_V"] = publication

    def _send(self, message: sig.SignalResponse) -> None:
        update = message.subscribed_quality_update
        (codec,) = update.subscribed_codecs
        assert (update.track_sid, codec.codec) == ("TR_V", "vp8")
        assert [q.quality for q in codec.qualities] == [0, 1, 2]
        self.sent.append([q.enabled for q in codec.qualities])

    def subscriber(self, limit: int = HIGHEST) -> DownTrack:
        down = DownTrack(self.track, FakePeer(self.clock).as_peer(), pt=96, clock=self.clock)
        down.limit, down.enabled = limit, True
        return down

    def run(self, seconds: float) -> None:
        for _ in range(int(seconds * 4)):
            self.clock.now += 0.25
            self.dynacast.tick(self.owner, self.clock.now)


def test_nobody_watches() -> None:
    rig = Rig()
    rig.run(4)
    assert rig.sent == []
    rig.run(2)
    assert rig.sent == [[False, False, False]]
    rig.run(20)
    assert len(rig.sent) == 1


def test_more_at_once_and_less_after_a_while() -> None:
    rig = Rig()
    small = rig.subscriber(0)
    rig.run(6)
    assert rig.sent == [[True, False, False]]
    large = rig.subscriber()
    rig.run(0.25)
    assert rig.sent[1:] == [[True, True, True]]
    large.limit = 1
    rig.run(6)
    assert rig.sent[2:] == [[True, True, False]]
    large.enabled = small.enabled = False
    rig.run(3)
    large.enabled = True  # back in time
    rig.run(10)
    assert rig.sent[3:] == []


def test_a_lack_of_bandwidth_is_no_wish() -> None:
    rig = Rig()
    rig.subscriber().ceiling = 0
    rig.run(10)
    assert rig.sent == [[True, True, True]]


def test_everything_is_told_again_after_a_resume() -> None:
    rig = Rig()
    rig.subscriber()
    rig.run(1)
    rig.dynacast.repeat()
    rig.run(1)
    assert rig.sent == [[True, True, True]] * 2
