"""From a document's `operationId` to the Python handler."""

from __future__ import annotations

import importlib
import inspect
import re
from typing import Any

from .upstream import Resolver, ResolverError

_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def snake_case(name: str) -> str:
    """`startRecording` -> `start_recording`, `downloadRecordingsZIP` -> `download_recordings_zip`."""
    return _WORD_START.sub("_", name).lower()


class HandlerResolver(Resolver):  # type: ignore[misc]  # Connexion ships no types
    """`x-openapi-router-controller` names the module, `operationId` (camelCase) the function (snake_case).

    Raises ResolverError, with the operation and the missing name in the text, when there is no such coroutine function.
    """

    def __init__(self) -> None:
        super().__init__(function_resolver=_load)

    def resolve_operation_id(self, operation: Any) -> str:
        where = f"{operation.method.upper()} {operation.path}"
        if not operation.operation_id:
            raise ResolverError(f"{where} has no operationId")
        if not operation.router_controller:
            raise ResolverError(f"{where} ({operation.operation_id}) has no x-openapi-router-controller")
        return f"{operation.router_controller}.{snake_case(operation.operation_id)}"


def _load(name: str) -> Any:
    module_name, _, function_name = name.rpartition(".")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        raise ResolverError(f"module {module_name} cannot be imported: {error}") from error
    handler = getattr(module, function_name, None)
    if not inspect.iscoroutinefunction(handler):
        raise ResolverError(f"{module_name} has no async function {function_name}")
    return handler
