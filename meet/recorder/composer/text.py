"""Text to coverage masks: names in any script for which a font is there.

The bundled font (Roboto: Latin, Greek, Cyrillic) comes first, then whatever fonts the system has. Rendering happens
when somebody joins or is renamed, never per picture.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont, features

Mask = npt.NDArray[np.uint8]
"""Rows x columns; 0 nothing, 255 fully covered."""

BUNDLED: Final = Path(str(resources.files("font_roboto"))) / "files" / "Roboto-Medium.ttf"
_SYSTEM: Final = (
    Path("/usr/share/fonts"),
    Path("/usr/local/share/fonts"),
    Path("~/.local/share/fonts").expanduser(),
    Path("/System/Library/Fonts"),
)
_ENDINGS: Final = frozenset({".ttf", ".otf", ".ttc"})
_PREFERRED: Final = ("notosans", "dejavusans", "droidsans", "sans")
_UNFIT: Final = ("emoji", "bold", "italic", "oblique", "mono", "serif", "thin", "light", "black", "condensed", "symbol")
_NO_GLYPH: Final = "\U0010ffff"
_COVERED: Final = frozenset({"Mn", "Cf"})
"""What no font needs a glyph of its own for; of a mark that encloses others (Me) it would draw a box."""
_INVISIBLE: Final = _COVERED | {"Me"}
_JOINERS: Final = "\u200c\u200d"
"""Formatting that belongs to how words are spelt."""
_PROBE_PX: Final = 16


@lru_cache(maxsize=1)
def _system_fonts() -> tuple[Path, ...]:
    """Upright sans-serif fonts, those with most scripts first."""
    found = [path for root in _SYSTEM if root.is_dir() for path in root.rglob("*") if path.suffix.lower() in _ENDINGS]

    def rank(path: Path) -> tuple[bool, int, str]:
        name = path.stem.lower()
        family = next((i for i, word in enumerate(_PREFERRED) if word in name), len(_PREFERRED))
        return any(word in name for word in _UNFIT), family, name

    return tuple(sorted(found, key=rank))


@lru_cache(maxsize=64)
def _font(path: Path, size: int) -> ImageFont.FreeTypeFont | None:
    try:
        return ImageFont.truetype(path, size)
    except OSError:
        return None  # damaged, or only bitmaps of another size


@lru_cache(maxsize=64)
def _probe(path: Path) -> ImageFont.FreeTypeFont | None:
    """Sets character by character: laid out as text, a mark alone would get a circle below it, glyph or none."""
    font = _font(path, _PROBE_PX)
    return font and font.font_variant(layout_engine=ImageFont.Layout.BASIC)


@lru_cache(maxsize=4096)
def _has(path: Path, character: str) -> bool:
    """The font has a glyph of its own for this character."""
    if character.isspace() or unicodedata.category(character) in _COVERED:
        return True
    font = _probe(path)
    return font is not None and bytes(font.getmask(character)) != bytes(font.getmask(_NO_GLYPH))


def _first_with(text: str, preferred: Path) -> Path | None:
    if all(_has(preferred, character) for character in text):
        return preferred
    return next((path for path in _system_fonts() if all(_has(path, character) for character in text)), None)


@lru_cache(maxsize=1024)
def runs(text: str, font: Path = BUNDLED) -> tuple[tuple[str, Path], ...]:
    """The text cut where the font has to change. Symbols that no font has are left out, letters become boxes."""
    whole = _first_with(text, font)
    if whole is not None:
        return ((text, whole),) if text else ()
    cut: list[tuple[str, Path]] = []
    for character in text:
        path = cut[-1][1] if cut and _has(cut[-1][1], character) else _first_with(character, font)
        if path is None:
            if unicodedata.category(character)[0] not in "LN":
                continue
            path = font
        if cut and cut[-1][1] == path:
            cut[-1] = (cut[-1][0] + character, path)
        else:
            cut.append((character, path))
    return tuple(cut)


def covered(text: str) -> bool:
    """There is a font with all of these letters."""
    return _first_with(text, BUNDLED) is not None


@lru_cache(maxsize=1024)
def readable(text: str) -> bool:
    """There is a font for some of it."""
    return any(_is_seen(character) for run, _ in runs(text) for character in run)


def _is_seen(character: str) -> bool:
    return not character.isspace() and unicodedata.category(character) not in _INVISIBLE


def clean(text: str) -> str:
    """One line, composed (NFC), without control characters; "" when nothing of it can be seen."""
    kept = (_printable(character) for character in unicodedata.normalize("NFC", text))
    line = " ".join("".join(kept).split())
    return line if any(unicodedata.category(character) not in _INVISIBLE for character in line) else ""


def shown(text: str) -> str:
    """What is seen of a text, as `clean` makes it, without gaps where signs are left out."""
    words = "".join(run for run, _ in runs(clean(text))).split()
    return " ".join(word for word in words if any(map(_is_seen, word)))


def side_by_side(first: str, second: str) -> str:
    """Two letters that stay apart: of scripts that join them (Arabic, Syriac, N'Ko), each in its isolated form."""
    cursive = all(unicodedata.bidirectional(letter) in ("AL", "R") for letter in (first, second))
    return first + ("\u200c" if cursive else "") + second


def _printable(character: str) -> str:
    kind = unicodedata.category(character)
    if kind in ("Cc", "Zl", "Zp"):
        return " "
    # Marks of direction turn what follows around, in other people's tiles, too.
    return "" if kind == "Cf" and character not in _JOINERS else character


def _parts(text: str, size: int) -> list[tuple[str, ImageFont.FreeTypeFont]]:
    """From left to right."""
    parts = [(run, _font(path, size)) for run, path in runs(text)]
    shown = [(run, font) for run, font in parts if font is not None]
    return shown[::-1] if _direction(text) == "rtl" else shown


def _direction(text: str) -> str | None:
    """That of the first letter that has one (UAX #9, P2 and P3), where right to left can be set at all."""
    if not features.check("raqm"):
        return None
    first = next((kind for c in text if (kind := unicodedata.bidirectional(c)) in ("L", "R", "AL")), "L")
    return "ltr" if first == "L" else "rtl"


def width(text: str, size: int) -> int:
    """Pixels from the left of the first to the right of the last letter; size: pixels per em."""
    direction = _direction(text)
    return round(sum(font.getlength(run, direction=direction) for run, font in _parts(text, size)))


def shorten(text: str, size: int, limit: int) -> str:
    """The text, or as much of its beginning as fits with an ellipsis."""
    if width(text, size) <= limit:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if width(text[:middle].rstrip() + "…", size) <= limit:
            low = middle
        else:
            high = middle - 1
    return text[:low].rstrip() + "…"


def draw(mask_width: int, mask_height: int, text: str, size: int, x: float, baseline: int) -> Mask:
    """A mask of this size with the text on it."""
    image = Image.new("L", (mask_width, mask_height))
    pen, direction = ImageDraw.Draw(image), _direction(text)
    for run, font in _parts(text, size):
        pen.text((x, baseline), run, fill=255, font=font, anchor="ls", direction=direction)
        x += font.getlength(run, direction=direction)
    return np.asarray(image, np.uint8)
