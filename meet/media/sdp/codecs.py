"""Choosing payload types in a client's section, and the ones we use when we offer."""

from __future__ import annotations

from dataclasses import dataclass

from meet.media.sdp.parse import Codec, Section

_PROFILES = {"VP9": "profile-id", "AV1": "profile"}
H264_FMTP = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"


@dataclass(frozen=True)
class Choice:
    """A negotiated codec: payload types and parameters as they appear in the section.

    red_pt: redundant audio (RFC 2198) made of this codec.
    """

    codec: Codec
    pt: int
    rtx_pt: int | None = None
    fmtp: str = ""
    red_pt: int | None = None

    @property
    def name(self) -> str:
        return self.codec.name


OFFERED = {
    "opus": Choice(Codec("opus", 48000, 2), 111, None, "minptime=10;useinbandfec=1", 63),
    "VP8": Choice(Codec("VP8", 90000, 1), 96, 97),
    "H264": Choice(Codec("H264", 90000, 1), 102, 103, H264_FMTP),
    "VP9": Choice(Codec("VP9", 90000, 1), 98, 99, "profile-id=0"),
    "AV1": Choice(Codec("AV1", 90000, 1), 45, 46, "level-idx=5;profile=0;tier=0"),
}
"""What our own offers carry, by encoding name."""


def choose(section: Section, name: str) -> Choice | None:
    """The payload types for an encoding, None when the client does not list it.

    H264 must be packetization mode 1; constrained baseline (42e0..) is preferred, then any baseline, then the first.
    VP9 and AV1 must be profile 0, which is also meant where none is named. Names are compared without regard to case
    (RFC 8866 section 6.6), and the choice has ours.
    """
    ours = OFFERED.get(name)
    matches = [
        pt
        for pt, codec in section.codecs.items()
        if codec.name.lower() == name.lower()
        and str(pt) in section.formats
        and (ours is None or codec.clock_rate == ours.codec.clock_rate)
    ]
    if name == "H264":
        matches = [pt for pt in matches if _parameter(section, pt, "packetization-mode") == "1"]
        matches.sort(key=lambda pt: _profile_rank(_parameter(section, pt, "profile-level-id")))
    elif name in _PROFILES:
        matches = [pt for pt in matches if _parameter(section, pt, _PROFILES[name]) in ("", "0")]
    if not matches:
        return None
    pt = matches[0]
    red = _red_for(section, pt) if name == "opus" else None
    return Choice(section.codecs[pt]._replace(name=name), pt, _rtx_for(section, pt), section.fmtp.get(pt, ""), red)


def _parameter(section: Section, pt: int, name: str) -> str:
    for item in section.fmtp.get(pt, "").split(";"):
        key, _, value = item.strip().partition("=")
        if key.lower() == name:
            return value
    return ""


def _profile_rank(profile: str) -> int:
    profile = profile.lower()
    return 0 if profile.startswith("42e0") else 1 if profile.startswith("42") else 2


def _red_for(section: Section, pt: int) -> int | None:
    for candidate, codec in section.codecs.items():
        if codec.name.lower() == "red" and str(candidate) in section.formats:
            blocks = section.fmtp.get(candidate, "").strip().split("/")
            if set(blocks) == {str(pt)}:
                return candidate
    return None


def _rtx_for(section: Section, pt: int) -> int | None:
    for candidate, codec in section.codecs.items():
        if codec.name.lower() == "rtx" and _parameter(section, candidate, "apt") == str(pt):
            return candidate
    return None
