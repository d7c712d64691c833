"""Records in the bytes of one segment, also behind damage: one wrong byte on a disk costs one record, and nothing else.

What cannot be read is left out up to the next record whose checksum is right. Where the length still is, that is the
one behind it; else it is searched for by what the beginnings of records look like. When nothing follows any more, it is
what a crash tore.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from meet.recorder.journal.records import FIXED, HEAD, JSON_KINDS, MAGIC, MAX_BODY, Frame, Record, decode, frame_track

_SLACK_US: Final = 120_000_000
"""So much earlier than what is in front of the damage may a record be that is found by searching: what a file system
left over from another recording is not of this one."""
_LONGEST_HEAD: Final = 32


def _heads() -> re.Pattern[bytes]:
    """Length, checksum, kind, and what else is always the same."""
    fixed = [re.escape(size.to_bytes(4, "little")) + b".{4}" + re.escape(bytes([kind])) for kind, size in FIXED.items()]
    frame = b".{3}\\0.{4}" + re.escape(bytes([Frame.kind])) + b"..[\\0-\\3].{15}\\0"  # times are below 2^56 µs
    text = b".{3}\\0.{4}[" + re.escape(bytes(sorted(JSON_KINDS))) + b"]" + re.escape(b'{"at":')
    return re.compile(b"|".join([frame, text, *fixed]), re.DOTALL)


_HEADS: Final = _heads()


@dataclass(frozen=True, slots=True)
class Lost:
    """So many bytes in front of the next record are none any more. track: of which it was a frame; 0 when it was none,
    None when nobody knows."""

    size: int
    track: int | None


class Scanner:
    """Fed with the segment as it grows. since: `at` of the newest record in front of it, 0 for none."""

    def __init__(self, since: int = 0) -> None:
        self.since = since
        self._buffer = b""
        self._at = 0
        self._begun = self._searching = False
        self._skipped = 0
        """Of the damage that is being searched, what is not in the buffer any more, or in front of `_at`."""

    def feed(self, data: bytes) -> Iterator[Record | Lost]:
        """The next bytes; everything that is whole by then."""
        self._buffer, self._at = self._buffer[self._at :] + data, 0
        return self._all(final=False)

    def end(self, *, complete: bool) -> Iterator[Record | Lost]:
        """There are no more bytes. complete: nor should there be, so what is left over is damage and no torn tail."""
        yield from self._all(final=True)
        rest = self._skipped + len(self._buffer) - self._at
        if rest and complete:
            yield Lost(rest, None)

    def _all(self, *, final: bool) -> Iterator[Record | Lost]:
        if not self._begun:
            if len(self._buffer) < len(MAGIC) and not final:
                return
            self._begun = True
            self._searching = not self._buffer.startswith(MAGIC)
            self._at = 0 if self._searching else len(MAGIC)
        while True:
            if not self._searching:
                yield from self._records()
                if self._at == len(self._buffer) or (not final and self._whole(self._at) is None):
                    return
            lost = self._search(final) if self._searching else self._skip(final)
            if lost is None:
                return
            yield lost

    def _records(self) -> Iterator[Record]:
        """Those that are whole and right, up to the first that is not."""
        buffer, at, size = self._buffer, self._at, len(self._buffer)
        record: Record | None = None
        while size - at >= HEAD.size:
            length, checksum = HEAD.unpack_from(buffer, at)
            end = at + HEAD.size + length
            if end > size or not 0 < length <= MAX_BODY:
                break
            body = buffer[at + HEAD.size : end]
            if zlib.crc32(body) != checksum:
                break
            at = end
            known = decode(body)
            if known is not None:
                record = known
                yield known
        self._at = at
        if record is not None:
            self.since = max(self.since, record.at)

    def _whole(self, at: int) -> bool | None:
        """Whether a record begins there; None when its end is not here yet."""
        buffer = self._buffer
        if len(buffer) - at < HEAD.size:
            return None
        length, checksum = HEAD.unpack_from(buffer, at)
        end = at + HEAD.size + length
        if not 0 < length <= MAX_BODY:
            return False
        return zlib.crc32(buffer[at + HEAD.size : end]) == checksum if end <= len(buffer) else None

    def _skip(self, final: bool) -> Lost | None:
        """By its length, if that is right; else begin to search. None when that needs more bytes."""
        at = self._at
        length, _ = HEAD.unpack_from(self._buffer, at) if len(self._buffer) - at >= HEAD.size else (0, 0)
        end = at + HEAD.size + length
        if 0 < length <= MAX_BODY:
            following = self._whole(end) if end <= len(self._buffer) else None
            if following:
                self._at = end
                return Lost(end - at, frame_track(self._buffer[at + HEAD.size : end]))
            if following is None and not final:
                return None
        self._searching = True
        self._at, self._skipped = at + 1, 1
        return self._search(final)

    def _search(self, final: bool) -> Lost | None:
        """To the next record. None when there is none in what is here."""
        buffer, place = self._buffer, self._at
        while (head := _HEADS.search(buffer, place)) is not None:
            place = head.start()
            whole = self._whole(place)
            if whole and self._fits(place):
                lost = Lost(self._skipped + place - self._at, None)
                self._at, self._skipped, self._searching = place, 0, False
                return lost
            if whole is None and not final:
                break
            place += 1
        else:
            place = max(place, len(buffer) - (0 if final else _LONGEST_HEAD))
        self._skipped += place - self._at
        self._at = place
        return None

    def _fits(self, at: int) -> bool:
        length, _ = HEAD.unpack_from(self._buffer, at)
        record = decode(self._buffer[at + HEAD.size : at + HEAD.size + length])
        return record is not None and record.at >= self.since - _SLACK_US
