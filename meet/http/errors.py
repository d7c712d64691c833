"""Errors as the API shows them: `{"error": name, "message": text, ...}` (contract 2.0.1) and 422 bodies (2.0.2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .response import Response, json_response


class HttpError(Exception):
    """A request that ends with `status` and the body `{"error", "message", **extra}`.

    Raise it anywhere below the runtime; `HttpApp` renders it in one place.
    """

    def __init__(
        self,
        status: int,
        error: str,
        message: str,
        *,
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(f"{status} {error}: {message}")
        self.status = status
        self.error = error
        self.message = message
        self.headers = dict(headers or {})
        self.extra = dict(extra or {})

    def render(self) -> Response:
        body = {"error": self.error, "message": self.message, **self.extra}
        return json_response(self.status, body, self.headers)


@dataclass(frozen=True, slots=True)
class Issue:
    """One entry of a 422 body.

    `path` holds property names and array indexes; `code` is the JSON Schema keyword that failed (`required`, `type`,
    `minLength`...) or `custom`; `rank` is that keyword's place in its schema, which orders issues of one value.
    """

    path: tuple[str | int, ...]
    message: str
    code: str = "custom"
    rank: int = 0

    @property
    def field(self) -> str:
        return ".".join(str(part) for part in self.path)

    @property
    def fatal(self) -> bool:
        """The value has the wrong type or is missing: rules about the whole object make no sense then (2.0.2)."""
        return self.code in ("type", "required", "enum", "const")

    def below(self, prefix: tuple[str | int, ...]) -> Issue:
        return Issue((*prefix, *self.path), self.message, self.code, self.rank)


class ValidationFailed(HttpError):
    """422 with one detail per issue, in the order of the schema."""

    def __init__(self, issues: Iterable[Issue]) -> None:
        self.issues = tuple(issues)
        details = [{"field": issue.field, "message": issue.message} for issue in self.issues]
        super().__init__(422, "Unprocessable Entity", "Invalid request", extra={"details": details})


def path_not_found() -> HttpError:
    """Unknown paths and unsupported verbs alike (contract 1.9: never 405)."""
    return HttpError(404, "Path Not Found", "API path not implemented")


def malformed_body() -> HttpError:
    return HttpError(400, "Bad Request", "Malformed body")


def body_too_large(limit: int) -> HttpError:
    return HttpError(413, "Payload Too Large", f"Request body exceeds {limit} bytes")
