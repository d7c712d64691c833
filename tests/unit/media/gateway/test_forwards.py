"""What a client's track settings mean, and how both subscribers keep their sections."""

from __future__ import annotations

import pytest
from livekit.protocol import models as pb
from livekit.protocol import rtc as sig

from meet.media.gateway.subscriber_answer import AnsweringSubscriber
from meet.media.gateway.subscriber_offer import OfferingSubscriber
from meet.media.room import Layer, Participant, Publication, TrackKind, TrackSource
from meet.media.sdp.parse import parse
from meet.media.sdp.write import TransportLines
from meet.media.sfu.downtrack import HIGHEST
from meet.media.sfu.track import Track
from meet.media.transport.aiortc_adapter import Certificate
from meet.media.transport.peer import Peer
from meet.media.transport.udpmux import UdpMux
from tests.unit.media.fakes import FakeLink
from tests.unit.media.sdp.test_parse import offer

LAYERS = (Layer(0, 320, 180, rid="q"), Layer(1, 640, 360, rid="h"), Layer(2, 1280, 720, rid="f"))
TRANSPORT = TransportLines("u", "p", "AA", (), "passive")


class Rig:
    def __init__(self) -> None:
        self.mux = UdpMux("127.0.0.1", 0)
        self.certificate = Certificate()
        self.peer = Peer(self.mux, self.certificate, "subscriber")
        self.owner = Participant(identity="alice", link=FakeLink())
        self.me = Participant(identity="bob", link=FakeLink())
        self.sent: list[sig.SignalResponse] = []

    def publication(self, number: int, codec: str = "VP8") -> Publication:
        kind = TrackKind.AUDIO if codec == "opus" else TrackKind.VIDEO
        publication = Publication(
            sid=f"TR_{number}", cid="c", kind=kind, source=TrackSource.CAMERA, owner=self.owner, layers=LAYERS
        )
        rate = 48000 if codec == "opus" else 90000
        publication.media = Track(
            self.peer, sid=publication.sid, kind=kind.media, codec=codec, cname=self.owner.sid, clock_rate=rate
        )
        return publication

    def offering(self, *, reuse: bool) -> OfferingSubscriber:
        return OfferingSubscriber(
            self.me, self.peer, self.sent.append, self.certificate.fingerprint, reuse_sections=reuse
        )

    def answering(self) -> AnsweringSubscriber:
        return AnsweringSubscriber(self.me, self.peer, self.sent.append)

    @property
    def offers(self) -> list[sig.SessionDescription]:
        return [m.offer for m in self.sent if m.WhichOneof("message") == "offer"]


@pytest.fixture
async def rig() -> Rig:
    return Rig()


@pytest.fixture(autouse=True)
def _close(rig: Rig) -> object:
    yield
    rig.mux.close()


def accept(subscriber: OfferingSubscriber, description: sig.SessionDescription, *, reject: str = "") -> None:
    text = "v=0\r\na=fingerprint:sha-256 AA\r\n"
    for section in parse(description.sdp):
        port = 0 if section.mid == reject else 9
        text += f"m={section.kind} {port} X 1\r\na=mid:{section.mid}\r\na=recvonly\r\n"
    subscriber.on_answer(parse(text), description.id)


@pytest.mark.parametrize(
    ("settings", "limit", "disabled"),
    [
        ({"quality": 0}, 0, False),
        ({"quality": 2}, 2, False),
        ({"quality": 3}, 3, True),
        ({"quality": 2, "disabled": True}, 2, True),
        ({"width": 200, "height": 100}, 0, False),
        ({"width": 640, "height": 360}, 1, False),
        ({"width": 360, "height": 640}, 1, False),
        ({"width": 700, "height": 400}, 2, False),
        ({"width": 3840, "height": 2160}, HIGHEST, False),
    ],
)
async def test_track_settings(rig: Rig, settings: dict[str, int], limit: int, disabled: bool) -> None:
    subscriber = rig.answering()
    subscriber.add(rig.publication(1))
    subscriber.configure(sig.UpdateTrackSettings(track_sids=["TR_1", "TR_unknown"], **settings))  # type: ignore[arg-type]
    forward = subscriber.items["TR_1"]
    assert (forward.limit, forward.disabled) == (limit, disabled)


async def test_one_offer_at_a_time(rig: Rig) -> None:
    subscriber = rig.offering(reuse=True)
    subscriber.add(rig.publication(1))
    assert rig.offers == []
    subscriber.start()
    subscriber.add(rig.publication(2))
    subscriber.add(rig.publication(3, "opus"))
    (first,) = rig.offers
    assert dict(first.mid_to_track_id) == {"1": "TR_1"}
    accept(subscriber, first)
    assert subscriber.items["TR_1"].negotiated
    assert dict(rig.offers[1].mid_to_track_id) == {"1": "TR_1", "2": "TR_2", "3": "TR_3"}
    assert len(rig.offers) == 2


@pytest.mark.parametrize(("reuse", "mid", "track_id"), [(True, "1", "m1"), (False, "2", "TR_2")])
async def test_sections_of_ended_tracks(rig: Rig, reuse: bool, mid: str, track_id: str) -> None:
    subscriber = rig.offering(reuse=reuse)
    gone = rig.publication(1)
    subscriber.add(gone)
    subscriber.start()
    accept(subscriber, rig.offers[-1])
    subscriber.remove(gone)
    assert parse(rig.offers[-1].sdp)[1].direction == "inactive"
    accept(subscriber, rig.offers[-1])
    subscriber.add(rig.publication(2))
    assert dict(rig.offers[-1].mid_to_track_id) == {mid: "TR_2"}
    section = next(s for s in parse(rig.offers[-1].sdp) if s.mid == mid)
    assert section.track_id == track_id


async def test_a_rejected_section_is_reported(rig: Rig) -> None:
    subscriber = rig.offering(reuse=True)
    subscriber.add(rig.publication(1, "H264"))
    subscriber.start()
    accept(subscriber, rig.offers[-1], reject="1")
    assert rig.sent[-1].subscription_response.err == pb.SubscriptionError.SE_CODEC_UNSUPPORTED
    assert subscriber.items == {}


async def test_a_stale_answer_changes_nothing(rig: Rig) -> None:
    subscriber = rig.offering(reuse=True)
    subscriber.add(rig.publication(1))
    subscriber.start()
    first = rig.offers[-1]
    subscriber.resumed()
    accept(subscriber, first)
    assert not subscriber.items["TR_1"].negotiated
    accept(subscriber, rig.offers[-1])
    assert subscriber.items["TR_1"].negotiated


async def test_receive_sections_of_the_join_offer_are_used_at_once(rig: Rig) -> None:
    subscriber = rig.answering()
    for number in range(4):
        subscriber.add(rig.publication(number))
    assert rig.sent == []
    sections = [s for s in parse(offer("chromium_v1_join.sdp")) if s.kind == "video"]
    subscriber.begin_answer()
    answers = [subscriber.answer_section(s, TRANSPORT) for s in sections]
    subscriber.end_answer()
    assert [a[1] for a in answers if a] == ["TR_0", "TR_1", "TR_2"]
    requirement = rig.sent[-1].media_sections_requirement
    assert (requirement.num_audios, requirement.num_videos) == (0, 1)


async def test_the_client_is_asked_once_per_change(rig: Rig) -> None:
    subscriber = rig.answering()
    subscriber.begin_answer()
    subscriber.end_answer()
    subscriber.add(rig.publication(1))
    subscriber.add(rig.publication(2))
    assert len(rig.sent) == 1
    assert rig.sent[0].WhichOneof("message") == "media_sections_requirement"


async def test_a_pause_for_lack_of_bandwidth_is_told_once(rig: Rig) -> None:
    subscriber = rig.offering(reuse=True)
    publication = rig.publication(1)
    subscriber.add(publication)
    forward = subscriber.items["TR_1"]
    subscriber.start()
    down = forward.down
    assert down is not None
    down.enabled = True
    rig.sent.clear()
    for ceiling in (-1, -1, 0, 0):
        down.ceiling = ceiling
        subscriber.bandwidth._next_try = float("inf")
        subscriber.tick(1.0)
    states = [s for m in rig.sent for s in m.stream_state_update.stream_states]
    assert [(s.participant_sid, s.track_sid, s.state) for s in states] == [
        (rig.owner.sid, "TR_1", sig.StreamState.PAUSED),
        (rig.owner.sid, "TR_1", sig.StreamState.ACTIVE),
    ]


async def test_sections_do_not_add_up_over_a_long_meeting(rig: Rig) -> None:
    """A native client gets a new section for every track, in the place of one that has ended."""
    subscriber = rig.offering(reuse=False)
    subscriber.start()
    accept(subscriber, rig.offers[-1])
    for number in range(40):
        codec = ("VP8", "opus", "H264")[number % 3]
        here = [rig.publication(2 * number + which, codec) for which in (0, 1)]
        for publication in here:
            subscriber.add(publication)
            accept(subscriber, rig.offers[-1])
        sections = parse(rig.offers[-1].sdp)
        assert len(sections) <= 3
        assert {s.track_id for s in sections if s.sends} == {"", *(p.sid for p in here)}
        assert len({s.mid for s in sections}) == len(sections)
        for publication in here:
            subscriber.remove(publication)
            accept(subscriber, rig.offers[-1])
        ended = [s for s in parse(rig.offers[-1].sdp) if s.port == 0]
        assert len(ended) == 2
        assert not any(s.mid in rig.offers[-1].sdp.split("BUNDLE")[1].split("\r\n")[0].split() for s in ended)


@pytest.mark.parametrize("reuse", [False, True])
async def test_a_track_given_up_and_asked_for_again_at_once(rig: Rig, reuse: bool) -> None:
    subscriber = rig.offering(reuse=reuse)
    track = rig.publication(1)
    subscriber.add(track)
    subscriber.start()
    subscriber.remove(track)
    subscriber.add(track)
    accept(subscriber, rig.offers[-1])
    accept(subscriber, rig.offers[-1])
    accept(subscriber, rig.offers[-1])
    forward = subscriber.items["TR_1"]
    assert forward.negotiated
    assert forward.down is not None
    sending = [s for s in parse(rig.offers[-1].sdp) if s.sends and s.kind == "video"]
    assert [s.ssrcs[0] for s in sending] == [forward.down.ssrc]


@pytest.mark.parametrize(
    ("stream", "shown"),
    [("camera", "camera"), ("", "TR_1"), ("a b", "TR_1"), ("x" * 65, "TR_1"), ("x\r\na=candidate:1", "TR_1")],
)
async def test_what_publishers_call_their_streams_is_one_word(rig: Rig, stream: str, shown: str) -> None:
    publication = rig.publication(1)
    publication.stream = stream
    subscriber = rig.offering(reuse=True)
    subscriber.add(publication)
    subscriber.start()
    (offered,) = rig.offers
    assert parse(offered.sdp)[1].msid == f"{rig.owner.sid}|{shown} m1"
    assert "\na=candidate:1\r" not in offered.sdp


@pytest.mark.parametrize(("identifier", "used"), [(14, 14), (15, 0), (200, 0)])
async def test_send_times_need_an_id_of_the_short_form(rig: Rig, identifier: int, used: int) -> None:
    subscriber = rig.answering()
    subscriber.add(rig.publication(1))
    (section,) = parse(
        "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:0\r\na=recvonly\r\na=rtpmap:96 VP8/90000\r\n"
        f"a=extmap:{identifier} http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time\r\n"
    )
    assert subscriber.answer_section(section, TRANSPORT) is not None
    down = subscriber.items["TR_1"].down
    assert down is not None
    assert down._extension_id == used
