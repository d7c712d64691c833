"""A recording as a fragmented MP4 that begins with its index, for players that read from the front.

A `moov` of six hours is 7 MB that a browser has to fetch before the first picture; the same as a segment index (`sidx`,
ISO/IEC 14496-12 8.16.3), one per track, is 260 KB. Nothing is copied: behind that header come the very bytes of the
stored file.
"""

from __future__ import annotations

from typing import Final

from .boxes import box, find, inside
from .index import FragmentIndex

MOST: Final = 0xFFFF
"""References that one `sidx` can hold."""
_SAP: Final = 1 << 31 | 1 << 28  # starts with a stream access point of type 1


_LATER_S: Final = 0.2
"""More than one packet of sound lasts (1024 samples at 8 kHz: 128 ms)."""


def header(index: FragmentIndex) -> bytes:
    """What stands in front of the stored file's bytes from `index.first` on. Raises Malformed.

    Every track has its `sidx`. libav, and so Chromium, looks for the packet of sound before the picture that it seeks,
    which is in the fragment before: with no times of its own for sound it takes a packet it has seen already and reads
    on from there. So the other tracks' are said to begin later than their packets can.
    """
    references = _grouped(index.fragments)
    others = [track for track in _tracks(index) if track != index.track]
    boxes = b""
    for track in [*others, index.track]:
        begin = index.begin + (round(_LATER_S * index.timescale) if track != index.track else 0)
        boxes = _sidx(track, index.timescale, begin, len(boxes), references) + boxes
    return _with_duration(index) + boxes


def _sidx(track: int, timescale: int, begin: int, distance: int, references: list[tuple[int, int]]) -> bytes:
    """distance: bytes from its end to the first reference."""
    entries = [length.to_bytes(4) + ticks.to_bytes(4) + _SAP.to_bytes(4) for length, ticks in references]
    return box(
        b"sidx",
        (1 << 24).to_bytes(4),  # version 1
        track.to_bytes(4),
        timescale.to_bytes(4),
        begin.to_bytes(8),
        distance.to_bytes(8),
        bytes(2),  # reserved
        len(entries).to_bytes(2),
        *entries,
    )


def _tracks(index: FragmentIndex) -> list[int]:
    """Ids of all tracks: `tkhd` of each `trak` (8.3.2)."""
    _, moov = list(inside(index.init))[:2]
    content = index.init[moov.body : moov.end]
    headers = [find(content[part.body : part.end], b"tkhd") for part in inside(content) if part.kind == b"trak"]
    return [int.from_bytes(found[20:24] if found[0] else found[12:16]) for found in headers]


def length(index: FragmentIndex) -> int:
    """Bytes of the stored file that follow the header, from `index.first` on."""
    return sum(size for size, _ in index.fragments)


def _grouped(fragments: tuple[tuple[int, int], ...]) -> list[tuple[int, int]]:
    """As many references as fit: in a very long recording each stands for several fragments."""
    several = -(-len(fragments) // MOST)
    groups = [fragments[at : at + several] for at in range(0, len(fragments), several)]
    return [(sum(length for length, _ in group), sum(ticks for _, ticks in group)) for group in groups]


def _with_duration(index: FragmentIndex) -> bytes:
    """`ftyp` and `moov` with the duration of the whole in `mehd`, where players look for it."""
    ftyp, moov = list(inside(index.init))[:2]
    content = index.init[moov.body : moov.end]
    movie = find(content, b"mvhd")
    timescale = int.from_bytes(movie[20:24] if movie[0] else movie[12:16])
    mehd = box(b"mehd", (1 << 24).to_bytes(4), round(index.duration_s * timescale).to_bytes(8))
    parts = [
        box(b"mvex", mehd, content[part.body : part.end]) if part.kind == b"mvex" else content[part.start : part.end]
        for part in inside(content)
    ]
    return index.init[: ftyp.end] + box(b"moov", *parts)
