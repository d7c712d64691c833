"""Request schemas: prepared and compiled once, asked on every request.

jsonschema-rs (2020-12, formats on) decides what is valid. When it refuses a value, its errors become zod-like issues in
the order of the schema. `normalise` then shapes what the handler sees: undeclared keys removed, defaults filled in.

Vendor keywords: `x-messages` (own texts), `x-validator: module:function` (a rule JSON Schema cannot say; the function
`(value, issues) -> issues` gets the value and what the schema found, and has the last word), `x-transform:
module:function` (`value -> value` for a valid value, may raise `Invalid`).
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import jsonschema_rs

from . import messages
from .bundle import DocumentError
from .coercion import utf16_shadow
from .errors import Issue
from .merge import merge_all_of
from .normalise import Node, Skeleton, build

Path = tuple[str | int, ...]
Hook = Callable[[Any, list[Issue]], Iterable[Issue]]


class Checker:
    """One compiled schema.

    `run` returns the value as the handler should see it and the issues found; with issues the value is only good for
    building further messages. Raises DocumentError at construction for a schema that cannot be compiled.
    """

    def __init__(self, schema: Any, where: str = "schema") -> None:
        self.schema: dict[str, Any] = merge_all_of(schema, where) if isinstance(schema, dict) else {}
        hook = self.schema.get("x-validator")
        self._hook: Hook | None = load_function(hook, where) if hook else None
        node, skeleton = build(self.schema, Parts(where))
        self._node: Node | None = node
        try:
            self._compiled = jsonschema_rs.validator_for(_with_draft(skeleton), validate_formats=True)
        except (ValueError, jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError) as error:
            raise DocumentError(f"{where}: not a usable schema: {error}") from error

    def run(self, value: Any) -> tuple[Any, list[Issue]]:
        shadow = utf16_shadow(value)
        issues: list[Issue] = []
        if not self._compiled.is_valid(shadow):
            issues = self._explain(value, shadow)
        if self._node is not None:
            value = self._node.apply(value, (), issues)
        if len(issues) > 1:
            issues.sort(key=self._position)
        if self._hook is not None:
            issues = list(self._hook(value, issues))
        return value, issues

    def _explain(self, value: Any, shadow: Any) -> list[Issue]:
        found: list[Issue] = []
        for error in self._compiled.iter_errors(shadow):
            path = tuple(error.instance_path)
            keyword = str(error.schema_path[-1]) if error.schema_path else "false schema"
            owner = _descend(self.schema, error.schema_path[:-1])
            if keyword == "required":
                missing = str(error.kind.as_dict()["property"])
                schema = owner.get("properties", {}).get(missing, {})
                found.append(Issue((*path, missing), messages.text(schema, "required", None), "required"))
            elif keyword == "additionalProperties":
                names = list(error.kind.as_dict()["unexpected"])
                own = messages.override(owner, keyword)
                found.append(Issue(path, own or messages.unrecognized_keys(names), keyword))
            else:
                rank = list(owner).index(keyword) if keyword in owner else len(owner)
                text = messages.text(owner, keyword, _at(value, path))
                found.append(Issue(path, text, keyword, rank))
        # zod stops at a value of the wrong type; JSON Schema goes on with the other keywords.
        mistyped = {issue.path for issue in found if issue.code == "type"}
        return [issue for issue in found if issue.code == "type" or issue.path not in mistyped]

    def _position(self, issue: Issue) -> tuple[tuple[int, ...], int]:
        """Sort key: place in the schema along the issue's path, then the keyword's place."""
        places: list[int] = []
        schema: Any = self.schema
        for part in issue.path:
            if isinstance(part, int):
                places.append(part)
                schema = schema.get("items")
            else:
                names = schema.get("properties", {})
                places.append(list(names).index(part) if part in names else len(names))
                schema = names.get(part)
            if not isinstance(schema, dict) or "x-validator" in schema or "oneOf" in schema or "anyOf" in schema:
                # The issues below were ordered by the checker of that part; the stable sort keeps them so.
                return tuple(places), 0
        return tuple(places), issue.rank


class Parts:
    """What `normalise.build` needs from here: checkers and functions for the parts of a schema."""

    def __init__(self, where: str) -> None:
        self._where = where

    def checker(self, schema: Any) -> Checker:
        return Checker(schema, self._where)

    def function(self, name: str) -> Callable[[Any], Any]:
        return load_function(name, self._where)


@functools.cache
def load_function(name: str, where: str) -> Callable[..., Any]:
    """The function behind `module:function`. Raises DocumentError."""
    module_name, _, function_name = name.partition(":")
    try:
        function = getattr(importlib.import_module(module_name), function_name)
    except (ImportError, AttributeError, ValueError) as error:
        raise DocumentError(f"{where}: {name} cannot be loaded: {error}") from error
    if not callable(function):
        raise DocumentError(f"{where}: {name} is not a function")
    return function  # type: ignore[no-any-return]


def _with_draft(skeleton: Skeleton) -> Skeleton:
    if isinstance(skeleton, dict):
        return {**skeleton, "$schema": "https://json-schema.org/draft/2020-12/schema"}
    return skeleton


def _descend(schema: Any, path: Sequence[str | int]) -> dict[str, Any]:
    for part in path:
        try:
            schema = schema[part]
        except (KeyError, IndexError, TypeError):
            return {}
    return schema if isinstance(schema, dict) else {}


def _at(value: Any, path: Path) -> Any:
    for part in path:
        value = value[part]
    return value
