"""Pictures of any matrix and range become those of the canvas: BT.601, limited (ITU-R BT.601 2.5, BT.709 3)."""

from __future__ import annotations

import av
import numpy as np
import pytest
from av.video.reformatter import ColorRange

from meet.recorder.composer.canvas import Canvas, Scaler, planes
from meet.recorder.composer.tiles import Rect

BT709, BT601, BT2020, YCGCO, UNKNOWN = 1, 6, 9, 8, 2
LIMITED, FULL, UNSAID = ColorRange.MPEG, ColorRange.JPEG, ColorRange.UNSPECIFIED


def plain(kind: str, matrix: int, how_far: ColorRange, colour: tuple[int, int, int]) -> av.VideoFrame:
    """One colour, with what a decoder says of it."""
    frame = av.VideoFrame(320, 180, kind)
    for plane, value in zip(frame.planes, colour, strict=True):
        plane.update(np.full(plane.buffer_size, value, np.uint8).tobytes())
    frame.colorspace, frame.color_range = matrix, how_far
    return frame


@pytest.mark.parametrize("size", [(320, 180), (640, 360)], ids=["as it is", "larger"])
@pytest.mark.parametrize(
    ("kind", "matrix", "how_far", "colour", "seen"),
    [
        ("yuv420p", UNKNOWN, UNSAID, (100, 90, 200), (100, 90, 200)),
        ("yuv420p", BT601, LIMITED, (100, 90, 200), (100, 90, 200)),
        ("yuvj420p", BT709, FULL, (16, 128, 128), (30, 128, 128)),
        ("yuvj420p", UNKNOWN, UNSAID, (250, 128, 128), (231, 128, 128)),
        ("yuv420p", BT709, FULL, (250, 128, 128), (231, 128, 128)),
        ("yuv420p", BT601, FULL, (0, 128, 255), (16, 128, 240)),
        ("yuv420p", BT709, LIMITED, (63, 102, 240), (81, 90, 240)),
        ("yuv420p", BT2020, LIMITED, (74, 97, 240), (81, 90, 240)),
        ("yuv444p", BT709, LIMITED, (63, 102, 240), (81, 90, 240)),
        ("gbrp", 0, FULL, (0, 0, 255), (81, 90, 240)),
        ("yuv420p", YCGCO, LIMITED, (100, 90, 200), (100, 90, 200)),
    ],
)
def test_colours_are_those_that_were_sent(
    kind: str,
    matrix: int,
    how_far: ColorRange,
    colour: tuple[int, int, int],
    seen: tuple[int, int, int],
    size: tuple[int, int],
) -> None:
    """Chromium sends H264 of a page's canvas, and phones that of their cameras, in full range and BT.709. What no
    conversion is known for is drawn as it is."""
    canvas = Canvas(*size)
    Scaler().draw(plain(kind, matrix, how_far, colour), canvas.views(Rect(0, 0, *size)))
    assert [int(plane[40, 40]) for plane in planes(canvas.frame)] == pytest.approx(seen, abs=1)
