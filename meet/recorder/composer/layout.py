"""Where tiles go. Pure geometry: numbers in, rectangles out; every coordinate is even, as 4:2:0 demands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

MAX_TILES: Final = 25
LAYOUTS: Final = ("grid", "speaker", "single-speaker")
WIDE: Final = 16 / 9
_SHAPES: Final = (WIDE, 4 / 3, 1.0, 3 / 4, 9 / 16)
_WORTH_IT: Final = 1.1
"""So much larger the pictures must become to give up the wider shape."""


class Rect(NamedTuple):
    """Left, top, width, height in pixels."""

    x: int
    y: int
    width: int
    height: int


def _even(value: float) -> int:
    return int(value) & ~1


def fit(width: int, height: int, into: Rect) -> Rect:
    """The largest rectangle of the aspect `width`:`height` centred in another."""
    if width * into.height >= height * into.width:
        w, h = into.width, into.width * height // max(width, 1)
    else:
        w, h = into.height * width // max(height, 1), into.height
    w, h = max(_even(w), 2), max(_even(h), 2)
    return Rect(into.x + _even((into.width - w) / 2), into.y + _even((into.height - h) / 2), w, h)


def _columns(width: int, height: int, count: int, aspect: float) -> int:
    """The columns that make the tiles largest; among equals the fewest empty places, then along the longer side."""

    def rank(columns: int) -> tuple[int, int, int]:
        rows = -(-count // columns)
        tile_w = width / columns
        tile_h = height / rows
        area = min(tile_w, tile_h * aspect) ** 2
        return (round(area), -(columns * rows - count), columns if width >= height else -columns)

    return max(range(1, count + 1), key=rank)


def grid(width: int, height: int, count: int, aspect: float = WIDE) -> list[Rect]:
    """`count` equal tiles of an aspect (at most 25), rows filled from the left, the last row centred.

    On a 1280x720 canvas the tiles of up to four people are 1280x720 or 640x360, which are simulcast layers: drawing
    them needs no scaling.
    """
    count = min(count, MAX_TILES)
    if count <= 0:
        return []
    columns = _columns(width, height, count, aspect)
    rows = -(-count // columns)
    tile_w = min(width / columns, height / rows * aspect)
    w, h = _even(tile_w), _even(tile_w / aspect + 0.01)
    top = _even((height - h * rows) / 2)
    rects = []
    for row in range(rows):
        in_row = min(columns, count - row * columns)
        left = _even((width - w * in_row) / 2)
        rects += [Rect(left + column * w, top + row * h, w, h) for column in range(in_row)]
    return rects


def tile_aspect(width: int, height: int, pictures: Sequence[tuple[int, int]], count: int) -> float:
    """The shape in which a grid of `count` tiles shows most of these pictures (width, height): upright for phones.

    16:9 unless another one is clearly better.
    """

    def shown(aspect: float) -> int:
        tile = grid(width, height, count, aspect)[0]
        fitted = (fit(*picture, tile) for picture in pictures)
        return sum(rect.width * rect.height for rect in fitted)

    if not pictures:
        return WIDE
    most = max(map(shown, _SHAPES))
    return next(shape for shape in _SHAPES if shown(shape) * _WORTH_IT >= most)


def strip_places(width: int, height: int) -> int:
    """How many are seen below the one on stage."""
    return 5 if width >= height else 3


def speaker(width: int, height: int, count: int) -> list[Rect]:
    """One large tile and a strip of others below it."""
    if count <= 1:
        return [Rect(0, 0, width, height)][: max(count, 0)]
    places = strip_places(width, height)
    others = min(count - 1, places)
    # In a very wide picture the strip would be higher than all of it.
    strip_w = max(min(_even(width / places), _even(height / 4 * WIDE)), 2)
    strip_h = max(_even(strip_w / WIDE + 0.01), 2)
    stage = fit(16, 9, Rect(0, 0, width, _even(height - strip_h)))
    if height > width:
        stage = Rect(0, 0, width, _even(height - strip_h))
    left = _even((width - strip_w * others) / 2)
    top = _even(height - strip_h)
    return [stage] + [Rect(left + i * strip_w, top, strip_w, strip_h) for i in range(others)]


def rectangles(layout: str, width: int, height: int, count: int, aspect: float = WIDE) -> list[Rect]:
    """Rectangles for the first tiles of `count`, the most important first; aspect: of a grid's tiles.

    Raises ValueError for an unknown layout.
    """
    if layout == "grid":
        return grid(width, height, count, aspect)
    if layout == "speaker":
        return speaker(width, height, count)
    if layout == "single-speaker":
        return [Rect(0, 0, width, height)][: min(count, 1)]
    raise ValueError(f"unknown layout {layout!r}")
