"""The documents as `MEET_MODE` wants them: the schemas of permissions with the coming names (OpenVidu Meet 3.9).

The files below `openapi/` hold the names of 3.8. Here their bundle is amended from `meet.core.permission_names`, so
that validation, the docs page and `openapi.json` all say the same. The amended schemas call `unambiguous` and
`in_our_words`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from meet.core.permission_names import NAMES, Mode, contradictions, understood
from meet.http import Issue

Json = dict[str, Any]

_PARTIAL, _COMPLETE = "PartialPermissions", "Permissions"
_REMOVED = "Removed in OpenVidu Meet 3.12."
_HEADER: Json = {
    "description": "`true`: the answer carries names of permissions that are going away.",
    "schema": {"type": "string", "const": "true"},
}


def amendment(mode: Mode) -> Callable[[Json], Json] | None:
    """What turns a bundled document into the one of `mode`; None for the names the files hold."""
    if mode == "3.8.0":
        return None

    def amend(document: Json) -> Json:
        schemas = document.get("components", {}).get("schemas", {})
        if _COMPLETE in schemas:
            _amend(schemas, keep_old=mode == "compatibility")
        if mode == "compatibility":
            _announce(document, schemas)
        return document

    return amend


def unambiguous(value: Any, issues: list[Issue]) -> Iterable[Issue]:
    """`x-validator`: the two spellings must not contradict each other."""
    yield from issues
    if isinstance(value, dict):
        yield from (Issue((name,), message) for name, message in contradictions(value))


def in_our_words(value: Any) -> Any:
    """`x-transform`: the handler gets the domain's spelling. What contradicts itself is left for `unambiguous`."""
    return understood(value) if isinstance(value, dict) and not contradictions(value) else value


def _amend(schemas: Json, *, keep_old: bool) -> None:
    partial, complete = schemas[_PARTIAL], schemas[_COMPLETE]
    partial["x-validator"] = f"{__name__}:{unambiguous.__name__}"
    partial["x-transform"] = f"{__name__}:{in_our_words.__name__}"
    accepted: Json = {}
    answered: Json = {}
    for old, names in NAMES.items():
        text = complete["properties"][old].get("description", "")
        for name in names:
            accepted[name] = {"type": "boolean"}
            answered[name] = {"type": "boolean", "description": text}
        instead = ", ".join(names)
        note = f"Use {instead}. {_REMOVED}"
        if keep_old:
            accepted[old] = answered[old] = {"type": "boolean", "deprecated": True, "description": note}
        else:
            refusal = f"{old} is not accepted any more, use {instead}"
            accepted[old] = {"not": {}, "deprecated": True, "description": note, "x-messages": {"not": refusal}}
    partial["properties"], complete["properties"] = accepted, answered
    complete["required"] = list(answered)


def _announce(document: Json, schemas: Json) -> None:
    """The header of answers that carry old names."""
    for item in document.get("paths", {}).values():
        for operation in item.values():
            for response in operation.get("responses", {}).values() if isinstance(operation, dict) else ():
                if (
                    _PARTIAL in (reached := set(_reached(response.get("content"), schemas, set())))
                    or _COMPLETE in reached
                ):
                    response.setdefault("headers", {})["Deprecation"] = _HEADER


def _reached(node: Any, schemas: Json, seen: set[str]) -> Iterator[str]:
    """Names of the schemas behind the references in `node`."""
    if isinstance(node, list):
        for item in node:
            yield from _reached(item, schemas, seen)
    elif isinstance(node, dict):
        reference = node.get("$ref")
        name = reference.rsplit("/", 1)[-1] if isinstance(reference, str) else None
        if name is not None and name not in seen:
            seen.add(name)
            yield name
            yield from _reached(schemas.get(name), schemas, seen)
        for value in node.values():
            yield from _reached(value, schemas, seen)
