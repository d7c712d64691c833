"""Which schemes an operation accepts, and where their credentials are found.

Connexion's `SecurityHandlerFactory` reads the scheme definitions; instead of its verify functions it gets handlers that
return credential readers, because alternatives in a document ("any scheme that passes") are not what the contract
says ("the first credential that is present decides alone", 1.4.1).

Vendor keywords on a scheme: `x-prefix` (text a header value must begin with, such as `Bearer `, to count at all) and
`x-query-fallback` (query parameter that carries the credential where no header can be set).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

from .call import Call
from .errors import HttpError
from .upstream import SecurityHandlerFactory

ANONYMOUS = "anonymous"
"""Name under which the empty requirement `{}` appears among an operation's schemes."""

CredentialReader = Callable[[Call], str | None]
Verifier = Callable[[Call, str], Awaitable[Any]]


class Authenticator(Protocol):
    """Decides who calls.

    `schemes` are the names in the operation's `security` list, `anonymous` standing for `{}`. The result becomes
    `call.principal`. Raises HttpError. Not asked for operations without security.
    """

    async def authenticate(self, call: Call, schemes: frozenset[str]) -> Any: ...


class FirstCredential:
    """Authenticator with fixed priorities: the first scheme whose credential is present decides alone.

    A credential for a scheme the operation does not list is ignored. `verifiers` maps scheme names, highest priority
    first, to `async (call, credential) -> principal`; the one for `anonymous` gets an empty credential.
    """

    def __init__(self, verifiers: Mapping[str, Verifier]) -> None:
        self._verifiers: Sequence[tuple[str, Verifier]] = tuple(verifiers.items())

    async def authenticate(self, call: Call, schemes: frozenset[str]) -> Any:
        for scheme, verify in self._verifiers:
            if scheme not in schemes:
                continue
            credential = "" if scheme == ANONYMOUS else call.credential(scheme)
            if credential is not None:
                return await verify(call, credential)
        raise unauthorized()


def unauthorized(message: str = "Unauthorized") -> HttpError:
    return HttpError(401, "Authentication Error", message)


def _header_reader(name: str, prefix: str, fallback: str | None) -> CredentialReader:
    def read(call: Call) -> str | None:
        value = call.headers.get(name)
        # Without the exact prefix the header counts as absent, it is not a wrong credential (1.4).
        if value is not None and value.startswith(prefix) and len(value) > len(prefix):
            return value[len(prefix) :]
        if fallback is not None:
            return next((text for text in call.query.get(fallback, ()) if text), None)
        return None

    return read


def _query_reader(name: str) -> CredentialReader:
    return lambda call: next((text for text in call.query.get(name, ()) if text), None)


class _ReaderHandler:
    """Stands in for Connexion's security handlers: turns a scheme definition into a credential reader."""

    def get_fn(self, scheme: Mapping[str, Any], _scopes: Sequence[str]) -> CredentialReader | None:
        fallback = scheme.get("x-query-fallback")
        if scheme["type"] == "http":
            return _header_reader("authorization", "Bearer ", fallback)
        if scheme["in"] == "query":
            return _query_reader(scheme["name"])
        if scheme["in"] == "header":
            return _header_reader(scheme["name"], scheme.get("x-prefix", ""), fallback)
        return None


def reader_factory() -> SecurityHandlerFactory:
    """Connexion's scheme parser, producing credential readers for `apiKey` and `http: bearer` schemes."""
    return SecurityHandlerFactory({"apiKey": _ReaderHandler, "bearer": _ReaderHandler})
