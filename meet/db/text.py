"""Text filters as SQL (contract 2.0.5), and a regular expression function with a time limit."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import regex
from sqlalchemy import ColumnElement, and_, func
from sqlalchemy.exc import OperationalError

from meet.core.errors import ValidationFailed
from meet.core.model.paging import TextMatch

_BUDGET_S = 0.25


@dataclass(slots=True)
class _Budget:
    """Time left for the regular expressions of one query. exceeded: it ran out, or the engine's own clock said so."""

    deadline: float
    exceeded: bool = False


_budget: ContextVar[_Budget] = ContextVar("meet_regexp_budget")


def matches(column: ColumnElement[str], folded: ColumnElement[str], wanted: TextMatch) -> ColumnElement[bool]:
    """The condition for one text filter. `folded` holds the column's casefolded text.

    Raises ValidationFailed for a regular expression that does not compile."""
    if wanted.mode == "regex":
        pattern = f"(?i){wanted.value}" if wanted.ignore_case else wanted.value
        try:
            _compiled(pattern)
        except regex.error:
            raise ValidationFailed.one(wanted.field, "Invalid regular expression pattern") from None
        return column.regexp_match(pattern)
    value = wanted.value.casefold() if wanted.ignore_case else wanted.value
    target = folded if wanted.ignore_case else column
    if wanted.mode == "prefix":
        # The range that an index can be asked for, then what was meant: no character sorts behind U+10FFFF.
        return and_(target >= value, target <= value + "\U0010ffff", func.substr(target, 1, len(value)) == value)
    if wanted.mode == "partial":
        return func.instr(target, value) > 0
    return target == value


@contextmanager
def time_limit(wanted: TextMatch | None) -> Iterator[None]:
    """Bounds the time a query spends in regular expressions; a pattern that needs more raises ValidationFailed."""
    if wanted is None or wanted.mode != "regex":
        yield
        return
    budget = _Budget(time.monotonic() + _BUDGET_S)
    token = _budget.set(budget)
    try:
        yield
    except OperationalError as error:
        if not budget.exceeded:
            raise
        raise ValidationFailed.one(wanted.field, "Regular expression takes too long to evaluate") from error
    finally:
        _budget.reset(token)


def install_regexp(connection: Any) -> None:
    """Give a sqlite3 connection its REGEXP operator."""
    connection.create_function("regexp", 2, _search, deterministic=True)


def _search(pattern: str, value: str | None) -> bool:
    if value is None:
        return False
    budget = _budget.get(None) or _Budget(time.monotonic() + _BUDGET_S)
    try:
        left = budget.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return _compiled(pattern).search(value, timeout=left) is not None
    except TimeoutError:
        budget.exceeded = True
        raise


@lru_cache(maxsize=64)
def _compiled(pattern: str) -> regex.Pattern[str]:
    return regex.compile(pattern)
