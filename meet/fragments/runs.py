"""Headers of fragments: when they begin, how long they are, whether playing can begin there (ISO/IEC 14496-12 8.8)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from .boxes import Malformed, find, inside

_NOT_SYNC: Final = 0x10000  # of sample flags, 8.8.3.1

# tfhd
_BASE_OFFSET: Final = 0x1
_DESCRIPTION: Final = 0x2
_DURATION: Final = 0x8
_SIZE: Final = 0x10
_FLAGS: Final = 0x20
# trun
_DATA_OFFSET: Final = 0x1
_FIRST_FLAGS: Final = 0x4
_EACH: Final = {"duration": 0x100, "size": 0x200, "flags": 0x400, "offset": 0x800}


class NotFragmented(Exception):
    """There are no fragments in this file, or none that can be played on their own."""


@dataclass(frozen=True, slots=True)
class Run:
    """The samples of one track in a fragment: times in the track's units; sync: the first one is a key frame."""

    begin: int
    duration: int
    sync: bool


@dataclass(frozen=True, slots=True)
class Reference:
    """The track by which a file is cut: its picture, or its only track. Defaults are those of `trex`."""

    track: int
    timescale: int
    duration: int
    flags: int

    @classmethod
    def of(cls, moov: bytes) -> Reference:
        """moov: content of the box. Raises Malformed, NotFragmented."""
        tracks = [moov[box.body : box.end] for box in inside(moov) if box.kind == b"trak"]
        pictures = [trak for trak in tracks if find(trak, b"mdia", b"hdlr")[8:12] == b"vide"]
        if not tracks:
            raise NotFragmented("there is no track")
        trak = (pictures or tracks)[0]
        if any(find(trak, b"mdia", b"minf", b"stbl", b"stsz")[8:12]):
            raise NotFragmented("the header has samples of its own")
        head, media = find(trak, b"tkhd"), find(trak, b"mdia", b"mdhd")
        track = _number(head, 20 if head[0] else 12)
        for box in inside(extends := find(moov, b"mvex")):
            trex = extends[box.body : box.end]
            if box.kind == b"trex" and _number(trex, 4) == track:
                timescale = _number(media, 20 if media[0] else 12)
                return cls(track, timescale, duration=_number(trex, 12), flags=_number(trex, 20))
        raise NotFragmented("the header promises no fragments")

    def run(self, moof: bytes) -> Run | None:
        """moof: content of the box; None when it has nothing of this track. Raises Malformed, NotFragmented."""
        for box in inside(moof):
            traf = moof[box.body : box.end]
            if box.kind == b"traf" and _number(find(traf, b"tfhd"), 4) == self.track:
                return self._run(traf)
        return None

    def _run(self, traf: bytes) -> Run:
        head = find(traf, b"tfhd")
        flags, at = _number(head, 0) & 0xFFFFFF, 8
        if flags & _BASE_OFFSET:
            raise NotFragmented("the fragments depend on their place in the file")
        default_duration, default_flags = self.duration, self.flags
        at += 4 * bool(flags & _DESCRIPTION)
        if flags & _DURATION:
            default_duration, at = _number(head, at), at + 4
        at += 4 * bool(flags & _SIZE)
        if flags & _FLAGS:
            default_flags = _number(head, at)
        time = find(traf, b"tfdt")
        duration, first_flags = 0, None
        for box in inside(traf):
            if box.kind == b"trun":
                added, first = _trun(traf[box.body : box.end], default_duration, default_flags)
                duration += added
                first_flags = first if first_flags is None else first_flags
        if first_flags is None:
            raise Malformed("a fragment has no samples")
        begin = int.from_bytes(time[4:12]) if time[0] else _number(time, 4)
        return Run(begin, duration, not first_flags & _NOT_SYNC)


def _trun(data: bytes, default_duration: int, default_flags: int) -> tuple[int, int]:
    """(duration of the samples, flags of the first)."""
    flags, count = _number(data, 0) & 0xFFFFFF, _number(data, 4)
    at = 8 + 4 * bool(flags & _DATA_OFFSET)
    first_flags = default_flags
    if flags & _FIRST_FLAGS:
        first_flags, at = _number(data, at), at + 4
    present = [name for name, bit in _EACH.items() if flags & bit]
    step = 4 * len(present)
    if len(data) < at + count * step:
        raise Malformed("a fragment is longer than its header")
    if "flags" in present and not flags & _FIRST_FLAGS:
        first_flags = _number(data, at + 4 * present.index("flags"))
    if "duration" not in present:
        return count * default_duration, first_flags
    return sum(_number(data, at + step * sample) for sample in range(count)), first_flags


def _number(data: bytes, at: int) -> int:
    if len(data) < at + 4:
        raise Malformed("a box is too short")
    return int.from_bytes(data[at : at + 4])
