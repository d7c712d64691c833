"""The two clients: what they send, how they page, what they raise and show."""

from __future__ import annotations

import inspect
import logging
import subprocess
import sys

import httpx
import pytest

import meet.client
from meet.client import (
    ApiError,
    AuthenticationFailed,
    Client,
    Conflict,
    InvalidRequest,
    MeetError,
    NotFound,
    PermissionDenied,
    UnexpectedAnswer,
)
from tests.unit.client.conftest import KEY, async_client, client, page, problem


def pages(request: httpx.Request) -> httpx.Response:
    """Five rooms on three pages."""
    assert request.url.params["maxItems"] == "2"
    first = int(request.url.params.get("nextPageToken", "0"))
    return page(first, min(first + 2, 5), str(first + 2) if first < 4 else None)


def test_iterating_reads_all_pages() -> None:
    names = [room.room_id for room in client(pages).rooms.iterate(max_items=2)]
    assert names == [f"room-{number}" for number in range(5)]


async def test_iterating_reads_all_pages_with_asyncio() -> None:
    async with async_client(pages) as api:
        names = [room.room_id async for room in api.rooms.iterate(max_items=2, next_page_token="2")]
    assert names == ["room-2", "room-3", "room-4"]


def test_pages_are_read_when_they_are_needed() -> None:
    asked = []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return page(0, 2, "more")

    rooms = client(handle).rooms.iterate()
    assert asked == []
    next(rooms), next(rooms)
    assert len(asked) == 1


@pytest.mark.parametrize("base", ["http://meet.test/base", "http://meet.test/base/"])
def test_addresses_and_identifiers_are_put_together_safely(base: str) -> None:
    seen: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"message": "done"})

    client(handle, base).users.delete("a/../b?c=ü")
    assert seen[0].url.raw_path == b"/base/api/v1/users/a%2F..%2Fb%3Fc%3D%C3%BC"
    assert seen[0].headers["X-API-KEY"] == KEY


@pytest.mark.parametrize("identifier", ["", ".", ".."])
def test_what_would_be_another_path_is_no_identifier(identifier: str) -> None:
    with pytest.raises(ValueError, match="is not an identifier"):
        client(pages).rooms.delete(identifier)


def test_logging_in_adds_the_token() -> None:
    seen: list[httpx.Headers] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers)
        return httpx.Response(200, json={"message": "hello", "accessToken": "eyJ.token", "enabled": True})

    api = client(handle)
    assert "eyJ" not in repr(api.log_in("alice", "correct horse"))
    api.config.get_webhooks()
    assert "Authorization" not in seen[0]
    assert seen[1]["Authorization"] == "Bearer eyJ.token"
    assert seen[1]["X-API-KEY"] == KEY


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, InvalidRequest),
        (401, AuthenticationFailed),
        (403, PermissionDenied),
        (404, NotFound),
        (409, Conflict),
        (418, ApiError),
    ],
)
def test_errors_have_their_kind(status: int, kind: type[ApiError]) -> None:
    with pytest.raises(kind) as caught:
        client(lambda _: problem(status, "Room Error", "Room 'a' is odd")).rooms.get("a")
    assert type(caught.value) is kind
    assert (caught.value.status, caught.value.error, str(caught.value)) == (status, "Room Error", "Room 'a' is odd")


def test_broken_rules_are_named() -> None:
    details = [{"field": "", "message": "Required"}, {"field": "name", "message": "too long"}]
    with pytest.raises(InvalidRequest) as caught:
        client(lambda _: problem(422, "Unprocessable Entity", "Invalid request", details=details)).rooms.create()
    assert [(detail.field, detail.message) for detail in caught.value.details] == [
        ("", "Required"),
        ("name", "too long"),
    ]
    assert str(caught.value) == "Invalid request (Required; name: too long)"


def test_a_proxys_page_is_an_error_as_well() -> None:
    with pytest.raises(ApiError, match="HTTP 502 Bad Gateway"):
        client(lambda _: httpx.Response(502, text="<html>")).rooms.create()


@pytest.mark.parametrize("body", [b"<html>", b"{}", b'{"rooms": 3, "pagination": {}}', b"[]"])
def test_an_answer_of_somebody_else_is_told(body: bytes) -> None:
    with pytest.raises(UnexpectedAnswer, match="the answer to GET /api/v1/rooms is not one of this API"):
        client(lambda _: httpx.Response(200, content=body)).rooms.list()


def test_a_bulk_deletion_that_failed_in_part_is_a_result() -> None:
    body = {"message": "1", "deleted": ["a"], "failed": [{"userId": "b", "error": "User not found"}]}
    result = client(lambda _: httpx.Response(400, json=body)).users.delete_several(["a", "b"])
    assert result.deleted == ("a",)
    assert result.failed[0].error == "User not found"
    with pytest.raises(InvalidRequest):
        client(lambda _: problem(400)).users.delete_several(["a"])


def test_no_credential_is_shown(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    api = Client(
        "http://meet.test",
        api_key=KEY,
        access_token="eyJ.s3cret",
        transport=httpx.MockTransport(lambda _: problem(401)),
    )
    with pytest.raises(MeetError) as caught:
        api.rooms.list()
    shown = f"{api!r} {vars(api)!r} {caught.value!r} {caught.value} {caplog.text}"
    assert "s3cret" not in shown


@pytest.mark.parametrize("url", ["meet.test", "ftp://meet.test", "http://", "http://a:b:c"])
def test_what_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="URL"):
        Client(url)


def test_help_shows_the_arguments() -> None:
    api = client(pages)
    assert "room_name" in inspect.signature(api.rooms.create).parameters
    assert "self" not in inspect.signature(api.rooms.create).parameters
    assert api.rooms.create.__doc__ == type(api.rooms).create.__doc__


def test_the_public_surface() -> None:
    assert set(meet.client.__all__) == {
        "Analytics",
        "ApiError",
        "ApiKey",
        "AsyncClient",
        "AuthenticationFailed",
        "Client",
        "Conflict",
        "ConnectionFailed",
        "Delivery",
        "Detail",
        "DownloadFailed",
        "InvalidRequest",
        "KnownRecording",
        "Member",
        "MeetError",
        "NotFound",
        "Page",
        "PermissionDenied",
        "RateLimited",
        "Recording",
        "Retry",
        "Room",
        "RoomConfig",
        "ServerError",
        "TimedOut",
        "Tokens",
        "UnexpectedAnswer",
        "User",
        "WebhookConfig",
    }
    errors = {name for name in meet.client.__all__ if _is_error(getattr(meet.client, name))}
    assert meet.client.__doc__ is not None
    assert all(name in meet.client.__doc__ for name in errors)


def _is_error(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, Exception)


def test_nothing_of_the_server_is_imported() -> None:
    script = (
        "import sys, meet.client; ours = {n for n in sys.modules if n.startswith('meet.')};"
        "print([n for n in ours if not n.startswith('meet.client')],"
        " [n for n in ('sqlalchemy', 'connexion', 'av', 'aiohttp', 'structlog') if n in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[] []"
