"""Connexion's routing API, compiled: each operation becomes one `Endpoint` in our route table."""

from __future__ import annotations

from typing import Any

from .documents import Document, DocumentError, OpenApi31, load
from .operation import Endpoint
from .resolver import HandlerResolver
from .router import RouteTable
from .security import reader_factory
from .upstream import AbstractRoutingAPI, ResolverError


class CompiledApi(AbstractRoutingAPI):  # type: ignore[misc]  # Connexion ships no types
    """Registers every operation of a document in `table`, once per base path.

    Raises DocumentError naming all operations without a handler, or the first one that cannot be compiled.
    """

    def __init__(self, document: Document, table: RouteTable[Endpoint]) -> None:
        self.document = document
        self._table = table
        self._factory = reader_factory()
        self._missing: list[str] = []
        specification: OpenApi31 = load(document.path, document.amend)
        super().__init__(specification, base_path="", resolver=HandlerResolver())
        if self._missing:
            raise DocumentError(f"{document.path}: " + "; ".join(self._missing))

    def make_operation(self, operation: Any) -> Endpoint:
        return Endpoint(operation, self._factory)

    @staticmethod
    def _framework_path_and_name(operation: Any, path: str) -> tuple[str, str]:
        return path, operation.operation_id

    def _add_operation_internal(self, method: str, path: str, operation: Endpoint, name: str | None = None) -> None:
        for base in dict.fromkeys(self.document.base_paths):
            self._table.add(method.upper(), (base + path).rstrip("/") or "/", operation, rest=operation.takes_rest)

    def _handle_add_operation_error(self, path: str, method: str, exc: Exception) -> None:
        where = f"{method.upper()} {path}"
        if isinstance(exc, ResolverError):
            # Connexion would stop at the first one; a start-up message should name them all.
            self._missing.append(f"{where}: {exc}")
            return
        if isinstance(exc, DocumentError):
            raise exc
        raise DocumentError(f"{self.document.path}: {where}: {exc}") from exc
