"""Which requests are sent once more, when, and what is raised in the end."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from meet.client import ConnectionFailed, NotFound, RateLimited, Retry, ServerError, TimedOut
from tests.unit.client.conftest import Handler, async_client, client, page, problem


def answering(*answers: httpx.Response | Exception) -> tuple[Handler, list[str]]:
    """A handler with these answers in order, and the methods it was asked with."""
    rest: Iterator[httpx.Response | Exception] = iter(answers)
    asked: list[str] = []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request.method)
        answer = next(rest)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return handle, asked


REFUSED = httpx.ConnectError("refused")
CUT_OFF = httpx.RemoteProtocolError("cut off")
BUSY = problem(429, "Too Many Requests", "Later", headers={"Retry-After": "7"})


@pytest.mark.parametrize("first", [REFUSED, CUT_OFF, httpx.ConnectTimeout("slow")])
def test_a_read_is_tried_again(first: Exception, pauses: list[float]) -> None:
    handler, asked = answering(first, page(0, 1, None))
    assert len(client(handler).rooms.list().items) == 1
    assert len(asked) == 2
    assert pauses == [0.25]


async def test_it_is_with_asyncio_too(pauses: list[float]) -> None:
    handler, asked = answering(REFUSED, REFUSED, page(0, 1, None))
    async with async_client(handler) as api:
        assert len((await api.rooms.list()).items) == 1
    assert len(asked) == 3
    assert pauses == [0.25, 0.5]


def test_what_may_have_been_done_is_not_done_again(pauses: list[float]) -> None:
    handler, asked = answering(CUT_OFF)
    with pytest.raises(ConnectionFailed, match=r"http://meet\.test cannot be reached: cut off"):
        client(handler).rooms.delete("a")
    handler, asked_post = answering(REFUSED)
    with pytest.raises(ConnectionFailed):
        client(handler).rooms.create("a")
    assert (asked, asked_post, pauses) == (["DELETE"], ["POST"], [])


def test_a_delete_that_never_left_is_tried_again(pauses: list[float]) -> None:
    handler, asked = answering(REFUSED, problem(404))
    with pytest.raises(NotFound):
        client(handler).rooms.delete("a")
    assert len(asked) == 2
    assert len(pauses) == 1


def test_the_server_says_how_long_to_wait(pauses: list[float]) -> None:
    handler, _ = answering(BUSY, BUSY, page(0, 1, None))
    client(handler).rooms.list()
    assert pauses == [7.0, 7.0]


def test_waiting_has_an_end(pauses: list[float]) -> None:
    handler, asked = answering(BUSY, BUSY, BUSY)
    with pytest.raises(RateLimited) as caught:
        client(handler).rooms.list()
    assert caught.value.retry_after == 7
    assert len(asked) == 3
    handler, asked = answering(BUSY)
    with pytest.raises(RateLimited):
        client(handler, retry=Retry(longest_pause=6)).rooms.list()
    assert len(asked) == 1


def test_a_creation_is_not_repeated_after_429(pauses: list[float]) -> None:
    handler, asked = answering(BUSY)
    with pytest.raises(RateLimited):
        client(handler).rooms.create()
    assert (asked, pauses) == (["POST"], [])


def test_errors_of_the_server_are_final(pauses: list[float]) -> None:
    handler, asked = answering(problem(503))
    with pytest.raises(ServerError):
        client(handler).rooms.list()
    assert (asked, pauses) == (["GET"], [])


def test_silence_is_its_own_error(pauses: list[float]) -> None:
    handler, asked = answering(httpx.ReadTimeout("silence"))
    with pytest.raises(TimedOut, match="did not answer in time"):
        client(handler).rooms.list()
    assert len(asked) == 1
