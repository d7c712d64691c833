"""JSON objects in files of the spool, which a crash, a disk or a person may have damaged."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, Final

_LEVELS: Final = 20
"""Ours have 4. What is nested so deeply that copying or writing it fails would be read all the same."""
_INTEGERS: Final = range(-(2**63), 2**63)


def read_object(path: Path) -> dict[str, Any] | None:
    """The object, None for anything else, or one that nobody could hand on: nested too deeply, with texts that are no
    Unicode or integers of more than 64 bits. NaN and infinite numbers, which JSON does not have, are null.

    Raises OSError."""
    content = path.read_bytes()
    try:
        found = json.loads(content, parse_float=_number, parse_constant=lambda _: None)
        return found if isinstance(found, dict) and _is_sound(found, _LEVELS) else None
    except (ValueError, RecursionError):
        return None


def _number(text: str) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None


def _is_sound(value: Any, levels: int) -> bool:
    """Raises UnicodeEncodeError, a ValueError, for texts that are none."""
    if isinstance(value, dict):
        return levels > 0 and all(_is_sound(name, 0) and _is_sound(part, levels - 1) for name, part in value.items())
    if isinstance(value, list):
        return levels > 0 and all(_is_sound(part, levels - 1) for part in value)
    if isinstance(value, str):
        value.encode()
    return not isinstance(value, int) or value in _INTEGERS
