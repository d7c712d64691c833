"""`Call`: one request, as every handler sees it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from .app import HttpApp
    from .operation import Endpoint

Scope = Mapping[str, Any]


class Headers:
    """Request headers with case-insensitive names; a repeated header is joined with `, ` (RFC 9110 5.3)."""

    __slots__ = ("_values",)

    def __init__(self, raw: Iterable[tuple[bytes, bytes]]) -> None:
        values: dict[str, str] = {}
        for name, value in raw:
            key = name.decode("latin-1").lower()
            text = value.decode("latin-1")
            values[key] = f"{values[key]}, {text}" if key in values else text
        self._values = values

    def get(self, name: str, default: str | None = None) -> str | None:
        return self._values.get(name.lower(), default)

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._values

    def items(self) -> Iterable[tuple[str, str]]:
        return self._values.items()


class Call:
    """One request.

    `params` holds the validated, coerced and defaulted parameters under the names of the document; `body` the
    validated JSON with defaults filled in (`None` when there is none); `raw_body` the untouched bytes. `principal` is
    what the authenticator returned, `services` what the composition root put into `HttpApp`.
    """

    __slots__ = (
        "_base_url",
        "_client_ip",
        "_headers",
        "_query",
        "app",
        "body",
        "endpoint",
        "method",
        "params",
        "path",
        "path_params",
        "principal",
        "raw_body",
        "scope",
        "services",
    )

    def __init__(self, scope: Scope, app: HttpApp, endpoint: Endpoint, path_params: dict[str, str]) -> None:
        self.scope = scope
        self.app = app
        self.endpoint = endpoint
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.path_params = path_params
        self.params: dict[str, Any] = {}
        self.body: Any = None
        self.raw_body = b""
        self.principal: Any = None
        self.services: Any = app.services
        self._headers: Headers | None = None
        self._query: dict[str, list[str]] | None = None
        self._client_ip: str | None = None
        self._base_url: str | None = None

    @property
    def operation_id(self) -> str:
        return self.endpoint.operation_id

    @property
    def headers(self) -> Headers:
        if self._headers is None:
            self._headers = Headers(self.scope["headers"])
        return self._headers

    @property
    def query(self) -> dict[str, list[str]]:
        """Every query key with all its values, undecoded text never shown: percent and plus are resolved."""
        if self._query is None:
            query: dict[str, list[str]] = {}
            raw: bytes = self.scope["query_string"]
            if raw:
                for key, value in parse_qsl(raw.decode("latin-1"), keep_blank_values=True):
                    query.setdefault(key, []).append(value)
            self._query = query
        return self._query

    @property
    def client_ip(self) -> str:
        """Address of the client, forwarded headers honoured as far as the proxies in front are trusted."""
        if self._client_ip is None:
            self._client_ip = self.app.proxy.client_ip(self.scope, self.headers)
        return self._client_ip

    @property
    def base_url(self) -> str:
        """Public origin plus base path, without trailing slash (contract 1.1)."""
        if self._base_url is None:
            self._base_url = self.app.base_url(self)
        return self._base_url

    def credential(self, scheme: str) -> str | None:
        """The credential the request carries for a security scheme of its document, or None when it is absent."""
        reader = self.endpoint.credentials.get(scheme)
        return reader(self) if reader else None
