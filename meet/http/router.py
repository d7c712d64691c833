"""One flat route table for all documents and base paths.

Literal paths are a dict lookup. Templates are bucketed by their number of segments and tried in order of
specificity, so `/apps/{app}:startRecord` comes before `/apps/{app}`. A template whose last parameter takes the rest of
the path, slashes included, is tried when nothing else matches. Matching ignores case and one trailing slash (contract
1.1); parameter values keep their case.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Generic, TypeVar
from urllib.parse import unquote

T = TypeVar("T")

_PARAMETER = re.compile(r"\{([^{}]+)\}")
_ENCODED_SLASH = re.compile(r"%2f", re.IGNORECASE)
# An encoded slash belongs to a value, not to the path's structure. It travels as this private-use character.
_SLASH_MARK = "\ue000"


def path_parameters(template: str) -> list[str]:
    """The names in braces, in order."""
    return _PARAMETER.findall(template)


class RouteTable(Generic[T]):
    """Maps (method, path) to a target. `add` refuses the same method and template twice (ValueError)."""

    def __init__(self) -> None:
        self._methods: dict[str, dict[str, T]] = {}
        self._literals: dict[str, dict[str, T]] = {}
        self._templates: dict[int, _Bucket[T]] = {}
        self._rest: _Bucket[T] = _Bucket()

    def add(self, method: str, template: str, target: T, *, rest: bool = False) -> None:
        """`rest`: the template ends with a parameter that may contain slashes."""
        key = _PARAMETER.sub("{}", template).lower()
        methods = self._methods.get(key)
        if methods is None:
            methods = self._methods[key] = {}
            if "{" in template:
                bucket = self._rest if rest else self._templates.setdefault(template.count("/"), _Bucket())
                bucket.add(_Template(template, methods, rest=rest))
            else:
                self._literals[key] = methods
        if method in methods:
            raise ValueError(f"{method} {template} is declared twice")
        methods[method] = target

    def find(self, path: str, raw_path: bytes | None = None) -> tuple[dict[str, T], dict[str, str]] | None:
        """The methods of the matching path and the values of its parameters; None when no path matches."""
        if raw_path is not None and b"%2" in raw_path and b"%2f" in raw_path.lower():
            path = unquote(_ENCODED_SLASH.sub(_SLASH_MARK, raw_path.decode("latin-1").split("?")[0]))
        if len(path) > 1 and path.endswith("/"):
            path = path[:-1]
        methods = self._literals.get(path) or self._literals.get(path.lower())
        if methods is not None:
            return methods, {}
        bucket = self._templates.get(path.count("/"))
        return (bucket.find(path) if bucket else None) or self._rest.find(path)

    def targets(self) -> Iterator[T]:
        for methods in self._methods.values():
            yield from methods.values()


class _Bucket(Generic[T]):
    """Templates that are tried together: one pattern with an alternative for each, most specific first."""

    __slots__ = ("_entries", "_pattern", "_places")

    def __init__(self) -> None:
        self._entries: list[_Template[T]] = []
        self._pattern = re.compile("(?!)")
        self._places: dict[int, _Template[T]] = {}

    def add(self, entry: _Template[T]) -> None:
        self._entries.append(entry)
        self._entries.sort(key=lambda each: each.specificity)
        self._places.clear()
        group = 1
        for each in self._entries:
            self._places[group] = each
            group += 1 + len(each.names)
        # The group around an alternative is the last one to close, which makes it `lastindex` of a match.
        joined = "|".join(f"({each.pattern})" for each in self._entries)
        self._pattern = re.compile(joined, re.IGNORECASE | re.DOTALL)

    def find(self, path: str) -> tuple[dict[str, T], dict[str, str]] | None:
        found = self._pattern.fullmatch(path)
        if found is None or found.lastindex is None:
            return None
        entry = self._places[found.lastindex]
        values = found.groups()[found.lastindex : found.lastindex + len(entry.names)]
        return entry.methods, {
            name: value.replace(_SLASH_MARK, "/") for name, value in zip(entry.names, values, strict=True)
        }


class _Template(Generic[T]):
    __slots__ = ("methods", "names", "pattern", "specificity")

    def __init__(self, template: str, methods: dict[str, T], *, rest: bool = False) -> None:
        self.methods = methods
        self.names = path_parameters(template)
        parts = _PARAMETER.split(template)
        pattern = "".join("([^/]+)" if index % 2 else re.escape(part) for index, part in enumerate(parts))
        if rest:
            pattern = pattern.removesuffix("([^/]+)") + "(.+)"
        self.pattern = pattern
        literal = _PARAMETER.sub("", template)
        # Per segment: a literal beats a partly literal one beats a bare parameter; then the longer literal text.
        kinds = tuple(_kind(segment) for segment in template.split("/"))
        self.specificity = (kinds, -len(literal))


def _kind(segment: str) -> int:
    if "{" not in segment:
        return 0
    return 2 if _PARAMETER.fullmatch(segment) else 1
