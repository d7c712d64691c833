"""What validation leaves for the handler: declared keys only, defaults filled in, whole numbers as int.

`build` splits a schema into a skeleton for jsonschema-rs and a tree of nodes. Parts the skeleton cannot explain well
(alternatives, parts with an own rule) are cut out of it and become nodes with a checker of their own.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from .errors import Issue
from .union import Union

if TYPE_CHECKING:
    from .schema import Checker, Parts

Path = tuple[str | int, ...]
Skeleton = dict[str, Any] | bool


class Invalid(ValueError):
    """Raised by an `x-transform` function: the value is refused with this message (one 422 detail)."""


class Node(Protocol):
    """One place of a schema that changes values. Must cope with any value: issues may already have been found."""

    def apply(self, value: Any, path: Path, issues: list[Issue]) -> Any: ...


class ObjectNode:
    """Strips undeclared keys, fills defaults, goes on with the members."""

    def __init__(self, members: dict[str, Node | None], defaults: dict[str, Any], extra: bool) -> None:
        self._members = members
        self._defaults = defaults
        self._extra = extra

    def apply(self, value: Any, path: Path, issues: list[Issue]) -> Any:
        if not isinstance(value, dict):
            return value
        result: dict[str, Any] = {}
        for name, node in self._members.items():
            if name in value:
                member = value[name]
                result[name] = member if node is None else node.apply(member, (*path, name), issues)
            elif name in self._defaults:
                default = self._defaults[name]
                result[name] = copy.deepcopy(default) if isinstance(default, dict | list) else default
        if self._extra:
            result.update((name, member) for name, member in value.items() if name not in self._members)
        return result


class ArrayNode:
    def __init__(self, item: Node) -> None:
        self._item = item

    def apply(self, value: Any, path: Path, issues: list[Issue]) -> Any:
        if not isinstance(value, list):
            return value
        return [self._item.apply(item, (*path, index), issues) for index, item in enumerate(value)]


class WholeNumber:
    """1.0 and 1 are the same number in JavaScript; handlers get the int."""

    def apply(self, value: Any, path: Path, issues: list[Issue]) -> Any:
        return int(value) if isinstance(value, float) and value.is_integer() else value


class Part:
    """A part with its own checker."""

    def __init__(self, checker: Checker) -> None:
        self._checker = checker

    def apply(self, value: Any, path: Path, issues: list[Issue]) -> Any:
        result, found = self._checker.run(value)
        issues.extend(issue.below(path) for issue in found)
        return result


class Transform:
    """Runs `x-transform` on a value without issues."""

    def __init__(self, inner: Node | None, function: Callable[[Any], Any]) -> None:
        self._inner = inner
        self._function = function

    def apply(self, value: Any, path: Path, issues: list[Issue]) -> Any:
        if self._inner is not None:
            value = self._inner.apply(value, path, issues)
        if any(issue.path[: len(path)] == path for issue in issues):
            return value
        try:
            return self._function(value)
        except Invalid as refused:
            issues.append(Issue(path, str(refused)))
            return value


def build(schema: Any, parts: Parts) -> tuple[Node | None, Skeleton]:
    """The node for a schema without `allOf` (None when it changes nothing) and its skeleton."""
    if not isinstance(schema, dict):
        return None, schema
    node, skeleton = _shape(schema, parts)
    transform = schema.get("x-transform")
    return (Transform(node, parts.function(transform)) if transform else node), skeleton


def _shape(schema: dict[str, Any], parts: Parts) -> tuple[Node | None, Skeleton]:
    alternatives = schema.get("oneOf") or schema.get("anyOf")
    # Alternatives beside own properties only constrain that object: jsonschema-rs checks them in place.
    if alternatives and "properties" not in schema:
        return Union(schema, [parts.checker(branch) for branch in alternatives]), True
    if "properties" in schema:
        return _object(schema, parts)
    if "items" in schema:
        node, skeleton = _member(schema["items"], parts)
        return (ArrayNode(node) if node else None), {**schema, "items": skeleton}
    if schema.get("type") in ("number", "integer"):
        return WholeNumber(), schema
    return None, schema


def _object(schema: dict[str, Any], parts: Parts) -> tuple[Node, Skeleton]:
    members: dict[str, Node | None] = {}
    skeletons: dict[str, Skeleton] = {}
    defaults: dict[str, Any] = {}
    for name, member in schema["properties"].items():
        members[name], skeletons[name] = _member(member, parts)
        if isinstance(member, dict) and "default" in member:
            default = copy.deepcopy(member["default"])
            node = members[name]
            defaults[name] = node.apply(default, (), []) if node else default
    skeleton: dict[str, Any] = {**schema, "properties": skeletons}
    if "required" in schema:
        # A default makes a member optional for the client, whatever the document lists.
        skeleton["required"] = [name for name in schema["required"] if name not in defaults]
    extra = schema.get("additionalProperties", False) is not False
    return ObjectNode(members, defaults, extra), skeleton


def _member(schema: Any, parts: Parts) -> tuple[Node | None, Skeleton]:
    if isinstance(schema, dict) and "x-validator" in schema:
        return Part(parts.checker(schema)), True
    return build(schema, parts)
