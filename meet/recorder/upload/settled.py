"""How much of a file that a muxer is writing is final.

Measured with FFmpeg 8.1 (`hybrid_fragmented` MP4, WebM with clusters of bounded time, Ogg): all only append while they
grow, whole fragments, whole clusters, whole pages. At the end the MP4 muxer rewrites bytes 28 to 43 (a `free` box
becomes the header of one `mdat` over everything) and appends the `moov`; the WebM muxer rewrites sizes, seek head and
duration in front of the first cluster (bytes 40 to 600) and appends the cues. So all up to the end of the last whole
fragment stays, except for these few bytes.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from meet.fragments import boxes

_SEGMENT: Final = 0x18538067
_CLUSTER: Final = 0x1F43B675
_LONGEST_HEADER: Final = 16
_PAGE_HEADER: Final = 27
_PAGE_SEGMENTS: Final = 255


class Settled:
    """Looks at a growing file again and again, each time only at what is new. container: "mp4", "webm" or "ogg"."""

    def __init__(self, path: Path, container: str, left: int = 0) -> None:
        """left: the length in which another process has left the file. As long as it has that, the end of it may still
        be written anew by who goes on with it."""
        self._path, self._left = path, left
        self._read, self._longest = _READERS[container]
        self._at = self._end = 0

    def bytes(self) -> int:
        """Bytes that are final by now; 0 when there are none, or none yet, or the file is a shorter one than before.

        Blocking."""
        try:
            with self._path.open("rb") as file:
                size = os.fstat(file.fileno()).st_size
                if size < self._at or size == self._left:
                    return 0
                while (step := self._read(os.pread(file.fileno(), self._longest, self._at))) is not None:
                    length, media = step
                    if self._at + length > size:
                        break
                    self._at += length
                    if media:
                        self._end = self._at
        except FileNotFoundError:
            return 0
        return self._end


def _box(head: bytes) -> tuple[int, bool] | None:
    """(length, whether it holds media) of an ISO box; None while its header is not there, or its length not known."""
    kind, body, size = boxes.header(head) or (b"", 8, 0)
    return (size, kind == b"mdat") if size >= body else None


def _element(head: bytes) -> tuple[int, bool] | None:
    """The same of an EBML element, RFC 8794 4-5. A segment counts only as its own header: what is in it comes next."""
    if not head or not head[0]:
        return None
    width = 9 - head[0].bit_length()
    if len(head) <= width or not head[width]:
        return None
    kind = int.from_bytes(head[:width])
    length = 9 - head[width].bit_length()
    if len(head) < width + length:
        return None
    if kind == _SEGMENT:
        return width + length, False
    size = int.from_bytes(head[width : width + length]) & ((1 << 7 * length) - 1)
    if size == (1 << 7 * length) - 1:
        return None  # of unknown size, so never known to be whole
    return width + length + size, kind == _CLUSTER


def _page(head: bytes) -> tuple[int, bool] | None:
    """The same of an Ogg page, RFC 3533 6: its header ends with the lengths of the segments that follow."""
    if len(head) < _PAGE_HEADER or not head.startswith(b"OggS"):
        return None
    behind = _PAGE_HEADER + head[_PAGE_HEADER - 1]
    if len(head) < behind:
        return None
    # The first two have no time: identification and comments (RFC 7845 3).
    return behind + sum(head[_PAGE_HEADER:behind]), any(head[6:14])


_READERS: Final = {
    "mp4": (_box, _LONGEST_HEADER),
    "webm": (_element, _LONGEST_HEADER),
    "ogg": (_page, _PAGE_HEADER + _PAGE_SEGMENTS),
}
