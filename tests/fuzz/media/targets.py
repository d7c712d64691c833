"""What is fuzzed: functions of bytes that must not raise, whatever the bytes."""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import jwt

from meet.media.gateway.auth import TokenError, join_grant, verify
from meet.media.gateway.request import BadRequest, from_v0, from_v1
from meet.media.sdp import codecs, write
from meet.media.sdp.parse import SdpError, parse
from meet.media.sfu import av1, h264, vp8, vp9
from meet.media.sfu.downtrack import DownTrack
from meet.media.sfu.red import Redundancy, blocks
from meet.media.sfu.track import Track
from meet.media.transport import rtp, stun
from meet.media.transport.budget import TokenBucket
from meet.media.transport.peer import Peer
from meet.media.transport.tcp import TcpLink, TcpListener
from meet.recorder.journal.reader import JournalReader
from meet.recorder.journal.records import MAGIC
from meet.recorder.subscriber import answer, depacketize
from tests.fuzz.media.live import Association, Signals
from tests.unit.media.fakes import Clock, FakePeer

Target = Callable[[bytes], None]
_KEYS = {"key": "s" * 32}
_LINES = write.TransportLines("u", "p", "AA:BB", ("a=candidate:1 1 udp 1 127.0.0.1 9 typ host",), "passive")


def stun_request(data: bytes) -> None:
    request = stun.parse_binding_request(data)
    if request is not None:
        request.authentic("password")
        stun.binding_response(request.transaction_id, "127.0.0.1", 9, "password")


def rtp_packets(data: bytes) -> None:
    """First byte: the codec. Then packets, each with a length byte before it, through a track to a subscriber."""
    codec = ("VP8", "H264", "VP9", "opus", "AV1", "red")[data[0] % 6] if data else "VP8"
    clock = Clock()
    kind = "audio" if codec in ("opus", "red") else "video"
    red = Redundancy(63, 111) if codec == "red" else None
    described = 12 if codec == "AV1" else None
    codec = "opus" if red is not None else codec
    upper, lower = FakePeer(clock).as_peer(), FakePeer(clock).as_peer()
    names: Any = {"sid": "TR", "kind": kind, "codec": codec, "cname": "PA", "clock_rate": 90000, "level_id": 1}
    track = Track(upper, **names, red=red, descriptor_id=described)
    stream = track.bind(7, "")
    down = DownTrack(track, lower, pt=100, rtx_pt=101, abs_send_time_id=2, clock=clock)
    down.enable(True)
    at = 1
    while at < len(data):
        size = data[at]
        packet = data[at + 1 : at + 1 + size]
        at += 1 + size
        if len(packet) < 12:
            continue
        rtp.extensions(packet)
        rtp.extension(packet, 3)
        down.choose()
        stream.on_rtp(packet, clock.now)
        stream.on_rtx(packet, clock.now)
        clock.now += 0.02
        stream.tick(clock.now, 0.05)
    down.on_nack(list(range(0, 65536, 97)))
    stream.receiver_report(clock.now)


def rtcp(data: bytes) -> None:
    peer = cast(Any, FakePeer(Clock()))
    track = Track(peer, sid="TR", kind="video", codec="VP8", cname="PA", clock_rate=90000)
    down = DownTrack(track, peer, pt=100, rtx_pt=101, clock=Clock())
    peer.sources[1], peer.sinks[2] = track.bind(1, ""), down
    peer.on_remb = lambda _bitrate, _now: None
    peer.repairs = TokenBucket(1000, 1000)
    peer._on_payload_feedback = lambda packet, now: Peer._on_payload_feedback(peer, packet, now)
    Peer._on_rtcp(peer, data, 1.0)


def sdp(data: bytes) -> None:
    with contextlib.suppress(SdpError):
        sections = parse(data.decode("utf-8", "replace"))
        for section in sections:
            for name in ("VP8", "H264", "VP9", "opus"):
                choice = codecs.choose(section, name)
                if choice is not None and section.kind in write.UPSTREAM:
                    write.receive(section, choice, _LINES)
            write.inactive(section, _LINES)
        with contextlib.suppress(ValueError):  # the recorder reads only our own server's
            answer.write(sections, ufrag="u", pwd="p", fingerprint="AA", version=1)


def join(data: bytes) -> None:
    text = data.decode("latin-1")
    with contextlib.suppress(BadRequest):
        from_v1({"join_request": text})
    from_v0({"client_protocol": text, "sid": text, "auto_subscribe": text})


def token(data: bytes) -> None:
    """Arbitrary text as a token, and JSON objects as the claims of a well signed one."""
    text = data.decode("utf-8", "replace")
    with contextlib.suppress(TokenError):
        join_grant(verify(text, _KEYS))
    try:
        signed = jwt.encode({"iss": "key", **json.loads(text)}, _KEYS["key"], algorithm="HS256")
    except (ValueError, TypeError, RecursionError):
        return
    with contextlib.suppress(TokenError):
        join_grant(verify(signed, _KEYS))


def payloads(data: bytes) -> None:
    """The codecs' own headers, as the media server and the recorder read them."""
    size = vp8.descriptor_length(data)
    vp8.starts_keyframe(data[:size], data[size:])
    vp9.starts_keyframe(data)
    h264.starts_keyframe(data)
    av1.starts_keyframe(data)
    blocks(data)
    pieces, at = [], 0
    while at < len(data):
        pieces.append(data[at + 1 : at + 1 + data[at]])
        at += 1 + data[at]
    for unpack in depacketize.DEPACKETIZERS.values():
        unpack(pieces or [b""])
        unpack([data])


def journal(data: bytes) -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        segment = Path(folder) / "000001.seg"
        segment.write_bytes(MAGIC + data)
        reader = JournalReader(segment.parent)
        reader.finish()
        list(reader)


def tcp(data: bytes) -> None:
    delivered: list[bytes] = []
    link = TcpLink(TcpListener(lambda packet, _link: delivered.append(packet), lambda _link: None))
    closed: list[bool] = []
    link.close = lambda: closed.append(True)  # type: ignore[method-assign]
    for at in range(0, len(data), 7):
        if not closed:
            link.data_received(data[at : at + 7])
    assert all(0 < len(packet) <= 2048 for packet in delivered)


_LIVE: dict[str, Any] = {}


def close() -> None:
    """End what some targets keep open between inputs."""
    while _LIVE:
        _LIVE.popitem()[1].close()


def signal(data: bytes) -> None:
    """Requests over signalling, each with two length bytes before it, to a real session."""
    if "signals" not in _LIVE:
        _LIVE["signals"] = Signals()
    _LIVE["signals"].take(data)


def sctp(data: bytes) -> None:
    """SCTP packets inside an established association, each with two length bytes before it."""
    if "association" not in _LIVE:
        _LIVE["association"] = Association()
    _LIVE["association"].take(data)


TARGETS: dict[str, Target] = {
    "stun": stun_request,
    "rtp": rtp_packets,
    "rtcp": rtcp,
    "sdp": sdp,
    "join": join,
    "token": token,
    "payloads": payloads,
    "journal": journal,
    "tcp": tcp,
    "signal": signal,
    "sctp": sctp,
}
