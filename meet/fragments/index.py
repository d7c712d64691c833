"""Where the fragments of a recording are."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from .boxes import Box, Malformed, walk
from .runs import NotFragmented, Reference, Run

_FORMAT: Final = 1
_SHORTEST_S: Final = 1
"""A restless picture has a key frame every few frames; nobody needs to begin at each of them."""
_HEADER_LIMIT: Final = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class FragmentIndex:
    """All that a player has to know before the media.

    size: of the whole file, in bytes. init: `ftyp` and `moov` without samples, bytes `init_at` onwards of the file. The
    fragments follow each other from byte `first` and time `begin` on, each with its length in bytes and its duration;
    times are in 1/`timescale` s of track `track`. Each begins with a key frame of it and lasts a second at least.
    """

    size: int
    init_at: int
    init: bytes
    first: int
    begin: int
    track: int
    timescale: int
    fragments: tuple[tuple[int, int], ...]

    @property
    def duration_s(self) -> float:
        """Of all fragments."""
        return sum(ticks for _, ticks in self.fragments) / self.timescale

    def to_bytes(self) -> bytes:
        """For the store; about 15 bytes per fragment."""
        content = {
            "format": _FORMAT,
            "size": self.size,
            "initAt": self.init_at,
            "init": base64.b64encode(self.init).decode(),
            "first": self.first,
            "begin": self.begin,
            "track": self.track,
            "timescale": self.timescale,
            "fragments": self.fragments,
        }
        return json.dumps(content, separators=(",", ":")).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> FragmentIndex:
        """Raises NotFragmented for anything that `to_bytes` has not written."""
        try:
            content = json.loads(data)
            if content["format"] != _FORMAT:
                raise NotFragmented("the index is in another format")
            return cls(
                size=int(content["size"]),
                init_at=int(content["initAt"]),
                init=base64.b64decode(content["init"], validate=True),
                first=int(content["first"]),
                begin=int(content["begin"]),
                track=int(content["track"]),
                timescale=int(content["timescale"]),
                fragments=tuple((int(length), int(ticks)) for length, ticks in content["fragments"]),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise NotFragmented("the index is damaged") from error

    @classmethod
    def of(cls, path: Path) -> FragmentIndex:
        """Look into a finished file: reads its headers, not its media. Blocking. Raises NotFragmented, OSError."""
        try:
            with path.open("rb") as file:
                size = path.stat().st_size
                return _scan(file, size)
        except Malformed as error:
            raise NotFragmented(str(error)) from error


def _scan(file: BinaryIO, size: int) -> FragmentIndex:
    outer = next((box for box in walk(file, 0, size) if box.kind == b"mdat"), None)
    if outer is None:
        raise NotFragmented("there is no media")
    boxes = walk(file, outer.body, outer.end)
    ftyp, moov = next(boxes, None), next(boxes, None)
    if ftyp is None or moov is None or (ftyp.kind, moov.kind) != (b"ftyp", b"moov"):
        raise NotFragmented("the media does not begin with a header")
    init = _read(file, ftyp.start, moov.end)
    reference = Reference.of(init[moov.body - ftyp.start :])
    begins: list[tuple[int, int]] = []
    end_at = end_ticks = 0
    for at, end, run in _runs(file, boxes, reference):
        if not begins or (run.sync and run.begin - begins[-1][1] >= _SHORTEST_S * reference.timescale):
            begins.append((at, run.begin))
        end_at, end_ticks = end, max(end_ticks, run.begin + run.duration)
    if not begins:
        raise NotFragmented("there are no fragments")
    ends = [*begins[1:], (end_at, end_ticks)]
    pairs = zip(begins, ends, strict=True)
    return FragmentIndex(
        size=size,
        init_at=ftyp.start,
        init=init,
        first=begins[0][0],
        begin=begins[0][1],
        track=reference.track,
        timescale=reference.timescale,
        fragments=tuple((end - at, until - since) for (at, since), (end, until) in pairs),
    )


def _runs(file: BinaryIO, boxes: Iterator[Box], reference: Reference) -> Iterator[tuple[int, int, Run]]:
    """(offset of a fragment, offset behind it, what of the reference track is in it)."""
    for moof in boxes:
        mdat = next(boxes, None)
        if moof.kind != b"moof" or mdat is None or mdat.kind != b"mdat":
            raise NotFragmented("something else is between the fragments")
        if moof.end - moof.start > _HEADER_LIMIT:
            raise NotFragmented("a fragment is too large")
        run = reference.run(_read(file, moof.body, moof.end))
        if run is not None:
            yield moof.start, mdat.end, run


def _read(file: BinaryIO, start: int, end: int) -> bytes:
    file.seek(start)
    return file.read(end - start)
