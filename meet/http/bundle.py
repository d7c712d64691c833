"""Several YAML files into one OpenAPI document that keeps `$ref` for its schemas.

Path items, parameters, bodies and responses from other files are inlined; schemas from other files move to
`#/components/schemas`, so the result stays readable in the docs page and carries no file names. References inside a
file are relative to that file, as OpenAPI says. The YAML is read as it is: Connexion would first run every file through
Jinja2, where `{{ }}` in a description breaks or vanishes.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any, cast

import yaml

Json = dict[str, Any]

_PRIVATE_KEYS = frozenset(
    [
        "x-drop-unknown",
        "x-field",
        "x-lenient",
        "x-location-prefix",
        "x-max-body",
        "x-messages",
        "x-openapi-router-controller",
        "x-operation-text",
        "x-prefix",
        "x-query-fallback",
        "x-rate-limit",
        "x-repeated",
        "x-transform",
        "x-validate-first",
        "x-validator",
    ]
)
_SCHEMA_MAPS = ("properties", "patternProperties", "$defs", "dependentSchemas")
_LITERALS = ("examples", "default", "enum", "const", "x-messages")


class DocumentError(Exception):
    """A document (or the code it points to) is not usable; the message says which and why."""


def bundle(path: Path) -> Json:
    """The document at `path` with everything it refers to, as one object with only `#/...` references.

    Raises DocumentError for unreadable files, references that lead nowhere and references in a circle outside schemas.
    """
    return _Bundler(path.resolve()).run()


def public_view(document: Json, server: str) -> Json:
    """The document as it is served: our wiring extensions removed, `server` as its base URL."""
    view = cast(Json, _without_private(document))
    view["servers"] = [{"url": server or "/"}]
    return view


class _Bundler:
    def __init__(self, root: Path) -> None:
        self._root = root
        self._files: dict[Path, Any] = {}
        self._names: dict[tuple[Path, str], str] = {}
        self._schemas: Json = {}
        self._open: list[tuple[Path, str]] = []

    def run(self) -> Json:
        source = self._load(self._root)
        if not isinstance(source, dict) or "openapi" not in source:
            raise DocumentError(f"{self._root} is not an OpenAPI document")
        own = source.get("components", {}).get("schemas", {})
        aliases: dict[str, tuple[Path, str]] = {}
        for name, schema in own.items():
            self._names[(self._root, f"/components/schemas/{name}")] = name
            if list(schema) == ["$ref"]:  # `Room: {$ref: schemas/room.yaml}` names that file's schema
                aliases[name] = self._locate(schema["$ref"], self._root)
                self._names[aliases[name]] = name
        document = cast(Json, self._walk(copy.deepcopy(source), self._root, schema=False))
        components = document.setdefault("components", {})
        for name, (target, pointer) in aliases.items():
            value = copy.deepcopy(self._value(target, pointer))
            components["schemas"][name] = self._walk(value, target, schema=True)
        # Schemas that came from other files join the document's own ones.
        merged = {**components.get("schemas", {}), **self._schemas}
        if merged:
            components["schemas"] = merged
        return document

    def _walk(self, node: Any, file: Path, *, schema: bool) -> Any:
        if isinstance(node, list):
            return [self._walk(item, file, schema=schema) for item in node]
        if not isinstance(node, dict):
            return node
        reference = node.get("$ref")
        if isinstance(reference, str):
            return self._follow(node, reference, file, schema=schema)
        result: Json = {}
        for key, value in node.items():
            if key == "example" or (schema and key in _LITERALS):
                result[key] = value
            elif (key == "schemas" or (schema and key in _SCHEMA_MAPS)) and isinstance(value, dict):
                result[key] = {name: self._walk(item, file, schema=True) for name, item in value.items()}
            else:
                result[key] = self._walk(value, file, schema=schema or key == "schema")
        return result

    def _follow(self, node: Json, reference: str, file: Path, *, schema: bool) -> Any:
        target, pointer = self._locate(reference, file)
        if schema:
            name = self._schema_name(target, pointer)
            moved: Json = {"$ref": f"#/components/schemas/{name}"}
            siblings = {key: self._walk(value, file, schema=True) for key, value in node.items() if key != "$ref"}
            # 3.1 allows keywords beside $ref; tools that drop them understand allOf.
            return {"allOf": [moved], **siblings} if siblings else moved
        if (target, pointer) in self._open:
            raise DocumentError(f"{file}: $ref {reference} refers to itself")
        self._open.append((target, pointer))
        found = self._walk(copy.deepcopy(self._value(target, pointer)), target, schema=False)
        self._open.pop()
        siblings = {key: value for key, value in node.items() if key != "$ref"}
        return {**found, **siblings} if siblings and isinstance(found, dict) else found

    def _schema_name(self, target: Path, pointer: str) -> str:
        known = self._names.get((target, pointer))
        if known is not None:
            return known
        last = pointer.rsplit("/", 1)[-1] if pointer else target.stem
        base = "".join(part[:1].upper() + part[1:] for part in last.replace("_", "-").split("-"))
        name, count = base, 1
        while name in self._names.values():
            count += 1
            name = f"{base}{count}"
        self._names[(target, pointer)] = name
        self._schemas[name] = {}
        self._schemas[name] = self._walk(copy.deepcopy(self._value(target, pointer)), target, schema=True)
        return name

    def _locate(self, reference: str, file: Path) -> tuple[Path, str]:
        location, _, pointer = reference.partition("#")
        if "://" in location:
            raise DocumentError(f"{file}: $ref {reference} leaves this machine")
        target = (file.parent / location).resolve() if location else file
        return target, pointer

    def _value(self, file: Path, pointer: str) -> Any:
        value = self._load(file)
        for token in pointer.split("/")[1:] if pointer else ():
            key = token.replace("~1", "/").replace("~0", "~")
            try:
                value = value[int(key)] if isinstance(value, list) else value[key]
            except (KeyError, IndexError, TypeError, ValueError) as error:
                raise DocumentError(f"{file} has no #{pointer}") from error
        return value

    def _load(self, file: Path) -> Any:
        if file not in self._files:
            try:
                text = file.read_text(encoding="utf-8")
                self._files[file] = _with_text_keys(yaml.safe_load(text))
            except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
                raise DocumentError(f"{file} cannot be read: {error}") from error
        return self._files[file]


def _with_text_keys(node: Any) -> Any:
    """YAML reads `200:` as a number; JSON has only text keys."""
    if isinstance(node, dict):
        return {str(key): _with_text_keys(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_with_text_keys(item) for item in node]
    return node


def _without_private(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _without_private(value) for key, value in node.items() if key not in _PRIVATE_KEYS}
    if isinstance(node, list):
        return [_without_private(item) for item in node]
    return node
