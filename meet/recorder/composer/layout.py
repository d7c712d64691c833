"""Where tiles go. Pure geometry: numbers in, rectangles out; every coordinate is even, as 4:2:0 demands."""

from __future__ import annotations

from typing import Final, NamedTuple

MAX_TILES: Final = 25
MAX_STRIP: Final = 5
LAYOUTS: Final = ("grid", "speaker", "single-speaker")
_ASPECT: Final = 16 / 9


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


def _columns(width: int, height: int, count: int) -> int:
    """The columns that make 16:9 tiles largest; among equals the fewest empty places, then along the longer side."""

    def rank(columns: int) -> tuple[int, int, int]:
        rows = -(-count // columns)
        tile_w = width / columns
        tile_h = height / rows
        area = min(tile_w, tile_h * _ASPECT) ** 2
        return (round(area), -(columns * rows - count), columns if width >= height else -columns)

    return max(range(1, count + 1), key=rank)


def grid(width: int, height: int, count: int) -> list[Rect]:
    """`count` equal 16:9 tiles (at most 25), rows filled from the left, the last row centred.

    On a 1280x720 canvas the tiles of up to four people are 1280x720 or 640x360, which are simulcast layers: drawing
    them needs no scaling.
    """
    count = min(count, MAX_TILES)
    if count <= 0:
        return []
    columns = _columns(width, height, count)
    rows = -(-count // columns)
    tile_w = min(width / columns, height / rows * _ASPECT)
    w, h = _even(tile_w), _even(tile_w / _ASPECT + 0.01)
    top = _even((height - h * rows) / 2)
    rects = []
    for row in range(rows):
        in_row = min(columns, count - row * columns)
        left = _even((width - w * in_row) / 2)
        rects += [Rect(left + column * w, top + row * h, w, h) for column in range(in_row)]
    return rects


def speaker(width: int, height: int, count: int) -> list[Rect]:
    """One large tile and a strip of up to five others below it, or at the bottom of a portrait canvas."""
    if count <= 1:
        return [Rect(0, 0, width, height)][: max(count, 0)]
    others = min(count - 1, MAX_STRIP)
    strip_w = _even(width / MAX_STRIP)
    strip_h = _even(strip_w / _ASPECT + 0.01)
    stage = fit(16, 9, Rect(0, 0, width, _even(height - strip_h)))
    if height > width:
        stage = Rect(0, 0, width, _even(height - strip_h))
    left = _even((width - strip_w * others) / 2)
    top = _even(height - strip_h)
    return [stage] + [Rect(left + i * strip_w, top, strip_w, strip_h) for i in range(others)]


def rectangles(layout: str, width: int, height: int, count: int) -> list[Rect]:
    """Rectangles for the first tiles of `count`, the most important first. Raises ValueError for an unknown layout."""
    if layout == "grid":
        return grid(width, height, count)
    if layout == "speaker":
        return speaker(width, height, count)
    if layout == "single-speaker":
        return [Rect(0, 0, width, height)][: min(count, 1)]
    raise ValueError(f"unknown layout {layout!r}")
