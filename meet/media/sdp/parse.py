"""Reading a client's SDP (RFC 8866, RFC 8829): only the attributes an answerer with one BUNDLE group looks at."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

MAX_SECTIONS = 256
_EXTENSION_IDS = range(1, 256)
"""What header extensions can be sent under (RFC 8285); higher ids are only proposals of an offer."""


class SdpError(ValueError):
    """The text is not a usable session description."""


class Codec(NamedTuple):
    """One a=rtpmap: encoding name as written, clock rate in Hz, channels."""

    name: str
    clock_rate: int
    channels: int

    def line(self, pt: int) -> str:
        tail = f"/{self.channels}" if self.channels > 1 else ""
        return f"a=rtpmap:{pt} {self.name}/{self.clock_rate}{tail}"


@dataclass
class Section:
    """One m= section. `rids` are those the client sends; `ssrcs` in order of appearance; `fid` media and RTX SSRC."""

    kind: str = ""
    port: int = 9
    protocol: str = ""
    formats: list[str] = field(default_factory=list)
    mid: str = ""
    direction: str = "sendrecv"
    codecs: dict[int, Codec] = field(default_factory=dict)
    fmtp: dict[int, str] = field(default_factory=dict)
    feedback: dict[int, list[str]] = field(default_factory=dict)
    extensions: dict[int, str] = field(default_factory=dict)
    rids: list[str] = field(default_factory=list)
    msid: str = ""
    ssrcs: list[int] = field(default_factory=list)
    fid: tuple[int, int] | None = None
    ufrag: str = ""
    pwd: str = ""
    fingerprint: tuple[str, str] | None = None
    setup: str = ""
    max_message_size: int = 65536

    @property
    def track_id(self) -> str:
        """The MediaStreamTrack id of a=msid."""
        return self.msid.split()[-1] if self.msid else ""

    @property
    def sends(self) -> bool:
        return self.direction in ("sendonly", "sendrecv")

    def extension_id(self, uri: str) -> int | None:
        return next((i for i, u in self.extensions.items() if u == uri), None)


def parse(text: str) -> list[Section]:
    """The sections in order, session-level ICE and DTLS attributes filled in. Raises SdpError."""
    session = Section()
    sections: list[Section] = []
    current = session
    try:
        for line in text.splitlines():
            kind, _, value = line.partition("=")
            if kind == "m":
                media, port, protocol, *formats = value.split()
                current = Section(kind=media, port=int(port), protocol=protocol, formats=formats)
                sections.append(current)
                if len(sections) > MAX_SECTIONS:
                    raise SdpError("too many media sections")
            elif kind == "a":
                _attribute(current, value)
    except (ValueError, IndexError) as error:
        raise SdpError(f"malformed session description: {error}") from error
    if not sections:
        raise SdpError("no media section")
    for section in sections:
        section.ufrag = section.ufrag or session.ufrag
        section.pwd = section.pwd or session.pwd
        section.fingerprint = section.fingerprint or session.fingerprint
        section.setup = section.setup or session.setup
    return sections


def _attribute(section: Section, text: str) -> None:
    name, _, value = text.partition(":")
    if name in ("sendrecv", "sendonly", "recvonly", "inactive"):
        section.direction = name
    elif name == "mid":
        section.mid = value
    elif name == "rtpmap":
        pt, _, encoding = value.partition(" ")
        parts = encoding.split("/")
        section.codecs[_payload_type(pt)] = Codec(parts[0], int(parts[1]), int(parts[2]) if len(parts) > 2 else 1)
    elif name == "fmtp":
        pt, _, parameters = value.partition(" ")
        section.fmtp[_payload_type(pt)] = parameters
    elif name == "rtcp-fb":
        pt, _, parameters = value.partition(" ")
        if pt != "*":
            section.feedback.setdefault(_payload_type(pt), []).append(parameters)
    elif name == "extmap":
        identifier, _, uri = value.partition(" ")
        number = int(identifier.split("/")[0])
        if number in _EXTENSION_IDS:
            section.extensions[number] = uri.split()[0]
    elif name == "rid":
        rid, direction = value.split()[:2]
        if direction == "send":
            section.rids.append(rid)
    elif name == "msid":
        section.msid = value
    elif name == "ssrc":
        ssrc = int(value.split()[0])
        if ssrc not in section.ssrcs:
            section.ssrcs.append(ssrc)
    elif name == "ssrc-group" and value.startswith("FID "):
        media, repair = value.split()[1:3]
        section.fid = (int(media), int(repair))
    elif name == "ice-ufrag":
        section.ufrag = value
    elif name == "ice-pwd":
        section.pwd = value
    elif name == "fingerprint":
        algorithm, digest = value.split()
        section.fingerprint = (algorithm.lower(), digest)
    elif name == "setup":
        section.setup = value
    elif name == "max-message-size":
        section.max_message_size = int(value)


def _payload_type(text: str) -> int:
    """Raises ValueError for what does not fit into an RTP header: it would fail where packets are made."""
    number = int(text)
    if not 0 <= number <= 127:
        raise ValueError("payload types have 7 bits")
    return number
