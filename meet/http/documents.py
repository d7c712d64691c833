"""Loading a document as a Connexion specification, OpenAPI 3.1 included."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .bundle import DocumentError, bundle
from .upstream import METHODS, OpenAPISpecification

__all__ = ["Document", "DocumentError", "OpenApi31", "load"]

_INHERITED = ("x-openapi-router-controller", "x-rate-limit")


@dataclass(frozen=True)
class Document:
    """One OpenAPI document and where it is served.

    `path` is the root YAML file. The same operations answer under each of `base_paths` ("" is the origin's root).
    Documents that are not `public` are left out of the docs page and of `openapi.json`. `amend` may change the bundle
    before anything is made of it: for what a deployment's settings say about the surface.
    """

    path: Path
    base_paths: tuple[str, ...] = ("",)
    public: bool = field(default=True, kw_only=True)
    amend: Callable[[dict[str, Any]], dict[str, Any]] | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        for base in self.base_paths:
            if base and (not base.startswith("/") or base.endswith("/")):
                raise DocumentError(f"base path {base!r} must begin with a slash and not end with one")


class OpenApi31(OpenAPISpecification):  # type: ignore[misc]  # Connexion ships no types
    """Connexion's specification without its check against the 3.0 meta-schema, which refuses every 3.1 document."""

    @classmethod
    def _validate_spec(cls, spec: dict[str, Any]) -> None:
        version = str(spec.get("openapi", ""))
        if not version.startswith(("3.0.", "3.1.")):
            raise DocumentError(f"OpenAPI {version} is not supported")


def load(path: Path, amend: Callable[[dict[str, Any]], dict[str, Any]] | None = None) -> OpenApi31:
    """The bundled document, amended, with all references resolved; `.raw` is the bundle that keeps them.

    `x-openapi-router-controller` and `x-rate-limit` may also stand on a path item or at the root, for all operations
    below that say nothing else.

    Raises DocumentError.
    """
    document = amend(bundle(path)) if amend else bundle(path)
    for item in document.get("paths", {}).values():
        for keyword in _INHERITED:
            value = item.pop(keyword, document.get(keyword))
            for method in METHODS & item.keys():
                if value is not None:
                    item[method].setdefault(keyword, value)
    return OpenApi31(document)
