"""Arbitrary and mutated input into everything that reads what a client sent: refused, never an unexpected error."""

from __future__ import annotations

import contextlib
import struct
from typing import Any, cast

import jwt
from hypothesis import given, settings
from hypothesis import strategies as st

from meet.media.gateway.auth import TokenError, join_grant, verify
from meet.media.gateway.request import BadRequest, from_v0, from_v1
from meet.media.sdp import codecs
from meet.media.sdp.parse import SdpError, parse
from meet.media.sfu.track import Track
from meet.media.transport import rtp as headers
from meet.media.transport import stun
from meet.media.transport.peer import Peer
from meet.media.transport.tcp import TcpLink, TcpListener
from tests.unit.media.fakes import Clock, FakePeer, rtp, vp8
from tests.unit.media.sdp.test_parse import offer
from tests.unit.media.transport.test_stun import request

fuzz = settings(max_examples=150, deadline=None)
KEYS = {"key": "s" * 32}
JSON: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def mutated(original: bytes) -> st.SearchStrategy[bytes]:
    """The original with some bytes replaced, then cut or extended."""

    def apply(changes: list[tuple[int, int]], length: int, tail: bytes) -> bytes:
        data = bytearray(original)
        for at, value in changes:
            data[at % len(data)] = value
        return bytes(data[:length]) + tail

    positions = st.lists(st.tuples(st.integers(0, len(original)), st.integers(0, 255)), max_size=8)
    return st.builds(apply, positions, st.integers(0, len(original)), st.binary(max_size=20))


@fuzz
@given(st.binary(max_size=200) | mutated(request()))
def test_stun(data: bytes) -> None:
    parsed = stun.parse_binding_request(data)
    if parsed is not None:
        parsed.authentic("other")


@fuzz
@given(
    st.sampled_from(["VP8", "H264", "opus"]),
    st.binary(min_size=12, max_size=120) | mutated(rtp(1, 2, vp8(3, 4, key=True))).filter(lambda d: len(d) >= 12),
)
def test_rtp_all_the_way_to_subscribers(codec: str, packet: bytes) -> None:
    clock = Clock()
    track = Track(
        FakePeer(clock).as_peer(),
        sid="TR",
        kind="audio" if codec == "opus" else "video",
        codec=codec,
        cname="PA",
        clock_rate=90000,
        level_id=1,
    )
    headers.extensions(packet)
    stream = track.bind(7, "")
    stream.on_rtp(packet, clock.now)
    stream.on_rtx(packet, clock.now)
    stream.tick(clock.now + 1, 0.05)


REPORTS = struct.pack("!BBHIIHHII", 0x81, 201, 7, 1, 2, 3, 4, 5, 6) + struct.pack("!BBHII", 0x81, 206, 2, 1, 2)


@fuzz
@given(st.binary(max_size=200) | mutated(REPORTS))
def test_rtcp(data: bytes) -> None:
    peer = FakePeer(Clock())
    feedback = cast(Any, peer)
    feedback.on_remb = lambda _bitrate, _now: None
    feedback._on_payload_feedback = lambda packet, now: Peer._on_payload_feedback(feedback, packet, now)
    Peer._on_rtcp(feedback, data, 1.0)


LINES = [line for line in offer("chromium_v1_publish.sdp").splitlines() if line] + [
    "a=rid:q",
    "a=ssrc:x",
    "m=video",
    "a=extmap:",
    "a=fmtp:96",
]


@fuzz
@given(st.text(max_size=200) | st.lists(st.sampled_from(LINES), max_size=60).map("\r\n".join))
def test_session_descriptions(text: str) -> None:
    with contextlib.suppress(SdpError):
        for section in parse(text):
            for name in ("VP8", "H264", "opus"):
                codecs.choose(section, name)


@fuzz
@given(st.dictionaries(st.sampled_from(["join_request", "auto_subscribe", "sid", "reconnect"]), st.text()))
def test_join_parameters(query: dict[str, str]) -> None:
    from_v0(query)
    with contextlib.suppress(BadRequest):
        from_v1(query)


@fuzz
@given(st.text() | st.dictionaries(st.sampled_from(["iss", "sub", "exp", "nbf", "video", "name"]), JSON))
def test_tokens(content: str | dict[str, Any]) -> None:
    with contextlib.suppress(TokenError):
        if isinstance(content, str):
            verify(content, KEYS)
            return
        # Numbers that JWT libraries stumble over, signed with the right key.
        with contextlib.suppress(TypeError):
            content = jwt.encode({"iss": "key", **content}, "s" * 32, algorithm="HS256")
            join_grant(verify(content, KEYS))


@fuzz
@given(st.lists(st.binary(max_size=300), max_size=10))
def test_tcp_frames_in_any_pieces(pieces: list[bytes]) -> None:
    delivered: list[bytes] = []
    link = TcpLink(TcpListener(lambda data, _link: delivered.append(data), lambda _link: None))
    closed: list[bool] = []
    link.close = lambda: closed.append(True)  # type: ignore[method-assign]
    for piece in pieces:
        if not closed:
            link.data_received(piece)
    assert all(0 < len(d) <= 2048 for d in delivered)
    assert len(link._buffer) <= 2048 + 300 + 2 or closed
