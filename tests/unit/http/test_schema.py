"""The compiled checker against an independent JSON Schema implementation, and the default texts."""

from __future__ import annotations

from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meet.http.messages import text
from meet.http.schema import Checker

LEAVES: list[dict[str, Any]] = [
    {"type": "string", "minLength": 1, "maxLength": 3},
    {"type": "string", "enum": ["a", "b"]},
    {"type": "integer", "minimum": 0, "exclusiveMaximum": 4},
    {"type": "number", "multipleOf": 2},
    {"type": "boolean"},
    {"type": ["string", "null"], "pattern": "^a"},
    {"const": 1},
    {},
]
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-2, 5)
    | st.sampled_from([1.0, 1.5, 4.0])
    | st.text("aé\U0001f600", max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abx"), inner, max_size=3),
    max_leaves=8,
)


def objects(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    properties = st.dictionaries(st.sampled_from("ab"), inner, max_size=2)
    return st.builds(
        lambda p, count: {"type": "object", "properties": p, "required": list(p)[:count]}, properties, st.integers(0, 2)
    )


SCHEMAS = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: (
        objects(inner)
        | st.builds(lambda item: {"type": "array", "items": item, "maxItems": 2}, inner)
        | st.builds(lambda a, b: {"anyOf": [a, b]}, inner, inner)
    ),
    max_leaves=5,
)


def units(value: Any) -> Any:
    """UTF-16 lengths for the reference implementation, which counts code points."""
    if isinstance(value, str):
        return "".join(char if char < "\U00010000" else "éé" for char in value)
    if isinstance(value, list):
        return [units(item) for item in value]
    return {key: units(item) for key, item in value.items()} if isinstance(value, dict) else value


@settings(max_examples=300, deadline=None)
@given(SCHEMAS, VALUES)
def test_finds_issues_exactly_when_the_reference_does(schema: dict[str, Any], value: Any) -> None:
    reference = jsonschema.Draft202012Validator(schema)
    result, issues = Checker(schema).run(value)
    assert (not issues) == reference.is_valid(units(value))
    assert all(issue.message for issue in issues)
    if not issues:
        # What the handler gets is still valid, and checking it again changes nothing.
        assert Checker(schema).run(result) == (result, [])


@pytest.mark.parametrize(
    ("schema", "value", "message"),
    [
        ({"format": "uri"}, "x y", "Invalid url"),
        ({"format": "email"}, "x", "Invalid email"),
        ({"format": "uuid"}, "x", "Invalid uuid"),
        ({"format": "date-time"}, "2026-13-01T00:00:00Z", "Invalid datetime"),
        ({"const": "x"}, "y", 'Invalid literal value, expected "x"'),
        ({"maxItems": 1}, [1, 2], "Array must contain at most 1 element(s)"),
        ({"minItems": 2, "maxItems": 2}, [1], "Array must contain exactly 2 element(s)"),
        ({"multipleOf": 5}, 4, "Number must be a multiple of 5"),
        ({"exclusiveMaximum": 5}, 5, "Number must be less than 5"),
        ({"uniqueItems": True}, [1, 1], "Invalid input"),
        ({"type": ["string", "null"]}, 4, "Expected string, received number"),
        ({"type": ["string", "number"]}, {}, "Expected string | number, received object"),
    ],
)
def test_default_texts(schema: dict[str, Any], value: Any, message: str) -> None:
    _, issues = Checker(schema).run(value)
    assert [issue.message for issue in issues] == [message]


def test_own_texts_win() -> None:
    schema = {"type": "string", "maxLength": 1, "x-messages": {"maxLength": "one letter"}}
    assert text(schema, "maxLength", "ab") == "one letter"
    assert text(schema, "type", 1) == "Expected string, received number"
