"""The picture being composed: one YUV420P frame for the whole recording, drawn in place."""

from __future__ import annotations

import zlib
from typing import Final

import av
import numpy as np
import numpy.typing as npt
from av.video.reformatter import Interpolation, VideoReformatter

from meet.recorder.composer.layout import Rect, fit

Plane = npt.NDArray[np.uint8]
_BLACK: Final = (16, 128, 128)
_TILE_LUMA: Final = 44
_FIGURE_LUMA: Final = 150


def planes(frame: av.VideoFrame) -> tuple[Plane, Plane, Plane]:
    """Writable views of a yuv420p frame's planes, padding cut off."""
    views = []
    for plane in frame.planes:
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
        views.append(rows[: plane.height, : plane.width])
    return views[0], views[1], views[2]


class Scaler:
    """Fits pictures of one track into rectangles; cheap when the size is right already."""

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()

    def scale(self, picture: av.VideoFrame, width: int, height: int) -> av.VideoFrame:
        """The picture as yuv420p of this size."""
        if picture.format.name == "yuv420p" and (picture.width, picture.height) == (width, height):
            return picture
        # threads=1: swscale's own threads cost 18-70 % more CPU at these sizes.
        return self._reformatter.reformat(
            picture, width, height, "yuv420p", interpolation=Interpolation.BILINEAR, threads=1
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
        self._fill(Rect(0, 0, self.width, self.height), _BLACK)

    def draw(self, picture: av.VideoFrame, into: Rect, scaler: Scaler) -> Rect:
        """Draw the picture as large as its aspect allows; returns where it went (the rest of `into` is untouched)."""
        # A few pixels off the tile's aspect are stretched rather than framed in hairlines.
        close = abs(picture.width * into.height - picture.height * into.width) * 50 < picture.width * into.height
        target = into if close else fit(picture.width, picture.height, into)
        scaled = scaler.scale(picture, target.width, target.height)
        for number, (mine, theirs) in enumerate(zip(self._planes, planes(scaled), strict=True)):
            shift = 1 if number else 0
            x, y, w, h = (value >> shift for value in target)
            mine[y : y + h, x : x + w] = theirs[:h, :w]
        return target

    def blank(self, into: Rect) -> None:
        """Black rectangle."""
        self._fill(into, _BLACK)

    def placeholder(self, into: Rect, identity: str) -> None:
        """A person without picture: a head and shoulders on a tint that belongs to the identity."""
        hue = zlib.crc32(identity.encode()) / 2**32 * 2 * np.pi
        tint = (int(128 + 22 * np.cos(hue)), int(128 + 22 * np.sin(hue)))
        self._fill(into, (_TILE_LUMA, *tint))
        rows, columns = np.mgrid[0 : into.height, 0 : into.width].astype(np.float32)
        size = min(into.width, into.height)
        x, y = (columns - into.width / 2) / size, (rows - into.height / 2) / size
        head = x**2 + (y + 0.12) ** 2 < 0.13**2
        shoulders = (x / 0.24) ** 2 + ((y - 0.30) / 0.24) ** 2 < 1.0
        figure = head | (shoulders & (y < 0.30))
        luma = self._planes[0][into.y : into.y + into.height, into.x : into.x + into.width]
        luma[figure] = _FIGURE_LUMA

    def _fill(self, rect: Rect, colour: tuple[int, int, int]) -> None:
        for number, (plane, value) in enumerate(zip(self._planes, colour, strict=True)):
            shift = 1 if number else 0
            x, y, w, h = (side >> shift for side in rect)
            plane[y : y + h, x : x + w] = value
