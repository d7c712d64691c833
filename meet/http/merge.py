"""Schemas without `allOf`: composition is resolved before anything is compiled.

With one flat schema per object, declared keys, defaults and the order of messages are plain to see.
"""

from __future__ import annotations

from typing import Any

from .bundle import DocumentError

Json = dict[str, Any]

_ANNOTATIONS = ("title", "description", "default", "example", "examples", "deprecated", "readOnly", "writeOnly")
_MAPS = ("properties", "patternProperties", "$defs")
_SINGLE = ("items", "additionalProperties", "not", "contains", "propertyNames")
_LISTS = ("oneOf", "anyOf", "prefixItems")


def merge_all_of(schema: Json, where: str) -> Json:
    """A deep copy with every `allOf` folded into its parent.

    Raises DocumentError when parts disagree about a constraint, or when the schema contains itself (jsonschema-rs
    cannot compile a cycle, and no request of ours is recursive).
    """
    flat: Json = _Merger(where).copy(schema)
    return flat


class _Merger:
    def __init__(self, where: str) -> None:
        self._where = where
        self._open: set[int] = set()

    def copy(self, schema: Any) -> Any:
        if not isinstance(schema, dict):
            return schema
        if id(schema) in self._open:
            raise DocumentError(f"{self._where}: request schemas must not contain themselves")
        self._open.add(id(schema))
        flat: Json = {}
        for part in schema.get("allOf", ()):
            self._fold(flat, self.copy(part))
        self._fold(flat, {key: self._value(key, value) for key, value in schema.items() if key != "allOf"})
        self._open.discard(id(schema))
        return flat

    def _value(self, key: str, value: Any) -> Any:
        if key in _MAPS:
            return {name: self.copy(item) for name, item in value.items()}
        if key in _SINGLE:
            return self.copy(value)
        if key in _LISTS:
            return [self.copy(item) for item in value]
        return value

    def _fold(self, into: Json, part: Json) -> None:
        for key, value in part.items():
            if key not in into or into[key] == value or key in _ANNOTATIONS:
                into[key] = value
            elif key == "required":
                into[key] = [*into[key], *(name for name in value if name not in into[key])]
            elif key == "x-messages":
                into[key] = {**into[key], **value}
            elif key in _MAPS:
                for name, item in value.items():
                    if name in into[key] and isinstance(item, dict) and isinstance(into[key][name], dict):
                        self._fold(into[key][name], item)
                    else:
                        into[key][name] = item
            else:
                raise DocumentError(f"{self._where}: the parts of allOf disagree about {key}")
