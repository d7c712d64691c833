"""What a 422 detail says: the texts of zod 3, unless the schema brings its own in `x-messages` (contract 2.0.2)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import orjson

Schema = Mapping[str, Any]

REQUIRED = "Required"

_SIMPLE = {
    "pattern": "Invalid",
    "required": REQUIRED,
    "false schema": "Invalid input",
}
_FORMATS = {
    "date-time": "Invalid datetime",
    "date": "Invalid date",
    "email": "Invalid email",
    "uri": "Invalid url",
    "uuid": "Invalid uuid",
    "ipv4": "Invalid ip",
    "ipv6": "Invalid ip",
}
_NUMBERS = {
    "minimum": "Number must be greater than or equal to",
    "exclusiveMinimum": "Number must be greater than",
    "maximum": "Number must be less than or equal to",
    "exclusiveMaximum": "Number must be less than",
    "multipleOf": "Number must be a multiple of",
}
_SIZES = {
    "minLength": ("String must contain at least", "character(s)", "maxLength"),
    "maxLength": ("String must contain at most", "character(s)", "minLength"),
    "minItems": ("Array must contain at least", "element(s)", "maxItems"),
    "maxItems": ("Array must contain at most", "element(s)", "minItems"),
}


def override(schema: Schema, keyword: str) -> str | None:
    """The document's own text for a failed keyword of this schema."""
    text = schema.get("x-messages", {}).get(keyword)
    return None if text is None else str(text)


def text(schema: Schema, keyword: str, value: Any) -> str:
    """The message for `value` failing `keyword` of `schema`."""
    own = override(schema, keyword)
    return own if own is not None else _default(schema, keyword, value)


def _default(schema: Schema, keyword: str, value: Any) -> str:
    limit = schema.get(keyword)
    if keyword == "type":
        return type_mismatch(schema, value)
    if keyword == "enum":
        return f"Invalid enum value. Expected {_options(schema)}, received {_quoted(value)}"
    if keyword == "const":
        return f"Invalid literal value, expected {orjson.dumps(limit).decode()}"
    if keyword == "format":
        return _FORMATS.get(str(limit), "Invalid")
    if keyword in _NUMBERS:
        return f"{_NUMBERS[keyword]} {limit}"
    if keyword in _SIZES:
        start, unit, opposite = _SIZES[keyword]
        if schema.get(opposite) == limit:
            start = start.replace("at least", "exactly").replace("at most", "exactly")
        return f"{start} {limit} {unit}"
    return _SIMPLE.get(keyword, "Invalid input")


def unrecognized_keys(names: list[str]) -> str:
    return "Unrecognized key(s) in object: " + ", ".join(f"'{name}'" for name in names)


def type_mismatch(schema: Schema, value: Any) -> str:
    """`Expected string, received number`; an enum names its options instead of the type."""
    received = type_name(value)
    options = schema.get("enum")
    if options:
        return f"Expected {_options(schema)}, received {received}"
    declared = schema.get("type", "string")
    names = [declared] if isinstance(declared, str) else [name for name in declared if name != "null"]
    if names == ["integer"] and received == "number":
        return "Expected integer, received float"
    return f"Expected {' | '.join('number' if name == 'integer' else name for name in names)}, received {received}"


def type_name(value: Any) -> str:
    """The name JavaScript (as zod reports it) has for a JSON value."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, float) and math.isnan(value):
        return "nan"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"


def _options(schema: Schema) -> str:
    return " | ".join(_quoted(option) for option in schema["enum"] if option is not None)


def _quoted(value: Any) -> str:
    return f"'{value}'" if isinstance(value, str) else orjson.dumps(value).decode()
