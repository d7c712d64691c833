"""What leaves the application: errors, unexpected failures, streams, CORS, limits, the access log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from structlog.testing import capture_logs

from meet.http import Call, HttpApp, HttpError, encode
from meet.http.access import redact

from .client import request
from .conftest import make_app

FAILING = "/api/v1/failing"


async def test_http_errors_and_mapped_errors(app: HttpApp) -> None:
    reply = await request(app, "GET", f"{FAILING}/http")
    assert (reply.status, reply.headers["x-why"]) == (409, "because")
    assert reply.json() == {"error": "Toy Error", "message": "taken", "holder": "me"}
    assert (await request(app, "GET", f"{FAILING}/mapped")).json() == {"error": "Mapped", "message": "mapped"}


async def test_an_unexpected_exception_is_logged_without_secrets(app: HttpApp) -> None:
    with capture_logs() as logs:
        reply = await request(app, "GET", f"{FAILING}/odd")
    assert (reply.status, reply.json()) == (
        500,
        {"error": "Internal Server Error", "message": "Unexpected error while failing with 'odd'"},
    )
    failure = next(entry for entry in logs if entry["event"] == "http_handler_failed")
    assert "RuntimeError" in failure["traceback"]
    assert "handlers.py" in failure["traceback"]
    assert "abc123" not in str(logs)
    assert "tok-tok" not in str(logs)


def test_redaction_keeps_the_rest_of_the_text() -> None:
    text = "GET /a?secret=s3cr3t&x=1 eyJhbGci.eyJzdWIi.c2ln Authorization: Bearer abc api_key='k1' plain"
    assert redact(text) == "GET /a?secret=***&x=*** *** Authorization: Bearer *** api_key='***' plain"


async def test_access_log_has_the_template_and_never_the_query(app: HttpApp) -> None:
    with capture_logs() as logs:
        await request(app, "GET", "/api/v1/apps/secret-app?secret=s3cr3t")
        await request(app, "GET", "/api/v1/unknown?secret=s3cr3t")
    events = [(entry["method"], entry["route"], entry["status"]) for entry in logs if entry["event"] == "http_request"]
    assert events == [("GET", "/apps/{app}", 200), ("GET", "(none)", 404)]
    assert "s3cr3t" not in str(logs)


async def test_an_unchanged_answer_is_304(app: HttpApp) -> None:
    first = await request(app, "GET", "/api/v1/apps/x")
    tag = first.headers["etag"]
    assert tag.startswith('W/"')
    for known in (tag, f'"other", {tag}', tag.removeprefix("W/"), "*"):
        again = await request(app, "GET", "/api/v1/apps/x", headers={"if-none-match": known})
        assert (again.status, again.body, again.headers["etag"]) == (304, b"", tag)
        assert "content-length" not in again.headers
    changed = await request(app, "GET", "/api/v1/apps/y", headers={"if-none-match": tag})
    assert (changed.status, changed.headers["etag"] != tag) == (200, True)
    assert "etag" not in (await request(app, "GET", f"{FAILING}/http")).headers


async def test_raw_asgi_answers_get_the_common_headers(app: HttpApp) -> None:
    reply = await request(app, "GET", "/api/v1/stream")
    assert reply.body == b"one two"
    assert reply.headers["access-control-allow-origin"] == "*"


async def test_a_stream_that_breaks_breaks_the_connection(app: HttpApp) -> None:
    with capture_logs() as logs:
        reply = await request(app, "GET", "/api/v1/stream?fail=1")
    assert [entry["event"] for entry in logs] == ["http_handler_failed", "http_request"]
    assert (reply.body, reply.complete) == (b"one ", False)  # a server closes the connection of such an answer


async def test_an_expected_error_in_a_stream_is_one_line(app: HttpApp) -> None:
    with capture_logs() as logs:
        reply = await request(app, "GET", "/api/v1/stream?fail=known")
    assert [entry["event"] for entry in logs] == ["http_answer_broken", "http_request"]
    assert "traceback" not in logs[0]
    assert not reply.complete


async def test_cors_preflight_and_origin() -> None:
    app = make_app(cors_origin="https://page.test")
    headers = {"origin": "https://page.test", "access-control-request-headers": "x-api-key,range"}
    reply = await request(app, "OPTIONS", "/api/v1/anything", headers=headers)
    assert (reply.status, reply.body) == (204, b"")
    assert reply.headers["access-control-allow-methods"] == "GET,HEAD,PUT,PATCH,POST,DELETE"
    assert reply.headers["access-control-allow-headers"] == "x-api-key,range"
    refused = await request(app, "GET", "/api/v1/nothing")
    assert refused.headers["access-control-allow-origin"] == "https://page.test"
    assert refused.headers["access-control-allow-credentials"] == "true"
    assert refused.headers["vary"] == "Origin"


class Limiter:
    def __init__(self) -> None:
        self.asked: list[tuple[str, ...]] = []
        self.statuses: list[int] = []

    async def check(self, call: Call, limiters: tuple[str, ...]) -> Mapping[str, str]:
        self.asked.append(limiters)
        if len(self.asked) > 1:
            raise HttpError(429, "Too Many Requests", "slow down", headers={"retry-after": "9"})
        return {"ratelimit": "limit=1, remaining=0, reset=9"}

    def done(self, call: Call, limiters: tuple[str, ...], status: int) -> None:
        self.statuses.append(status)


async def test_rate_limits_come_first_and_their_headers_go_out_with_any_answer() -> None:
    limiter = Limiter()
    app = make_app(rate_limiter=limiter)
    first = await request(app, "GET", f"{FAILING}/http")
    assert (first.status, first.headers["ratelimit"]) == (409, "limit=1, remaining=0, reset=9")
    second = await request(app, "GET", f"{FAILING}/http")
    assert (second.status, second.headers["retry-after"]) == (429, "9")
    assert (await request(app, "GET", "/api/v1/apps/x")).status == 200
    assert limiter.asked == [("api", "special")] * 2
    assert limiter.statuses == [409]


def test_json_leaves_out_none_and_writes_whole_numbers_as_integers() -> None:
    assert encode({"a": None, "b": 1.0, "c": [None, 2.5, {"d": None}], "e": True}) == (
        b'{"b":1,"c":[null,2.5,{}],"e":true}'
    )


async def test_websockets_are_closed(app: HttpApp) -> None:
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    await app({"type": "websocket", "path": "/api/v1/apps/x"}, receive, send)
    assert [message["type"] for message in sent] == ["websocket.close"]


async def test_a_client_that_leaves_while_sending_gets_no_answer(app: HttpApp) -> None:
    sent: list[object] = []

    async def receive() -> dict[str, object]:
        return {"type": "http.disconnect"}

    async def send(message: object) -> None:
        sent.append(message)

    headers = [(b"content-type", b"application/json"), (b"content-length", b"9")]
    scope = {"type": "http", "method": "POST", "path": "/api/v1/things", "query_string": b"", "headers": headers}
    with capture_logs() as logs:
        await app(scope, receive, send)
    assert sent == []
    assert logs[0]["status"] == 499
