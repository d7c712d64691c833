"""A recording as an HLS playlist of byte ranges (RFC 8216)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from .index import FragmentIndex

CONTENT_TYPE: Final = "application/vnd.apple.mpegurl"
_SEGMENT_S: Final = 4


def playlist(index: FragmentIndex, media: str) -> str:
    """The media playlist of a recording whose file is at the URI `media`.

    Version 7: its segments are fragmented MP4 (`EXT-X-MAP`) and parts of one file (`EXT-X-BYTERANGE`).
    """
    segments = list(_segments(index))
    longest = max(ticks for _, ticks in segments) / index.timescale
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        "#EXT-X-PLAYLIST-TYPE:VOD",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        # 4.3.3.1: no segment's duration, rounded, may be longer.
        f"#EXT-X-TARGETDURATION:{max(1, math.floor(longest + 0.5))}",
        f'#EXT-X-MAP:URI="{media}",BYTERANGE="{len(index.init)}@{index.init_at}"',
    ]
    at = index.first
    for length, ticks in segments:
        lines += [f"#EXTINF:{ticks / index.timescale:.5f},", f"#EXT-X-BYTERANGE:{length}@{at}", media]
        at += length
    return "\n".join([*lines, "#EXT-X-ENDLIST", ""])


def _segments(index: FragmentIndex) -> Iterator[tuple[int, int]]:
    """Fragments together until they are long enough to be worth a request: (bytes, ticks)."""
    size = duration = 0
    for length, ticks in index.fragments:
        size, duration = size + length, duration + ticks
        if duration >= _SEGMENT_S * index.timescale:
            yield size, duration
            size = duration = 0
    if size:
        yield size, duration
