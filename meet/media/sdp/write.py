"""Our side of a session description: ICE-lite, one BUNDLE group, one section builder per purpose."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from meet.media.sdp.codecs import Choice
from meet.media.sdp.parse import Section

TWCC = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
ABS_SEND_TIME = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
AUDIO_LEVEL = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
MID = "urn:ietf:params:rtp-hdrext:sdes:mid"
RID = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
REPAIRED_RID = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"

UPSTREAM = {"audio": {TWCC, AUDIO_LEVEL, MID}, "video": {TWCC, MID, RID, REPAIRED_RID}}
"""Header extensions we accept from publishers."""
DEPENDENCY = "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension"
"""Only AV1 comes with it: browsers would put it on every codec, and no other needs it."""
OFFERED_ABS_SEND_TIME_ID = 2
OFFERED_DEPENDENCY_ID = 4

_KNOWN_FEEDBACK = ("nack", "nack pli", "ccm fir", "transport-cc", "goog-remb")
_RECEIVE_FEEDBACK = ("nack", "nack pli", "ccm fir", "transport-cc")
_SEND_FEEDBACK = ("nack", "nack pli", "ccm fir", "goog-remb")


@dataclass(frozen=True)
class TransportLines:
    """What every section repeats. candidates: complete `a=candidate:` lines. setup: passive, or actpass in an offer."""

    ufrag: str
    pwd: str
    fingerprint: str
    candidates: tuple[str, ...]
    setup: str

    def lines(self) -> list[str]:
        return [
            f"a=ice-ufrag:{self.ufrag}",
            f"a=ice-pwd:{self.pwd}",
            f"a=fingerprint:sha-256 {self.fingerprint}",
            f"a=setup:{self.setup}",
            *self.candidates,
            "a=end-of-candidates",
        ]


@dataclass(frozen=True)
class Outgoing:
    """A stream we send. stream: the whole first msid field; track_id: the second."""

    ssrc: int
    rtx_ssrc: int | None
    cname: str
    stream: str
    track_id: str

    def lines(self) -> list[str]:
        out = ["a=sendonly", f"a=msid:{self.stream} {self.track_id}"]
        ssrcs = [self.ssrc]
        if self.rtx_ssrc is not None:
            ssrcs.append(self.rtx_ssrc)
            out.append(f"a=ssrc-group:FID {self.ssrc} {self.rtx_ssrc}")
        for ssrc in ssrcs:
            out.append(f"a=ssrc:{ssrc} cname:{self.cname}")
            out.append(f"a=ssrc:{ssrc} msid:{self.stream} {self.track_id}")
        return out


def session(version: int, sections: Sequence[tuple[str, Sequence[str]]]) -> str:
    """A whole description from (mid, lines) pairs. version: must grow with every description of a connection."""
    lines = [
        "v=0",
        f"o=- 1 {version} IN IP4 0.0.0.0",
        "s=-",
        "t=0 0",
        "a=ice-lite",
        "a=group:BUNDLE " + " ".join(mid for mid, body in sections if body[0].split()[1] != "0"),
        "a=extmap-allow-mixed",
        "a=msid-semantic: WMS *",
    ]
    for _, body in sections:
        lines += body
    return "\r\n".join(lines) + "\r\n"


def application(mid: str, transport: TransportLines, max_message: int) -> list[str]:
    """Data channels (RFC 8841)."""
    return [
        "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
        "c=IN IP4 0.0.0.0",
        f"a=mid:{mid}",
        *transport.lines(),
        "a=sctp-port:5000",
        f"a=max-message-size:{max_message}",
    ]


def _media(kind: str, formats: Iterable[str], mid: str, transport: TransportLines) -> list[str]:
    return [
        f"m={kind} 9 UDP/TLS/RTP/SAVPF {' '.join(formats)}",
        "c=IN IP4 0.0.0.0",
        f"a=mid:{mid}",
        *transport.lines(),
        "a=rtcp-mux",
        "a=rtcp-rsize",
    ]


def _codec(choice: Choice, fmtp: str) -> list[str]:
    lines = [choice.codec.line(choice.pt)]
    if fmtp:
        lines.append(f"a=fmtp:{choice.pt} {fmtp}")
    if choice.red_pt is not None:
        red = choice.codec._replace(name="red")
        lines.append(red.line(choice.red_pt))
        lines.append(f"a=fmtp:{choice.red_pt} {choice.pt}/{choice.pt}")
    if choice.rtx_pt is not None:
        lines.append(f"a=rtpmap:{choice.rtx_pt} rtx/{choice.codec.clock_rate}")
        lines.append(f"a=fmtp:{choice.rtx_pt} apt={choice.pt}")
    return lines


def _formats(choice: Choice) -> list[str]:
    """Redundant audio comes first: senders use what they find there."""
    return [str(pt) for pt in (choice.red_pt, choice.pt, choice.rtx_pt) if pt is not None]


def receive(section: Section, choice: Choice, transport: TransportLines) -> list[str]:
    """Answer to a section in which the client publishes: one codec, our extensions, all simulcast ids."""
    lines = [*_media(section.kind, _formats(choice), section.mid, transport), "a=recvonly"]
    fmtp = choice.fmtp
    if section.kind == "audio" and "usedtx" not in fmtp:
        fmtp = f"{fmtp};usedtx=1" if fmtp else "usedtx=1"
    lines += _codec(choice, fmtp)
    wanted = _RECEIVE_FEEDBACK if section.kind == "video" else ("transport-cc",)
    offered = section.feedback.get(choice.pt, ())
    lines += [f"a=rtcp-fb:{choice.pt} {f}" for f in wanted if f in offered]
    lines += [f"a=extmap:{i} {u}" for u, i in upstream(section, choice).items()]
    if section.rids:
        lines += [f"a=rid:{rid} recv" for rid in section.rids]
        lines.append("a=simulcast:recv " + ";".join(section.rids))
    return lines


def send(section: Section, choice: Choice, transport: TransportLines, stream: Outgoing) -> list[str]:
    """Answer to a section in which the client receives a track of ours."""
    lines = _media(section.kind, _formats(choice), section.mid, transport) + _codec(choice, choice.fmtp)
    if section.kind == "video":
        offered = section.feedback.get(choice.pt, ())
        lines += [f"a=rtcp-fb:{choice.pt} {f}" for f in _SEND_FEEDBACK if f in offered]
    return lines + _echo_extensions(section, choice) + stream.lines()


def inactive(section: Section, transport: TransportLines) -> list[str]:
    """Answer to a section that carries nothing now.

    It echoes every codec and all extensions we use: what the first answer of a BUNDLE group leaves out, Chromium stops
    offering in later sections.
    """
    lines = [*_media(section.kind, section.formats, section.mid, transport), "a=inactive"]
    for pt, codec in section.codecs.items():
        lines.append(codec.line(pt))
        if pt in section.fmtp:
            lines.append(f"a=fmtp:{pt} {section.fmtp[pt]}")
        lines += [f"a=rtcp-fb:{pt} {f}" for f in section.feedback.get(pt, ()) if f in _KNOWN_FEEDBACK]
    return lines + _echo_extensions(section)


def offer(kind: str, mid: str, choice: Choice, transport: TransportLines, stream: Outgoing | None) -> list[str]:
    """A section of our own offer; without a stream it is inactive and waits for reuse."""
    lines = _media(kind, _formats(choice), mid, transport) + _codec(choice, choice.fmtp)
    if kind == "video":
        lines.append(f"a=extmap:{OFFERED_ABS_SEND_TIME_ID} {ABS_SEND_TIME}")
        if choice.name == "AV1":
            lines.append(f"a=extmap:{OFFERED_DEPENDENCY_ID} {DEPENDENCY}")
        lines += [f"a=rtcp-fb:{choice.pt} {f}" for f in _SEND_FEEDBACK]
    return lines + (stream.lines() if stream is not None else ["a=inactive"])


def rejected(kind: str, mid: str, choice: Choice) -> list[str]:
    """A section of our own offer that is over: once the client has answered, another may take its place."""
    return [f"m={kind} 0 UDP/TLS/RTP/SAVPF {choice.pt}", "c=IN IP4 0.0.0.0", f"a=mid:{mid}", "a=inactive"]


def upstream(section: Section, choice: Choice) -> dict[str, int]:
    """Ids, by URI, of the header extensions we accept from a publisher in this section."""
    wanted = UPSTREAM[section.kind] | ({DEPENDENCY} if choice.name == "AV1" else set())
    return {uri: identifier for identifier, uri in section.extensions.items() if uri in wanted}


def _echo_extensions(section: Section, choice: Choice | None = None) -> list[str]:
    used = UPSTREAM.get(section.kind, set()) | {ABS_SEND_TIME}
    if choice is None or choice.name == "AV1":
        used = used | {DEPENDENCY}
    return [f"a=extmap:{i} {u}" for i, u in section.extensions.items() if u in used]
