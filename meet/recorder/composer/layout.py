"""Where tiles go in each layout."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, isqrt, log, sqrt
from statistics import fmean
from typing import Final

from meet.recorder.composer.tiles import MAX_TILES, WIDE, Rect, Size, even, fit, grid, in_rows, tile_aspect

LAYOUTS: Final = ("grid", "speaker", "single-speaker")

_STAGES: Final = (32 / 9, 21 / 9, 2.0, WIDE, 16 / 10, 3 / 2, 4 / 3, 5 / 4, 1.0, 4 / 5, 3 / 4, 2 / 3, 9 / 16)
"""Few enough that pictures of almost the same shape, as simulcast layers are, have the same stage."""
_CLOSE: Final = 1.02
_HIGHEST_STAGE: Final = 3 / 4
_LARGEST_BELOW: Final = 4 / 9
"""Nobody below the stage gets more of the picture, measured by a stage of 16:9 or the stage: it is to be seen whose it
is."""
_NEATER: Final = 1.25
"""So much larger the tiles below must become to stand in more rows."""


def strip_places(width: int, height: int) -> int:
    """How many are seen below the one on stage: as many as fit below a stage of 16:9 without anybody getting less than
    3 % of the picture (18 on 9:16, 12 on a square, 5 on 4:3), five where the picture is wide.

    Of the picture's shape alone, because a composition that is taken over has to know who is seen before anything has
    been decoded."""
    if _is_wide(width, height):
        return 5
    columns = max(isqrt(75 * width // (4 * height)), 1)
    rows = int((height - min(width / WIDE, height * _HIGHEST_STAGE)) / (width / columns / WIDE))
    return max(1, min(columns * rows, MAX_TILES - 1))


def _is_wide(width: int, height: int) -> bool:
    return 2 * width >= 3 * height


def speaker(width: int, height: int, pictures: Sequence[Size | None], *, shared: bool = False) -> list[Rect]:
    """One large tile and others below it: in a row on wide pictures (from 3:2 on), in several on others.

    pictures: in order, the stage's first; None for whoever has none. shared: it is a screen on stage."""
    count = min(len(pictures), strip_places(width, height) + 1)
    if count <= 1:
        return [Rect(0, 0, width, height)][:count]
    if not _is_wide(width, height):
        return _stacked(width, height, pictures[:count], shared=shared)
    # In a very wide picture the strip would be higher than all of it.
    strip_w = max(min(even(width / 5), even(height / 4 * WIDE)), 2)
    strip_h = max(even(strip_w / WIDE + 0.01), 2)
    stage = fit(16, 9, Rect(0, 0, width, even(height - strip_h)))
    left = even((width - strip_w * (count - 1)) / 2)
    top = even(height - strip_h)
    return [stage] + [Rect(left + i * strip_w, top, strip_w, strip_h) for i in range(count - 1)]


def _stacked(width: int, height: int, pictures: Sequence[Size | None], *, shared: bool) -> list[Rect]:
    """The stage as wide as the picture and as high as what is on it needs, at most three quarters; below it rows of the
    others.

    A shared screen decides itself what it needs. Of people it is the (geometric) mean shape of all cameras that are
    seen, on stage or below, so that nothing moves when somebody else speaks: of a notebook and a phone a square."""
    cameras = [picture for picture in (pictures[1:] if shared else pictures) if picture is not None]
    staged = [pictures[0]] if shared and pictures[0] is not None else [] if shared else cameras
    stage_h = even(min(width / _stage_aspect(staged) + 0.01, height * _HIGHEST_STAGE))
    rest = Rect(0, stage_h, width, even(height - stage_h))
    largest = _LARGEST_BELOW * width * max(stage_h, width / WIDE)

    def below(aspect: float) -> list[Rect]:
        return _rows(rest, len(pictures) - 1, aspect, sqrt(largest * aspect))

    others = below(tile_aspect(cameras, lambda aspect: below(aspect)[0]))
    others_h = others[-1].y + others[-1].height - others[0].y
    top = even((height - stage_h - others_h) / 2)
    up = others[0].y - stage_h - top
    return [Rect(0, top, width, stage_h)] + [other._replace(y=other.y - up) for other in others]


def _stage_aspect(pictures: Sequence[Size]) -> float:
    if not pictures:
        return WIDE
    needed = exp(fmean(log(width / height) for width, height in pictures))
    return next((shape for shape in _STAGES if shape <= needed * _CLOSE), _STAGES[-1])


def _rows(into: Rect, count: int, aspect: float, widest: float) -> list[Rect]:
    """Tiles as large as they can be, rather in fewer rows."""

    def area(columns: int) -> float:
        rows = -(-count // columns)
        return min(into.width / columns, into.height / rows * aspect, widest) ** 2

    enough = max(map(area, range(1, count + 1))) / _NEATER
    columns = max(columns for columns in range(1, count + 1) if area(columns) >= enough)
    return in_rows(into, count, columns, aspect, widest)


def rectangles(
    layout: str, width: int, height: int, pictures: Sequence[Size | None], *, shared: bool = False
) -> list[Rect]:
    """Rectangles for the first tiles, the most important first. pictures: what is on them, None where nothing is.
    shared: the first one is a screen.

    Raises ValueError for an unknown layout.
    """
    count = len(pictures)
    if layout == "grid":
        known = [picture for picture in pictures if picture is not None]
        return grid(width, height, count, tile_aspect(known, lambda aspect: grid(width, height, count, aspect)[0]))
    if layout == "speaker":
        return speaker(width, height, pictures, shared=shared)
    if layout == "single-speaker":
        return [Rect(0, 0, width, height)][: min(count, 1)]
    raise ValueError(f"unknown layout {layout!r}")
