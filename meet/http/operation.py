"""One operation of a document, compiled: everything that can be decided before the first request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from .body import DEFAULT_LIMIT, MISSING, Body, Receive, parse, read_raw
from .bundle import DocumentError
from .call import Call
from .errors import ValidationFailed
from .parameters import Parameters
from .router import path_parameters
from .security import ANONYMOUS, Authenticator, CredentialReader
from .upstream import SecurityHandlerFactory

Handler = Callable[[Call], Awaitable[Any]]


class Endpoint:
    """Handler, security, parameters and body of one operation.

    Vendor keywords: `x-validate-first` (validation before authentication), `x-operation-text` (what an unexpected
    error interrupted, may use `{param}`), `x-rate-limit` (limiter names), `x-max-body` (bytes), `x-location-prefix`
    (422 fields of parameters begin with `params.`, `query.` or `headers.`, and all are checked at once).
    """

    def __init__(self, operation: Any, factory: SecurityHandlerFactory) -> None:
        definition = operation._operation  # Connexion keeps vendor extensions only here
        where = f"{operation.method.upper()} {operation.path}"
        self.operation_id: str = definition["operationId"]
        self.method: str = operation.method.upper()
        self.template: str = operation.path
        self.handler: Handler = operation.function
        self.validate_first = bool(definition.get("x-validate-first"))
        self.max_body = int(definition.get("x-max-body", DEFAULT_LIMIT))
        limiters = definition.get("x-rate-limit", ())
        self.limiters: tuple[str, ...] = (limiters,) if isinstance(limiters, str) else tuple(limiters)
        self._text: str = definition.get("x-operation-text") or f"running {self.operation_id}"
        grouped = bool(definition.get("x-location-prefix"))
        self._parameters = Parameters(operation.parameters, where, grouped=grouped)
        self.takes_rest = _takes_rest(operation.parameters, self.template, where)
        if self._parameters.names("path") != set(path_parameters(self.template)):
            raise DocumentError(f"{where}: the path parameters do not match the path")
        self._body = _body(operation.request_body, where)
        self.schemes, self.credentials = _security(operation, factory, where)

    async def run(self, call: Call, receive: Receive, authenticator: Authenticator) -> Any:
        """Malformed body -> authentication -> validation -> handler (contract 1.5)."""
        call.raw_body = await read_raw(call.headers, receive, self.max_body)
        parsed = parse(call.raw_body, call.headers.get("content-type")) if call.raw_body else MISSING
        if self.validate_first:
            self._validate(call, parsed)
            await self._authenticate(call, authenticator)
        else:
            await self._authenticate(call, authenticator)
            self._validate(call, parsed)
        return await self.handler(call)

    def text(self, call: Call) -> str:
        """`getting room 'a-1'`: the operation in words, for the message of an unexpected error."""
        words = self._text
        for name, value in {**call.path_params, **call.params}.items():
            words = words.replace(f"{{{name}}}", str(value))
        body = call.body if isinstance(call.body, dict) else {}
        for name, value in body.items():
            if isinstance(value, str):
                words = words.replace(f"{{{name}}}", value)
        return words

    async def _authenticate(self, call: Call, authenticator: Authenticator) -> None:
        if self.schemes:
            call.principal = await authenticator.authenticate(call, self.schemes)

    def _validate(self, call: Call, parsed: Any) -> None:
        issues = self._parameters.read(call)
        if not issues and self._body is not None:
            issues = self._body.read(call, parsed)
        if issues:
            raise ValidationFailed(issues)


def _takes_rest(parameters: list[dict[str, Any]], template: str, where: str) -> bool:
    """Whether a parameter of `format: path` (Connexion's word for it) takes the rest of the path, slashes included."""
    greedy = [p["name"] for p in parameters if p["in"] == "path" and p.get("schema", {}).get("format") == "path"]
    if greedy and not template.endswith(f"/{{{greedy[0]}}}"):
        raise DocumentError(f"{where}: a parameter of format path must be the last segment")
    return bool(greedy)


def _body(definition: dict[str, Any], where: str) -> Body | None:
    content = definition.get("content", {})
    # Other media types (webhook deliveries with signatures over the bytes) go to the handler untouched.
    return Body(definition, where) if "application/json" in content else None


def _security(
    operation: Any, factory: SecurityHandlerFactory, where: str
) -> tuple[frozenset[str], dict[str, CredentialReader]]:
    names: set[str] = set()
    readers: dict[str, CredentialReader] = {}
    for requirement in operation.security or ():
        if len(requirement) > 1:
            raise DocumentError(f"{where}: security schemes can be alternatives, not combined in one requirement")
        if not requirement:
            names.add(ANONYMOUS)
    for name, scheme in operation.security_schemes.items():
        reader = factory.parse_security_scheme(scheme, [])
        if reader is not None:
            readers[name] = reader
    for requirement in operation.security or ():
        for name in requirement:
            if name not in readers:
                raise DocumentError(f"{where}: security scheme {name} is not declared or not supported")
            names.add(name)
    return frozenset(names), readers
