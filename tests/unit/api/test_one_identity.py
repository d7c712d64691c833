"""A member is a user or a guest: which issues the rule adds, and when it keeps quiet (contract 2.3.1, 2.0.2)."""

from __future__ import annotations

from typing import Any

import pytest

from meet.api.validators import one_identity
from meet.http import Issue

RULE = Issue(("userId",), "Either userId or name must be provided, but not both")


@pytest.mark.parametrize("body", [{}, {"userId": "alice", "name": "Ana"}, {"userId": "", "name": ""}])
def test_neither_and_both_are_refused(body: dict[str, Any]) -> None:
    assert list(one_identity(body, [])) == [RULE]


@pytest.mark.parametrize("body", [{"userId": "alice"}, {"name": "Ana"}])
def test_one_is_right(body: dict[str, Any]) -> None:
    assert list(one_identity(body, [])) == []


def test_it_speaks_beside_a_broken_length_but_not_beside_a_wrong_type() -> None:
    too_long = Issue(("name",), "name cannot exceed 50 characters", "maxLength")
    assert list(one_identity({"userId": "alice", "name": "x" * 51}, [too_long])) == [too_long, RULE]
    mistyped = Issue(("name",), "Expected string, received number", "type")
    assert list(one_identity({"name": 5}, [mistyped])) == [mistyped]
