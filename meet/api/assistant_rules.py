"""Rules about AI assistants (contract 2.5.7): `x-transform` functions of `meet.http.schema`."""

from __future__ import annotations

from typing import Any

from meet.http import Invalid

_KNOWN = ("live_captions",)


def capabilities(value: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The known ones, each once. Refuses a list without any."""
    names = [name for name in _KNOWN if any(item["name"] == name for item in value)]
    if not names:
        raise Invalid("At least one valid capability is required")
    return [{"name": name} for name in names]


def assistant_id(value: str) -> str:
    """The id without blanks around it. Refuses one that is nothing else."""
    trimmed = value.strip()
    if not trimmed:
        raise Invalid("assistantId is required and cannot be empty")
    return trimmed
