"""Rules the toy document points to."""

from __future__ import annotations

from typing import Any

from meet.http import Invalid, Issue


def clean_id(value: str) -> str:
    cleaned = "".join(char for char in value if char.isalnum() or char == "/")
    if not cleaned:
        raise Invalid("thingId is empty after clean-up")
    return cleaned


def name_or_user(value: Any, issues: list[Issue]) -> list[Issue]:
    if not any(issue.fatal for issue in issues) and ("name" in value) == ("userId" in value):
        return [*issues, Issue(("userId",), "Either name or userId")]
    return issues
