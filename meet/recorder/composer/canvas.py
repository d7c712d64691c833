"""The picture being composed: one YUV420P frame for the whole recording, drawn in place."""

from __future__ import annotations

from typing import Final

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

from meet.recorder.composer import overlay, rows
from meet.recorder.composer.overlay import Overlay, Planes, Stamp
from meet.recorder.composer.tiles import Rect, fit

_BLACK: Final = (16, 128, 128)
_EMPTY_TILE: Final = (44, 130, 126)
_BADGE: Final = 0.42
_MATRICES: Final = {
    1: Colorspace.ITU709,
    4: Colorspace.FCC,
    7: Colorspace.SMPTE240M,
    9: Colorspace.BT2020,
    10: Colorspace.BT2020,
}
"""By H.273 table 4; everything else is drawn as what the canvas has: BT.601, and not full range."""


def planes(frame: av.VideoFrame) -> Planes:
    """Writable views of a yuv420p frame's planes, padding cut off."""
    views = []
    for plane in frame.planes:
        lines = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
        views.append(lines[: plane.height, : plane.width])
    return views[0], views[1], views[2]


class Scaler:
    """Fits pictures of one track into rectangles; cheap when size and colours are right already."""

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()

    def draw(self, picture: av.VideoFrame, into: Planes) -> None:
        """The picture over these planes, in their size."""
        height, width = into[0].shape
        scaled = self._scale(picture, width, height)
        for mine, theirs in zip(into, scaled.planes, strict=True):
            rows.copy(mine, theirs, theirs.line_size)

    def _scale(self, picture: av.VideoFrame, width: int, height: int) -> av.VideoFrame:
        kind = picture.format.name
        matrix = _MATRICES.get(picture.colorspace, Colorspace.ITU601)
        full = picture.color_range == ColorRange.JPEG or kind.startswith("yuvj")
        like_canvas = kind == "yuv420p" and not full and matrix == Colorspace.ITU601
        if like_canvas and (picture.width, picture.height) == (width, height):
            return picture
        # threads=1: swscale's own threads cost 18-70 % more CPU at these sizes.
        return self._reformatter.reformat(
            picture,
            width,
            height,
            "yuv420p",
            src_colorspace=matrix,
            dst_colorspace=Colorspace.ITU601,
            src_color_range=ColorRange.JPEG if full else ColorRange.MPEG,
            dst_color_range=ColorRange.MPEG,
            interpolation=Interpolation.BILINEAR,
            threads=1,
        )


class Canvas:
    """`frame` is what goes to the encoder, which copies it."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.frame = av.VideoFrame(width, height, "yuv420p")
        self._planes = planes(self.frame)
        self.clear()

    def clear(self) -> None:
        """All black."""
        self.blank(Rect(0, 0, self.width, self.height))

    @staticmethod
    def target(picture: av.VideoFrame, into: Rect) -> Rect:
        """Where the picture goes: as large as its aspect allows."""
        # A few pixels off the tile's aspect are stretched rather than framed in hairlines.
        close = abs(picture.width * into.height - picture.height * into.width) * 50 < picture.width * into.height
        return into if close else fit(picture.width, picture.height, into)

    def views(self, rect: Rect) -> Planes:
        """The planes of a rectangle, to be written to."""
        y, u, v = (
            plane[rect.y >> shift : (rect.y + rect.height) >> shift, rect.x >> shift : (rect.x + rect.width) >> shift]
            for plane, shift in zip(self._planes, (0, 1, 1), strict=True)
        )
        return y, u, v

    def blank(self, into: Rect) -> None:
        """Black rectangle."""
        self._fill(into, _BLACK)

    def placeholder(self, into: Rect, identity: str, name: str) -> None:
        """A person without picture: the initials on a disc."""
        self.blank(into)
        self._fill(Rect(into.x + 2, into.y + 2, into.width - 4, into.height - 4), _EMPTY_TILE)  # apart from the next
        disc = overlay.badge(identity, name, round(min(into.width, into.height) * _BADGE))
        left = (into.x + (into.width - disc.width) // 2) & ~1
        self.stamp(disc, left, (into.y + (into.height - disc.height) // 2) & ~1).blend()

    def stamp(self, what: Overlay, x: int, y: int) -> Stamp:
        """An overlay with its corner at (x, y), both even; in a tiny picture as much of it as there is room for."""
        return Stamp(what, self.views(Rect(max(x, 0), max(y, 0), what.width, what.height)))

    def _fill(self, rect: Rect, colour: tuple[int, int, int]) -> None:
        for view, value in zip(self.views(rect), colour, strict=True):
            view[:] = value
