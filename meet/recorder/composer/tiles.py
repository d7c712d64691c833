"""Rectangles and equal tiles. Pure geometry: numbers in, rectangles out; every coordinate is even, as 4:2:0 demands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

MAX_TILES: Final = 25
WIDE: Final = 16 / 9
_SHAPES: Final = (WIDE, 4 / 3, 1.0, 3 / 4, 9 / 16)
_WORTH_IT: Final = 1.1
"""So much larger the pictures must become to give up the wider shape."""

Size = tuple[int, int]
"""Width and height in pixels."""


class Rect(NamedTuple):
    """Left, top, width, height in pixels."""

    x: int
    y: int
    width: int
    height: int


def even(value: float) -> int:
    """Rounded down to an even number."""
    return int(value) & ~1


def fit(width: int, height: int, into: Rect) -> Rect:
    """The largest rectangle of the aspect `width`:`height` centred in another."""
    if width * into.height >= height * into.width:
        w, h = into.width, into.width * height // max(width, 1)
    else:
        w, h = into.height * width // max(height, 1), into.height
    w, h = max(even(w), 2), max(even(h), 2)
    return Rect(into.x + even((into.width - w) / 2), into.y + even((into.height - h) / 2), w, h)


def _columns(width: int, height: int, count: int, aspect: float) -> int:
    """The columns that make the tiles largest; among equals the fewest empty places, then along the longer side."""

    def rank(columns: int) -> tuple[int, int, int]:
        rows = -(-count // columns)
        tile_w = width / columns
        tile_h = height / rows
        area = min(tile_w, tile_h * aspect) ** 2
        return (round(area), -(columns * rows - count), columns if width >= height else -columns)

    return max(range(1, count + 1), key=rank)


def in_rows(into: Rect, count: int, columns: int, aspect: float, widest: float) -> list[Rect]:
    """Equal tiles of an aspect, centred: rows filled from the left, the last row centred."""
    rows = -(-count // columns)
    tile_w = min(into.width / columns, into.height / rows * aspect, widest)
    w, h = max(even(tile_w), 2), max(even(tile_w / aspect + 0.01), 2)
    top = into.y + even((into.height - h * rows) / 2)
    rects = []
    for row in range(rows):
        in_row = min(columns, count - row * columns)
        left = into.x + even((into.width - w * in_row) / 2)
        rects += [Rect(left + column * w, top + row * h, w, h) for column in range(in_row)]
    return rects


def grid(width: int, height: int, count: int, aspect: float = WIDE) -> list[Rect]:
    """`count` equal tiles of an aspect (at most 25), as large as they can be.

    On a 1280x720 canvas the tiles of up to four people are 1280x720 or 640x360, which are simulcast layers: drawing
    them needs no scaling.
    """
    count = min(count, MAX_TILES)
    if count <= 0:
        return []
    columns = _columns(width, height, count, aspect)
    return in_rows(Rect(0, 0, width, height), count, columns, aspect, width)


def tile_aspect(pictures: Sequence[Size], tile: Callable[[float], Rect]) -> float:
    """The shape in which tiles show most of these pictures: upright for phones. 16:9 unless another one is clearly
    better. tile: what a tile of an aspect is like."""

    def shown(aspect: float) -> int:
        into = tile(aspect)
        fitted = (fit(*picture, into) for picture in pictures)
        return sum(rect.width * rect.height for rect in fitted)

    if not pictures:
        return WIDE
    most = max(map(shown, _SHAPES))
    return next(shape for shape in _SHAPES if shown(shape) * _WORTH_IT >= most)
