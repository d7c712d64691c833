"""`HttpApp`: the ASGI application over one or more OpenAPI documents."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping, Sequence
from pathlib import Path
from typing import Any

from .access import log_broken, log_failure, log_request
from .body import ClientGone
from .call import Call, Headers
from .compiled import CompiledApi
from .conditional import conditional
from .cors import Cors
from .documents import Document
from .errors import HttpError, path_not_found
from .limits import RateLimiter
from .operation import Endpoint
from .proxy import TrustProxy, without_default_port
from .response import Response
from .router import RouteTable
from .security import Authenticator

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ErrorMapper = Callable[[Exception, Call], HttpError | None]
Check = Callable[[], Awaitable[None]]

DOCS_ASSETS = Path(__file__).parents[1] / "web" / "static" / "docs"
"""Where the web build puts swagger-ui-dist."""

_UNROUTED = "(none)"


class HttpApp:
    """One flat route table, one place where errors become answers.

    `error_mapper` turns the application's own exceptions into HttpError (None: not mine, so 500). `readiness` are the
    named checks behind `/readyz`; a check that raises makes the process not ready. `base_path` and `public_url` make
    `call.base_url`; without `public_url` the request's own origin counts, forwarded headers believed as `trust_proxy`
    says. `on_startup` and `on_shutdown` run with the server's lifespan. Raises DocumentError when a document, a schema
    or a handler is not usable.
    """

    def __init__(
        self,
        documents: Iterable[Document | tuple[Path, Sequence[str]]],
        authenticator: Authenticator,
        services: Any = None,
        *,
        error_mapper: ErrorMapper | None = None,
        rate_limiter: RateLimiter | None = None,
        readiness: Mapping[str, Check] | None = None,
        base_path: str = "",
        public_url: str | None = None,
        trust_proxy: bool | int | str = True,
        cors_origin: str = "*",
        docs_assets: Path = DOCS_ASSETS,
        on_startup: Sequence[Check] = (),
        on_shutdown: Sequence[Check] = (),
    ) -> None:
        self.services = services
        self.readiness = dict(readiness or {})
        self.proxy = TrustProxy(trust_proxy)
        self.docs_assets = docs_assets
        self._authenticator = authenticator
        self._error_mapper = error_mapper
        self._rate_limiter = rate_limiter
        self._base_path = base_path.rstrip("/")
        self._public_url = without_default_port(public_url.rstrip("/")) if public_url else None
        self._cors = Cors(cors_origin)
        self._on_startup = on_startup
        self._on_shutdown = on_shutdown
        self.routes: RouteTable[Endpoint] = RouteTable()
        self.apis = [
            CompiledApi(entry if isinstance(entry, Document) else Document(entry[0], tuple(entry[1])), self.routes)
            for entry in documents
        ]

    def base_url(self, call: Call) -> str:
        origin = self._public_url or self.proxy.origin(call.scope, call.headers)
        return origin + self._base_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            await self._serve(scope, receive, send)
        else:
            await receive()
            await send({"type": "websocket.close", "code": 1000})

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        method: str = scope["method"]
        found = self.routes.find(scope["path"], scope.get("raw_path"))
        reply = _Reply(send, self._cors, head=method == "HEAD")
        methods, path_params = found or ({}, {})
        endpoint = methods.get(method) or (methods.get("GET") if method == "HEAD" else None)
        try:
            if endpoint is not None:
                await self._answer(Call(scope, self, endpoint, path_params), receive, reply)
            elif method == "OPTIONS":
                await reply.send_response(self._cors.preflight(Headers(scope["headers"])))
            else:
                await reply.send_response(path_not_found().render())
        except ClientGone:
            reply.status = 499  # nginx' word for it; only the log sees it
        finally:
            log_request(method, endpoint.template if endpoint else _UNROUTED, reply.status, started)

    async def _answer(self, call: Call, receive: Receive, reply: _Reply) -> None:
        limiter, names = self._rate_limiter, call.endpoint.limiters
        if limiter is None or not names:
            await self._run(call, receive, reply)
            return
        try:
            reply.extra = await limiter.check(call, names)
        except HttpError as refusal:
            await reply.send_response(refusal.render())
            return
        await self._run(call, receive, reply)
        limiter.done(call, names, reply.status)

    async def _run(self, call: Call, receive: Receive, reply: _Reply) -> None:
        try:
            result = await call.endpoint.run(call, receive, self._authenticator)
            if isinstance(result, Response):
                await reply.send_response(conditional(call, result))
            else:
                await result(call.scope, receive, reply.send_message)
        except ClientGone:
            raise
        except Exception as error:
            if reply.refused:
                raise
            expected = self._expected(call, error)
            if expected is None:
                log_failure(call, error)
            if not reply.started:
                response = expected.render() if expected else self._unexpected(call)
                await reply.send_response(response)
            elif expected is not None:
                # The status is out. The server closes the connection of an unfinished answer: the client can see that.
                log_broken(call, error)

    def _expected(self, call: Call, error: Exception) -> HttpError | None:
        if isinstance(error, HttpError):
            return error
        return self._error_mapper(error, call) if self._error_mapper else None

    def _unexpected(self, call: Call) -> Response:
        text = f"Unexpected error while {call.endpoint.text(call)}"
        return HttpError(500, "Internal Server Error", text).render()

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        hooks = {"lifespan.startup": self._on_startup, "lifespan.shutdown": self._on_shutdown}
        while True:
            event = (await receive())["type"]
            try:
                for hook in hooks[event]:
                    await hook()
            except Exception as error:
                await send({"type": f"{event}.failed", "message": str(error)})
                return
            await send({"type": f"{event}.complete"})
            if event == "lifespan.shutdown":
                return


class _Reply:
    """Sends one response, adds the headers every response has, remembers the status for the log."""

    __slots__ = ("_cors", "_head", "_send", "extra", "refused", "started", "status")

    def __init__(self, send: Send, cors: Cors, *, head: bool) -> None:
        self._send = send
        self._cors = cors
        self._head = head
        self.extra: Mapping[str, str] = {}
        self.started = False
        self.refused = False  # the server's own send raised: not the handler's failure
        self.status = 500

    async def send_response(self, response: Response) -> None:
        headers = _raw(response.headers)
        if response.status != 304 and b"content-length" not in dict(headers):
            headers.append((b"content-length", b"%d" % len(response.body)))
        await self.send_message({"type": "http.response.start", "status": response.status, "headers": headers})
        body = b"" if self._head else response.body
        await self.send_message({"type": "http.response.body", "body": body})

    async def send_message(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            self.status = message["status"]
            headers = [*message.get("headers", ()), *self._cors.raw]
            message["headers"] = headers + _raw(self.extra) if self.extra else headers
        try:
            await self._send(message)
        except Exception:
            self.refused = True
            raise


def _raw(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
