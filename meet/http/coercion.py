"""Text to values the way JavaScript reads it (contract Appendix G): query, path and header parameters."""

from __future__ import annotations

import math
import re
import sys
from typing import Any

NAN = float("nan")

_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_RADIX = re.compile(r"0([xX][0-9a-fA-F]+|[oO][0-7]+|[bB][01]+)")
_ASTRAL = re.compile("[\U00010000-\U0010ffff]")
_TWO_UNITS = "\ue000\ue000"


def number(text: str) -> int | float:
    """JavaScript's `Number(text)`: blank is 0, `1e2` is 100, `0x10` is 16, anything unreadable is NaN.

    Whole values come as int. Infinities become the largest finite double, which JSON Schema can compare.
    """
    text = text.strip().strip("\ufeff")
    if not text:
        return 0
    if _RADIX.fullmatch(text):
        return int(text, 0)
    if text.lstrip("+-") == "Infinity" and len(text) <= len("Infinity") + 1:
        return -sys.float_info.max if text.startswith("-") else sys.float_info.max
    if not _DECIMAL.fullmatch(text):
        return NAN
    value = float(text)
    if math.isinf(value):
        return math.copysign(sys.float_info.max, value)
    return int(value) if value.is_integer() else value


def boolean(text: str) -> bool | str:
    """`true` and `false` in any case; any other text is returned as it is, for the type check to refuse."""
    lowered = text.strip().lower()
    return lowered == "true" if lowered in ("true", "false") else text


def comma_list(text: str) -> list[str]:
    """Items of a comma list, trimmed, empties dropped (contract 2.0.4, 2.0.7)."""
    return [item for part in text.split(",") if (item := part.strip())]


def utf16_shadow(value: Any) -> Any:
    """The value with every character outside the BMP replaced by two inside it.

    JavaScript counts UTF-16 units where JSON Schema counts code points; validating the shadow gives JavaScript's
    lengths. Returns the very same object when there is nothing to replace.
    """
    if isinstance(value, str):
        return value if value.isascii() else _ASTRAL.sub(_TWO_UNITS, value)
    if isinstance(value, list):
        items = [utf16_shadow(item) for item in value]
        return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
    if isinstance(value, dict):
        members = {key: utf16_shadow(item) for key, item in value.items()}
        return members if any(members[key] is not item for key, item in value.items()) else value
    return value
