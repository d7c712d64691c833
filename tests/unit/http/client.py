"""A small ASGI client: one request, one reply, exact paths and headers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import orjson


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes
    complete: bool = True

    def json(self) -> Any:
        return orjson.loads(self.body)

    @property
    def details(self) -> list[tuple[str, str]]:
        """(field, message) pairs of a 422."""
        assert self.status == 422, self.body
        return [(detail["field"], detail["message"]) for detail in self.json()["details"]]


async def request(
    app: Any,
    method: str,
    target: str,
    *,
    headers: dict[str, str] | None = None,
    json: Any = None,
    body: bytes | None = None,
    chunks: list[bytes] | None = None,
) -> Reply:
    """Sends one request. `json` sets the content type; `chunks` sends the body piecewise without a length."""
    path, _, query = target.partition("?")
    sent = {"host": "toy.test", **(headers or {})}
    if json is not None:
        body = orjson.dumps(json)
        sent.setdefault("content-type", "application/json")
    if chunks is not None:
        sent["transfer-encoding"] = "chunked"
    elif body is not None:
        sent["content-length"] = str(len(body))
    pieces = chunks if chunks is not None else [body or b""]
    inbox = [
        {"type": "http.request", "body": piece, "more_body": index < len(pieces) - 1}
        for index, piece in enumerate(pieces)
    ]
    outbox: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return inbox.pop(0) if inbox else {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        outbox.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "scheme": "http",
        "method": method,
        "path": unquote(path),
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(name.lower().encode(), value.encode()) for name, value in sent.items()],
        "client": ("192.0.2.7", 40000),
        "server": ("127.0.0.1", 6080),
        "state": {},
    }
    await app(scope, receive, send)
    start = outbox[0]
    answered = {name.decode(): value.decode() for name, value in start["headers"]}
    content = b"".join(message.get("body", b"") for message in outbox[1:])
    return Reply(start["status"], answered, content, complete=not outbox[-1].get("more_body", False))
