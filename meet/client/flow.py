"""The logic of every request, without input and output.

A flow is a generator: it yields what is to be done and is sent what came of it (an `httpx.HTTPError` is thrown in).
`meet.client.runner` does these things, once blocking and once with asyncio; nothing else differs between the two
clients. httpx itself lets authentication schemes be written in this way.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias, TypeVar

import httpx

from meet.client import errors

T = TypeVar("T")


@dataclass(frozen=True)
class Send:
    """Send this; the result is the response. With `stream`, the body of a success has not been read yet."""

    request: httpx.Request
    stream: bool = False


@dataclass(frozen=True)
class Save:
    """Pass the body of a streamed response to `write` piece by piece, and call `wrote` after each."""

    response: httpx.Response
    write: Callable[[bytes], None]
    wrote: Callable[[], None]


@dataclass(frozen=True)
class Close:
    """Forget the rest of a streamed response."""

    response: httpx.Response


@dataclass(frozen=True)
class Wait:
    """Do nothing for so many seconds."""

    seconds: float


Effect: TypeAlias = Send | Save | Close | Wait
Flow: TypeAlias = Generator[Effect, Any, T]

_IDEMPOTENT: Final = frozenset({"GET", "HEAD", "PUT", "DELETE"})
_SAFE: Final = frozenset({"GET", "HEAD"})
_NEVER_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout)
_CUT_OFF: Final = (httpx.ReadError, httpx.RemoteProtocolError)


@dataclass(frozen=True)
class Retry:
    """When to send an idempotent request once more, and when not to wait for that any longer (seconds)."""

    attempts: int = 3
    first_pause: float = 0.25
    longest_pause: float = 60.0

    def pause(self, attempt: int) -> float:
        """Seconds before attempt number `attempt` (the second one is 1)."""
        return min(self.longest_pause, self.first_pause * 2.0 ** (attempt - 1))


DEFAULT_RETRY: Final = Retry()


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where the server is and how to talk to it. What identifies the caller is never shown."""

    url: httpx.URL
    timeout: httpx.Timeout
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    retry: Retry = DEFAULT_RETRY

    def request(
        self,
        method: str,
        path: str,
        *,
        query: dict[str, str] | None = None,
        body: Any = None,
        headers: dict[str, str] | None = None,
    ) -> httpx.Request:
        """A request to a path below the server's address."""
        return httpx.Request(
            method,
            self.url.copy_with(raw_path=(self.url.raw_path.rstrip(b"/") + path.encode("ascii"))),
            params=query or None,
            json=body,
            headers={**self.headers, **(headers or {})},
            extensions={"timeout": self.timeout.as_dict()},
        )


def exchange(
    origin: Origin,
    request: httpx.Request,
    *,
    stream: bool = False,
    accept: Callable[[httpx.Response], bool] = lambda response: response.is_success,
) -> Flow[httpx.Response]:
    """The response, if it is one to `accept`. Raises ApiError, ConnectionFailed.

    Only idempotent requests are repeated: when the connection could not be made (a read also when it was cut off),
    and after a 429 or 503 that says how long to wait.
    """
    attempt = 1
    while True:
        last = attempt >= origin.retry.attempts or request.method not in _IDEMPOTENT
        pause = origin.retry.pause(attempt)
        try:
            response: httpx.Response = yield Send(request, stream)
        except httpx.HTTPError as error:
            again = isinstance(error, _NEVER_SENT) or (request.method in _SAFE and isinstance(error, _CUT_OFF))
            if last or not again:
                raise errors.from_transport(error, request.url) from error
        else:
            if accept(response):
                return response
            wait = errors.retry_after(response) if response.status_code in (429, 503) else None
            if last or wait is None or wait > origin.retry.longest_pause:
                raise errors.from_response(response)
            pause = max(wait, pause)
        attempt += 1
        yield Wait(pause)
