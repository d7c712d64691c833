"""Handlers of the toy document: most of them answer what they saw."""

from __future__ import annotations

from typing import Any

from meet.http import Call, HttpError, Response, json_response


class ToyError(Exception):
    """What the toy's error mapper knows."""


async def _echo(call: Call, status: int = 200) -> Response:
    seen = {"operation": call.operation_id, "params": call.params, "body": call.body, "principal": call.principal}
    return json_response(status, seen)


async def create_thing(call: Call) -> Response:
    return await _echo(call, 201)


async def get_thing(call: Call) -> Response:
    if call.params["thingId"] == "wrong":
        return json_response(200, {"unexpected": True})
    return json_response(200, {"thingId": call.params["thingId"], "verbose": call.params["verbose"], "note": None})


async def get_app(call: Call) -> Response:
    return await _echo(call)


async def start_record(call: Call) -> Response:
    return await _echo(call)


async def literal_app(call: Call) -> Response:
    return await _echo(call)


async def read_numbers(call: Call) -> Response:
    return await _echo(call)


async def read_lists(call: Call) -> Response:
    return await _echo(call)


async def guarded(call: Call) -> Response:
    return await _echo(call)


async def guarded_first(call: Call) -> Response:
    return await _echo(call)


async def failing(call: Call) -> Response:
    what = call.params["what"]
    if what == "http":
        raise HttpError(409, "Toy Error", "taken", headers={"x-why": "because"}, extra={"holder": "me"})
    if what == "mapped":
        raise ToyError("mapped")
    raise RuntimeError("upstream https://h/x?secret=abc123 said Bearer tok-tok")


async def raw_bytes(call: Call) -> Response:
    return json_response(200, {"size": len(call.raw_body), "body": call.body})


class Stream:
    """A raw ASGI answer; `failure` breaks it after the first chunk."""

    def __init__(self, failure: Exception | None) -> None:
        self._failure = failure

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
        await send({"type": "http.response.body", "body": b"one ", "more_body": True})
        if self._failure is not None:
            raise self._failure
        await send({"type": "http.response.body", "body": b"two"})


async def streamed(call: Call) -> Stream:
    kind = call.query.get("fail", [""])[0]
    failures: dict[str, Exception] = {"1": OSError("the disk is gone"), "known": ToyError("gone")}
    return Stream(failures.get(kind))
