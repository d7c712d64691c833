"""What can go wrong; the tree is drawn in `meet.client`."""

from __future__ import annotations

import re
from dataclasses import dataclass

import httpx
from pydantic import BaseModel, ValidationError


class MeetError(Exception):
    """Everything that this package raises on purpose."""


class ConnectionFailed(MeetError):
    """No complete answer came: refused, not found, cut off, no trust in the certificate."""


class TimedOut(ConnectionFailed):
    """Nothing came for longer than the client's time-out."""


class UnexpectedAnswer(MeetError):
    """Something answered that does not speak this API, or not this version of it."""


class DownloadFailed(MeetError):
    """The bytes that arrived are not the file that was promised."""


@dataclass(frozen=True)
class Detail:
    """One broken rule of a request: `field` is a path joined with dots, empty for the body as a whole."""

    field: str
    message: str


class ApiError(MeetError):
    """The server answered with an error.

    `error` is a short stable name for programs, `message` one sentence for people, `details` the broken rules of a
    422, `retry_after` the seconds that the server asks to wait for, if it does.
    """

    def __init__(
        self,
        status: int,
        error: str,
        message: str,
        *,
        details: tuple[Detail, ...] = (),
        retry_after: float | None = None,
    ) -> None:
        super().__init__(status, error, message)
        self.status = status
        self.error = error
        self.message = message
        self.details = details
        self.retry_after = retry_after

    def __str__(self) -> str:
        rules = "; ".join(f"{detail.field}: {detail.message}".removeprefix(": ") for detail in self.details)
        return f"{self.message} ({rules})" if rules else self.message


class InvalidRequest(ApiError):
    """400, 413, 416, 422: the request itself is wrong."""


class AuthenticationFailed(ApiError):
    """401: no credential, or one that is wrong or expired."""


class PermissionDenied(ApiError):
    """403: the credential does not reach this far."""


class NotFound(ApiError):
    """404: there is no such thing. A failed login is one of these, too."""


class Conflict(ApiError):
    """409: the state of the room or recording does not allow it; `error` may hold a code."""


class RateLimited(ApiError):
    """429: too many requests from this address."""


class ServerError(ApiError):
    """5xx: the fault is the server's."""


_KINDS: dict[int, type[ApiError]] = {
    400: InvalidRequest,
    401: AuthenticationFailed,
    403: PermissionDenied,
    404: NotFound,
    409: Conflict,
    413: InvalidRequest,
    416: InvalidRequest,
    422: InvalidRequest,
    429: RateLimited,
}


class _Body(BaseModel):
    class Issue(BaseModel):
        field: str = ""
        message: str = ""

    error: str
    message: str
    details: tuple[Issue, ...] = ()


def from_response(response: httpx.Response) -> ApiError:
    """The exception for an answer outside 2xx whose body has been read."""
    status = response.status_code
    kind = _KINDS.get(status, ServerError if status >= 500 else ApiError)
    wait = retry_after(response)
    try:
        body = _Body.model_validate_json(response.content)
    except ValidationError:  # a proxy's page, or something that is not this server
        return kind(status, response.reason_phrase, f"HTTP {status} {response.reason_phrase}".strip(), retry_after=wait)
    details = tuple(Detail(issue.field, issue.message) for issue in body.details)
    return kind(status, body.error, body.message, details=details, retry_after=wait)


def retry_after(response: httpx.Response) -> float | None:
    """Seconds in `Retry-After` (RFC 9110, 10.2.3); the form with a date is not used by this API."""
    text = response.headers.get("Retry-After", "").strip()
    return float(text) if re.fullmatch(r"\d+", text) else None


def from_transport(error: httpx.HTTPError, url: httpx.URL) -> ConnectionFailed:
    """The exception for a request that got no complete answer. Says where, never with which credential or query."""
    where = f"{url.scheme}://{url.netloc.decode('ascii')}"
    if isinstance(error, httpx.TimeoutException):
        return TimedOut(f"{where} did not answer in time")
    return ConnectionFailed(f"{where} cannot be reached: {str(error) or type(error).__name__}")
