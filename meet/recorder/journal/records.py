"""The records of a journal and their bytes."""

from __future__ import annotations

import json
import struct
import zlib
from dataclasses import asdict, dataclass
from typing import ClassVar, Final, TypeAlias

MAGIC: Final = b"MEETJRN1"
HEAD: Final = struct.Struct("<II")
MAX_BODY: Final = 16 << 20

MAX_TRACK: Final = 0xFFFF
"""The highest track number; they begin with 1."""

_FRAME = struct.Struct("<BHBqq")
_CLOCK = struct.Struct("<BHQqq")
_MUTE = struct.Struct("<BHBq")
_AT = struct.Struct("<Bq")

KEY: Final = 1
GAP: Final = 2


@dataclass(frozen=True, slots=True)
class Session:
    """A recorder process began to write. Tracks of an earlier session are over."""

    kind: ClassVar[int] = 1
    at: int
    egress_id: str


@dataclass(frozen=True, slots=True)
class Track:
    """A subscribed track. `track` numbers it within the journal; media is `audio` or `video`; source as in LiveKit
    (`camera`, `microphone`, `screen_share`, `screen_share_audio`)."""

    kind: ClassVar[int] = 2
    at: int
    track: int
    sid: str
    media: str
    codec: str
    clock_rate: int
    identity: str
    name: str
    source: str
    muted: bool


@dataclass(frozen=True, slots=True)
class Frame:
    """One encoded frame: a complete picture (VP8 frame, H264 access unit in Annex B) or an Opus packet.

    key: decoding can begin here. gap: something before it was lost. broken: the same, of a picture and on the journal's
    own disk (said by its reader, never written): nobody has asked for a key frame, so decoding goes on without.
    """

    kind: ClassVar[int] = 3
    at: int
    track: int
    rtp: int
    key: bool
    gap: bool
    payload: bytes
    broken: bool = False


@dataclass(frozen=True, slots=True)
class ClockReport:
    """An RTCP sender report (RFC 3550 6.4.1): NTP time (32.32 fixed point) at which RTP time `rtp` was sampled."""

    kind: ClassVar[int] = 4
    at: int
    track: int
    ntp: int
    rtp: int


@dataclass(frozen=True, slots=True)
class TrackEnd:
    """No more of this track."""

    kind: ClassVar[int] = 5
    at: int
    track: int


@dataclass(frozen=True, slots=True)
class Mute:
    """The publisher muted or unmuted the track."""

    kind: ClassVar[int] = 6
    at: int
    track: int
    muted: bool


@dataclass(frozen=True, slots=True)
class Speakers:
    """Who is speaking, loudest first (identities)."""

    kind: ClassVar[int] = 7
    at: int
    identities: list[str]


@dataclass(frozen=True, slots=True)
class Stop:
    """The recording ends at this time. reason: why, for people."""

    kind: ClassVar[int] = 8
    at: int
    reason: str
    limit: bool = False


@dataclass(frozen=True, slots=True)
class LayoutChange:
    """From here on, another layout."""

    kind: ClassVar[int] = 9
    at: int
    layout: str


@dataclass(frozen=True, slots=True)
class Tick:
    """Nothing happened, but time went by: lets the composer go on while everybody is muted."""

    kind: ClassVar[int] = 10
    at: int


@dataclass(frozen=True, slots=True)
class Begin:
    """Time zero of the finished file."""

    kind: ClassVar[int] = 11
    at: int


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may be seen is in the room, now under this name; or (present false) has left it."""

    kind: ClassVar[int] = 12
    at: int
    identity: str
    name: str
    present: bool = True


@dataclass(frozen=True, slots=True)
class Pause:
    """From here on nothing of the meeting is recorded, and no time passes in the file. Said again while it lasts."""

    kind: ClassVar[int] = 13
    at: int


@dataclass(frozen=True, slots=True)
class Resume:
    """The file goes on where `Pause` stopped it; video from its next key frames on."""

    kind: ClassVar[int] = 14
    at: int


@dataclass(frozen=True, slots=True)
class TimeBase:
    """Of the process that writes from here on: `at` of its records is the monotonic time of this boot of the machine
    and `offset_us`. Its own `at` is that of the newest record before it."""

    kind: ClassVar[int] = 16
    at: int
    boot: str
    offset_us: int


@dataclass(frozen=True, slots=True)
class Absence:
    """Follows the `Resume` of a pause that nobody asked for: no recorder was there, for `away_us`."""

    kind: ClassVar[int] = 17
    at: int
    away_us: int


@dataclass(frozen=True, slots=True)
class Context:
    """What is known at this point, said again for whoever cannot read all that is in front of it: at the beginning of
    every segment, and a second after something of it has changed.

    begin_at, paused_at: of `Begin`, and of the `Pause` that has not ended; 0 for none. layout: "" for that of the
    recording's beginning. tracks: those that are open. people: names by identity.
    """

    kind: ClassVar[int] = 15
    at: int
    begin_at: int
    paused_at: int
    layout: str
    tracks: list[Track]
    people: dict[str, str]


Record: TypeAlias = (
    Session
    | Track
    | Frame
    | ClockReport
    | TrackEnd
    | Mute
    | Speakers
    | Stop
    | LayoutChange
    | Tick
    | Begin
    | Person
    | Pause
    | Resume
    | Context
    | TimeBase
    | Absence
)
_TIMES: Final[dict[int, type[Tick | Begin | Pause | Resume]]] = {cls.kind: cls for cls in (Tick, Begin, Pause, Resume)}
_JSON: Final[dict[int, type[Session | Track | Speakers | Stop | LayoutChange | Person | TimeBase | Absence]]] = {
    cls.kind: cls for cls in (Session, Track, Speakers, Stop, LayoutChange, Person, TimeBase, Absence)
}
JSON_KINDS: Final = frozenset({*_JSON, Context.kind})
"""Whose body is the kind and a JSON object that begins with `at`."""
FIXED: Final = {
    ClockReport.kind: _CLOCK.size,
    TrackEnd.kind: _MUTE.size,
    Mute.kind: _MUTE.size,
    **dict.fromkeys(_TIMES, _AT.size),
}
"""Length of the body of those kinds that always have the same."""


def encode(record: Record) -> bytes:
    """Header and body."""
    match record:
        case Frame():
            flags = (KEY if record.key else 0) | (GAP if record.gap else 0)
            body = _FRAME.pack(record.kind, record.track, flags, record.rtp, record.at) + record.payload
        case ClockReport():
            body = _CLOCK.pack(record.kind, record.track, record.ntp, record.rtp, record.at)
        case Mute():
            body = _MUTE.pack(record.kind, record.track, record.muted, record.at)
        case TrackEnd():
            body = _MUTE.pack(record.kind, record.track, 0, record.at)
        case Tick() | Begin() | Pause() | Resume():
            body = _AT.pack(record.kind, record.at)
        case _:
            body = bytes([record.kind]) + json.dumps(asdict(record), separators=(",", ":")).encode()
    return HEAD.pack(len(body), zlib.crc32(body)) + body


def decode(body: bytes) -> Record | None:
    """The record of a body whose checksum was right; None for a kind that a later version added."""
    kind = body[0]
    if kind == Frame.kind:
        _, track, flags, rtp, at = _FRAME.unpack_from(body)
        return Frame(at, track, rtp, bool(flags & KEY), bool(flags & GAP), body[_FRAME.size :])
    if kind == ClockReport.kind:
        _, track, ntp, rtp, at = _CLOCK.unpack(body)
        return ClockReport(at, track, ntp, rtp)
    if kind in (Mute.kind, TrackEnd.kind):
        _, track, muted, at = _MUTE.unpack(body)
        return Mute(at, track, bool(muted)) if kind == Mute.kind else TrackEnd(at, track)
    if kind in _TIMES:
        return _TIMES[kind](_AT.unpack(body)[1])
    if kind == Context.kind:
        told = json.loads(body[1:])
        return Context(**{**told, "tracks": [Track(**track) for track in told["tracks"]]})
    cls = _JSON.get(kind)
    return cls(**json.loads(body[1:])) if cls is not None else None


def frame_track(damaged: bytes) -> int | None:
    """Of which track a frame was whose checksum is wrong; 0 when it looks like another record, None when that cannot be
    told."""
    kind = damaged[0]
    if kind == Frame.kind:
        return int(_FRAME.unpack_from(damaged)[1]) if len(damaged) >= _FRAME.size else None
    return 0 if FIXED.get(kind) == len(damaged) or (kind in JSON_KINDS and damaged[1:2] == b"{") else None
