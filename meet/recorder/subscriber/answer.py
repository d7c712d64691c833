"""Our answer to a server's offer: receive everything we can record, send nothing."""

from __future__ import annotations

from dataclasses import dataclass

from meet.media.sdp.parse import Section
from meet.recorder.subscriber.depacketize import DEPACKETIZERS

_FEEDBACK = ("nack", "nack pli", "ccm fir", "goog-remb")


@dataclass(frozen=True)
class Choice:
    """What is received in one section."""

    codec: str
    clock_rate: int
    pt: int
    rtx_pt: int | None


def choose(section: Section) -> Choice | None:
    """The first offered codec that can be recorded, with its retransmission payload type."""
    for text in section.formats:
        pt = int(text)
        codec = section.codecs.get(pt)
        if codec is None or codec.name.lower() not in DEPACKETIZERS:
            continue
        rtx = next(
            (
                other
                for other, c in section.codecs.items()
                if c.name.lower() == "rtx" and f"apt={pt}" in section.fmtp.get(other, "").split(";")
            ),
            None,
        )
        return Choice(codec.name, codec.clock_rate, pt, rtx)
    return None


def write(sections: list[Section], *, ufrag: str, pwd: str, fingerprint: str, version: int) -> str:
    """The session description (RFC 8829), one answer section per offered one."""
    bundled = " ".join(section.mid for section in sections if section.port)
    lines = [
        "v=0",
        f"o=- 1 {version} IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        f"a=group:BUNDLE {bundled}",
        "a=msid-semantic: WMS *",
    ]
    transport = [
        "c=IN IP4 0.0.0.0",
        f"a=ice-ufrag:{ufrag}",
        f"a=ice-pwd:{pwd}",
        "a=ice-options:trickle",
        f"a=fingerprint:sha-256 {fingerprint}",
        "a=setup:active",
    ]
    for section in sections:
        port = 9 if section.port else 0
        lines.append(f"m={section.kind} {port} {section.protocol} {' '.join(_formats(section))}")
        lines += transport
        lines.append(f"a=mid:{section.mid}")
        if section.kind == "application":
            lines += ["a=sctp-port:5000", "a=max-message-size:262144"]
            continue
        lines += ["a=rtcp-mux", "a=rtcp-rsize"]
        choice = choose(section)
        lines.append("a=recvonly" if section.sends and choice else "a=inactive")
        lines += _codec_lines(section, choice)
    return "\r\n".join(lines) + "\r\n"


def _formats(section: Section) -> list[str]:
    if section.kind == "application":
        return section.formats
    choice = choose(section)
    if choice is None:
        return section.formats
    return [str(pt) for pt in (choice.pt, choice.rtx_pt) if pt is not None]


def _codec_lines(section: Section, choice: Choice | None) -> list[str]:
    lines = []
    for pt in [choice.pt, choice.rtx_pt] if choice else [int(text) for text in section.formats]:
        codec = section.codecs.get(pt) if pt is not None else None
        if codec is None or pt is None:
            continue
        lines.append(codec.line(pt))
        if pt in section.fmtp:
            lines.append(f"a=fmtp:{pt} {section.fmtp[pt]}")
        lines += [f"a=rtcp-fb:{pt} {item}" for item in section.feedback.get(pt, ()) if item in _FEEDBACK]
    return lines
