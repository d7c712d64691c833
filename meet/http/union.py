"""Alternatives (`oneOf`, `anyOf`): the first one that accepts the value wins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import messages
from .errors import Issue

if TYPE_CHECKING:
    from .schema import Checker

Path = tuple[str | int, ...]


class Union:
    """A value none of the alternatives accepts is explained by the one it was meant for: the only one of its type, or
    the one whose `const` and `enum` members it carries. Otherwise it is just `Invalid input` (as zod says), or the
    schema's own text in `x-messages` under `oneOf`.
    """

    def __init__(self, schema: dict[str, Any], branches: list[Checker]) -> None:
        self._schema = schema
        self._branches = branches

    def apply(self, value: Any, path: Path, issues: list[Issue]) -> Any:
        outcomes = [(branch, *branch.run(value)) for branch in self._branches]
        for _branch, result, found in outcomes:
            if not found:
                return result
        own = messages.override(self._schema, "oneOf")
        meant = [found for branch, _, found in outcomes if _accepts_type(branch.schema, value)]
        if len(meant) > 1:
            meant = [found for found in meant if not _wrong_tag(found)] or meant
        if len(meant) == 1:
            issues.extend(issue.below(path) for issue in meant[0])
        else:
            issues.append(Issue(path, own or "Invalid input", "type"))
        return value


def _wrong_tag(found: list[Issue]) -> bool:
    return any(issue.code in ("const", "enum") and len(issue.path) == 1 for issue in found)


def _accepts_type(schema: dict[str, Any], value: Any) -> bool:
    declared = schema.get("type")
    if declared is None:
        return True
    names = [declared] if isinstance(declared, str) else list(declared)
    name = messages.type_name(value)
    return name in names or (name == "number" and "integer" in names)
