"""Duration strings as OpenVidu Meet writes them in its environment: `2h`, `15m`, `20s`, `500ms`, `1d`."""

from __future__ import annotations

import re

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_PATTERN = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w)?\s*$", re.IGNORECASE)


def parse_seconds(text: str | int | float) -> float:
    """Seconds in `text`; a bare number in a string is milliseconds (the `ms` grammar), a number is seconds.

    Raises ValueError when the text is not a duration.
    """
    if isinstance(text, int | float):
        return float(text)
    match = _PATTERN.match(text)
    if match is None:
        raise ValueError(f"'{text}' is not a duration such as 2h, 15m or 20s")
    return float(match[1]) * _UNITS[(match[2] or "ms").lower()]
