"""Names and initials as overlays: rendered once, blended onto the canvas in a few microseconds."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Self

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from meet.recorder.composer import rows, text
from meet.recorder.composer.rows import Layer, Plane
from meet.recorder.composer.text import Mask

Colour = tuple[int, int, int]
Planes = tuple[Plane, Plane, Plane]
"""Y, U and V of a picture or of a part of it."""
Coverage = npt.NDArray[np.float32]
"""Rows x columns, 0 to 1."""

_WHITE: Final[Colour] = (235, 128, 128)
_BLACK: Final[Colour] = (16, 128, 128)
_SHADE: Final = 0.55
_SUPERSAMPLING: Final = 4
_MIN_TEXT_PX: Final = 11
_MAX_TEXT_PX: Final = 30
_WRITTEN_FIRST: Final = "เแโใไເແໂໃໄ"


@dataclass(frozen=True, eq=False)
class Overlay:
    """What lies over a rectangle of the canvas, of even size. Per plane: new = (old * keep + add) / 256."""

    width: int
    height: int
    keep: tuple[Layer, Layer, Layer]
    add: tuple[Layer, Layer, Layer]

    @classmethod
    def of(cls, *layers: tuple[Coverage, Colour]) -> Self:
        """From masks (0 to 1, all of one even size), the lowest first, each in one YUV colour."""
        height, width = layers[0][0].shape
        keeps, adds = [], []
        for plane in range(3):
            keep = np.ones((height, width) if plane == 0 else (height // 2, width // 2), np.float32)
            add = np.zeros_like(keep)
            for mask, colour in layers:
                part = mask if plane == 0 else mask.reshape(height // 2, 2, width // 2, 2).mean(axis=(1, 3))
                keep, add = keep * (1 - part), add * (1 - part) + part * colour[plane]
            keeps.append(np.rint(keep * 256).astype(np.uint16))
            adds.append(np.rint(add * 256).astype(np.uint16))
        return cls(width, height, (keeps[0], keeps[1], keeps[2]), (adds[0], adds[1], adds[2]))


class Stamp:
    """An overlay above one rectangle of a canvas, to be blended again whenever that has been drawn over."""

    def __init__(self, overlay: Overlay, views: Planes) -> None:
        """views: the rectangle's planes, of the overlay's size; what of it lies outside of the canvas is cut off."""
        self._parts = [
            (view, keep[: view.shape[0], : view.shape[1]], add[: view.shape[0], : view.shape[1]])
            for view, keep, add in zip(views, overlay.keep, overlay.add, strict=True)
        ]

    def blend(self) -> None:
        """Once, over what is there."""
        for view, keep, add in self._parts:
            rows.blend(view, keep, add)


def _even(value: float) -> int:
    return int(value) // 2 * 2


def _coverage(mask: Mask) -> Coverage:
    return mask.astype(np.float32) / np.float32(255)


def _rounded(width: int, height: int, radius: float) -> Coverage:
    """An antialiased rounded rectangle, 0 to 1."""
    scale = _SUPERSAMPLING
    image = Image.new("L", (width * scale, height * scale))
    box = (0, 0, width * scale - 1, height * scale - 1)
    ImageDraw.Draw(image).rounded_rectangle(box, radius=radius * scale, fill=255)
    return _coverage(np.asarray(image.resize((width, height), Image.Resampling.BOX), np.uint8))


@lru_cache(maxsize=128)
def label(name: str, tile_width: int, tile_height: int) -> Overlay | None:
    """The name on a dark pill, for a tile of this size; None when nothing of it would be readable."""
    size = max(_MIN_TEXT_PX, min(_MAX_TEXT_PX, round(tile_height * 0.048)))
    padding = round(size * 0.55)
    written = text.shorten(text.shown(name), size, _even(tile_width * 0.8) - 2 * padding)
    if not text.readable(written) or tile_height < 4 * size:
        return None
    width = _even(text.width(written, size) + 2 * padding + 1)
    height = _even(size * 1.65 + 1)
    letters = text.draw(width, height, written, size, padding, round(height / 2 + size * 0.355))
    pill = _rounded(width, height, size * 0.4) * np.float32(_SHADE)
    return Overlay.of((pill, _BLACK), (_coverage(letters), _WHITE))


def initials(name: str) -> str:
    """The first letter of the first and of the last word, upper case; of names without letters, the first sign that a
    font has."""
    firsts = [letter for word in text.clean(name).split() if (letter := _first_letter(word))]
    if not firsts:
        return next((sign for sign in text.clean(name) if text.readable(sign)), "")
    return text.side_by_side(firsts[0], firsts[-1]) if len(firsts) > 1 else firsts[0]


def _first_letter(word: str) -> str:
    letters = [sign for sign in word if sign.isalnum()]
    # Thai and Lao write some vowels in front of the consonant that they follow; abbreviations go by the consonant.
    first = next((letter for letter in letters if letter not in _WRITTEN_FIRST), "".join(letters[:1]))
    return first.upper() if len(first.upper()) == 1 else first  # one sign: the capital of a sharp s is two


def tint(identity: str) -> Colour:
    """A colour that belongs to the identity, equally bright for everybody."""
    hue = zlib.crc32(identity.encode()) / 2**32 * 2 * np.pi
    return 96, round(128 + 36 * float(np.cos(hue))), round(128 + 36 * float(np.sin(hue)))


@lru_cache(maxsize=64)
def badge(identity: str, name: str, diameter: int) -> Overlay:
    """A disc in the person's colour with the initials on it."""
    side = max(_even(diameter), 8)
    letters = initials(name or identity)
    size = round(side * (0.42 if len(letters) > 1 else 0.5))
    left = (side - text.width(letters, size)) / 2
    written = text.draw(side, side, letters, size, left, round(side / 2 + size * 0.355))
    return Overlay.of((_rounded(side, side, side / 2), tint(identity)), (_coverage(written), _WHITE))
