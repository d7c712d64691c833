"""Path, query and header parameters: compiled once, then text -> value -> checked value.

Vendor keywords on a parameter: `x-field` (name shown in 422 details). On its schema: `x-lenient` (a number is rounded
down and kept within its limits instead of refused, once it is at least positive), `x-drop-unknown` (items of a comma
list outside the enum are dropped, repeats too), `x-repeated: join | empty` (what a repeated key of a comma list means;
without it that is a type error).
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Mapping
from typing import Any

from . import coercion, messages
from .bundle import DocumentError
from .call import Call
from .errors import Issue
from .merge import merge_all_of
from .schema import Checker

_ABSENT: Any = object()
_REPEATED: Any = object()  # a repeated key where one comma list is expected
_FIELD_GROUPS = {"path": "params", "query": "query", "header": "headers"}
# Keywords that say nothing a checker would have to look at.
_IDLE = frozenset({"type", "description", "example", "examples", "title", "default", "x-messages", "deprecated"})


class Parameter:
    """One parameter of an operation. `grouped` reports issues below `params.`, `query.` or `headers.`."""

    def __init__(self, definition: Mapping[str, Any], where: str, *, grouped: bool) -> None:
        self.name: str = definition["name"]
        self.location: str = definition["in"]
        where = f"{where}, parameter {self.name}"
        if self.location not in _FIELD_GROUPS or "schema" not in definition:
            raise DocumentError(f"{where}: only path, query and header parameters with a schema are supported")
        self._schema = schema = merge_all_of(definition["schema"], where)
        field = definition.get("x-field", self.name)
        group = (_FIELD_GROUPS[self.location],) if grouped else ()
        self._path: tuple[str, ...] = (*group, *((field,) if field else ()))
        self._required = bool(definition.get("required"))
        self._default = schema.get("default", _ABSENT)
        self.optional = self._default is _ABSENT and not self._required
        self._type = _single_type(schema)
        if self._type == "object":
            raise DocumentError(f"{where}: object parameters are not supported")
        self._items = schema.get("items", {}) if self._type == "array" else {}
        self._comma = self._type == "array" and (
            self.location != "query" or not definition.get("explode", definition.get("style", "form") == "form")
        )
        self._drop_unknown = bool(schema.get("x-drop-unknown"))
        self._lenient = bool(schema.get("x-lenient"))
        checked = {key: value for key, value in schema.items() if key != "default"}
        if self._lenient:
            checked = _lenient(checked)
        if self._drop_unknown:
            checked["items"] = {key: value for key, value in self._items.items() if key != "enum"}
        plain = self._type == "string" and _IDLE.issuperset(schema)
        self._checker = None if plain else Checker(checked, where)

    def read(self, call: Call, params: dict[str, Any], issues: list[Issue]) -> None:
        """Puts the value into `params` (nothing when it is absent and has no default) or adds issues."""
        values = self._texts(call)
        if not values:
            if not self.optional:
                self._missing(params, issues)
            return
        value = self._convert(values)
        if value is _ABSENT:
            self._missing(params, issues)
            return
        if value is _REPEATED:
            text = messages.override(self._schema, "type") or "Expected string, received array"
            issues.append(Issue(self._path, text, "type"))
            return
        if isinstance(value, float) and math.isnan(value):
            issues.append(self._issue("type", value))
            return
        if self._checker is None:
            if not isinstance(value, str):
                issues.append(self._issue("type", value))
                return
        else:
            value, found = self._checker.run(value)
            if found:
                issues.extend(issue.below(self._path) for issue in found)
                return
        params[self.name] = self._settle(value) if self._lenient else value

    def _texts(self, call: Call) -> list[str] | None:
        if self.location == "query":
            return call.query.get(self.name)
        if self.location == "path":
            return [call.path_params[self.name]]
        text = call.headers.get(self.name)
        return None if text is None else [text]

    def _missing(self, params: dict[str, Any], issues: list[Issue]) -> None:
        if self._default is not _ABSENT:
            params[self.name] = copy.copy(self._default)
        elif self._required:
            issues.append(self._issue("required", None))

    def _convert(self, values: list[str]) -> Any:
        if self._type != "array":
            return self._scalar(self._type, values[0]) if len(values) == 1 else self._repeated_scalar(values)
        if not self._comma:
            texts: Iterable[str] = values
        elif len(values) == 1:
            texts = coercion.comma_list(values[0])
        elif self._schema.get("x-repeated") == "join":
            texts = [item for value in values for item in coercion.comma_list(value)]
        elif self._schema.get("x-repeated") == "empty":
            texts = []
        else:
            return _REPEATED
        items = [self._scalar(_single_type(self._items), text) for text in texts]
        if self._drop_unknown:
            known = self._items.get("enum", ())
            # Nothing valid left counts as not supplied (contract 2.0.4).
            return list(dict.fromkeys(item for item in items if item in known)) or _ABSENT
        return items

    def _repeated_scalar(self, values: list[str]) -> Any:
        return coercion.NAN if self._type in ("number", "integer") else list(values)

    @staticmethod
    def _scalar(kind: str, text: str) -> Any:
        if kind in ("number", "integer"):
            return coercion.number(text)
        return coercion.boolean(text) if kind == "boolean" else text

    def _settle(self, value: float) -> float:
        whole = math.floor(value)
        lowest: float = self._schema.get("minimum", whole)
        highest: float = self._schema.get("maximum", whole)
        return min(max(whole, lowest), highest)

    def _issue(self, code: str, value: Any) -> Issue:
        return Issue(self._path, messages.text(self._schema, code, value), code)


class Parameters:
    """All parameters of an operation, read in stages: a bad path ends the check before the query is looked at."""

    def __init__(self, definitions: Iterable[Mapping[str, Any]], where: str, *, grouped: bool) -> None:
        # Connexion appends path-item parameters to the operation's own list, which it shares: the first one wins.
        unique: dict[tuple[str, str], Mapping[str, Any]] = {}
        for definition in definitions:
            name = definition["name"]
            unique.setdefault((definition["in"], name.lower() if definition["in"] == "header" else name), definition)
        compiled = [Parameter(definition, where, grouped=grouped) for definition in unique.values()]
        in_path = [parameter for parameter in compiled if parameter.location == "path"]
        others = [parameter for parameter in compiled if parameter.location != "path"]
        stages = [in_path + others] if grouped else [in_path, others]
        self._stages = [stage for stage in stages if stage]
        # Most requests have no query, and then most operations need not look at most of their parameters.
        self._without_query = [
            [parameter for parameter in stage if parameter.location != "query" or not parameter.optional]
            for stage in self._stages
        ]

    def names(self, location: str) -> set[str]:
        return {parameter.name for stage in self._stages for parameter in stage if parameter.location == location}

    def read(self, call: Call) -> list[Issue]:
        issues: list[Issue] = []
        for stage in self._stages if call.query else self._without_query:
            for parameter in stage:
                parameter.read(call, call.params, issues)
            if issues:
                break
        return issues


def _lenient(schema: dict[str, Any]) -> dict[str, Any]:
    """Accepts any positive number where a minimum above zero is declared, and any large one."""
    relaxed = {key: value for key, value in schema.items() if key != "maximum"}
    if relaxed.get("minimum", 0) > 0:
        relaxed.pop("minimum")
        own = messages.override(schema, "minimum")
        relaxed["exclusiveMinimum"] = 0
        if own is not None:
            relaxed["x-messages"] = {**schema["x-messages"], "exclusiveMinimum": own}
    return {**relaxed, "type": "number"}


def _single_type(schema: Mapping[str, Any]) -> str:
    declared = schema.get("type", "string")
    if isinstance(declared, list):
        declared = next((name for name in declared if name != "null"), "string")
    return str(declared)
