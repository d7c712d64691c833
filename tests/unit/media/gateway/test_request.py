"""Connection requests of both signalling versions."""

from __future__ import annotations

import base64
import gzip

import pytest
from livekit.protocol import rtc as sig

from meet.media.gateway.request import BadRequest, from_v0, from_v1, read_request


def wrapped(request: sig.JoinRequest, *, compress: bool = False, pad: bool = True) -> dict[str, str]:
    raw = request.SerializeToString()
    outer = sig.WrappedJoinRequest(join_request=gzip.compress(raw) if compress else raw)
    if compress:
        outer.compression = sig.WrappedJoinRequest.GZIP
    text = base64.urlsafe_b64encode(outer.SerializeToString()).decode()
    return {"join_request": text if pad else text.rstrip("=")}


def test_v0() -> None:
    request = from_v0({"auto_subscribe": "0", "reconnect": "1", "sid": "PA_1", "sdk": "js", "client_protocol": "1"})
    assert (request.single_pc, request.auto_subscribe, request.reconnect) == (False, False, True)
    assert (request.participant_sid, request.sdk, request.client_protocol) == ("PA_1", "js", 1)
    assert from_v0({}).auto_subscribe


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("pad", [False, True])
def test_v1(compress: bool, pad: bool) -> None:
    request = sig.JoinRequest(
        connection_settings=sig.ConnectionSettings(auto_subscribe=True),
        participant_sid="PA_1",
        reconnect=True,
        metadata="m",
        participant_attributes={"a": "1"},
        publisher_offer=sig.SessionDescription(type="offer", sdp="v=0", id=3),
        add_track_requests=[sig.AddTrackRequest(cid="c")],
    )
    got = from_v1(wrapped(request, compress=compress, pad=pad))
    assert (got.single_pc, got.auto_subscribe, got.reconnect, got.participant_sid) == (True, True, True, "PA_1")
    assert got.offer is not None
    assert (got.offer.sdp, got.offer.id) == ("v=0", 3)
    assert [t.cid for t in got.add_tracks] == ["c"]


def test_v1_without_an_offer() -> None:
    assert from_v1(wrapped(sig.JoinRequest())).offer is None


def test_one_peer_connection_on_the_old_path() -> None:
    """livekit-client 2.15.16: base64 of the plain alphabet, sent to /rtc."""
    query = wrapped(sig.JoinRequest(metadata="?>~" * 9))
    plain = {"join_request": query["join_request"].replace("-", "+").replace("_", "/")}
    assert plain != query
    got = read_request(plain, single_pc=False)
    assert (got.single_pc, got.metadata) == (True, "?>~" * 9)
    assert not read_request({"sdk": "js"}, single_pc=False).single_pc


@pytest.mark.parametrize(
    "query",
    [
        {"join_request": "!"},
        {"join_request": "a"},
        wrapped(sig.JoinRequest(metadata="x" * 300_000), compress=True),
        {"join_request": base64.urlsafe_b64encode(b"\x08\x01\x12\x03abc").decode()},
        {"join_request": base64.urlsafe_b64encode(b"\xff\xff").decode()},
    ],
)
def test_v1_that_cannot_be_understood(query: dict[str, str]) -> None:
    with pytest.raises(BadRequest):
        from_v1(query)
