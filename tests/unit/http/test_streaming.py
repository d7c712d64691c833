from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import pytest

from meet.http.streaming import Message, StreamResponse


class Client:
    """The server side of one ASGI request: collects messages, can stop draining, can go away."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.gone = asyncio.Event()
        self.open = asyncio.Event()
        self.open.set()

    async def send(self, message: Message) -> None:
        await self.open.wait()
        self.messages.append(message)

    async def receive(self) -> Message:
        if not self.messages and not self.gone.is_set():
            await asyncio.sleep(0)
            return {"type": "http.request", "body": b"", "more_body": False}
        await self.gone.wait()
        return {"type": "http.disconnect"}

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.messages)

    @property
    def finished(self) -> bool:
        last = self.messages[-1]
        return last["type"] == "http.response.body" and not last.get("more_body", False)


class Origin:
    """A body that knows whether it is open and how much was taken of it."""

    def __init__(self, chunks: Iterable[bytes], error: Exception | None = None) -> None:
        self.chunks = chunks
        self.error = error
        self.taken = 0
        self.state = "unopened"

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[AsyncIterator[bytes]]:
        self.state = "open"
        try:
            yield self._produce()
        finally:
            self.state = "closed"

    async def _produce(self) -> AsyncIterator[bytes]:
        for chunk in self.chunks:
            await asyncio.sleep(0)
            self.taken += 1
            yield chunk
        if self.error is not None:
            raise self.error


async def run(response: StreamResponse, client: Client, method: str = "GET") -> None:
    await response({"type": "http", "method": method}, client.receive, client.send)


async def test_a_whole_body() -> None:
    client, origin = Client(), Origin([b"abc", b"", b"de"])
    response = StreamResponse(206, {"X-One": "1"}, origin, 5)
    await run(response, client)
    assert client.messages[0] == {
        "type": "http.response.start",
        "status": 206,
        "headers": [(b"x-one", b"1"), (b"content-length", b"5")],
    }
    assert client.body == b"abcde"
    assert client.finished
    assert (response.outcome, response.sent, origin.state) == ("complete", 5, "closed")


async def test_headers_may_be_added_until_it_is_called() -> None:
    client, response = Client(), StreamResponse(200, {}, None, 0)
    response.headers["Access-Control-Allow-Origin"] = "*"
    await run(response, client)
    assert (b"access-control-allow-origin", b"*") in client.messages[0]["headers"]


@pytest.mark.parametrize(("method", "length"), [("HEAD", 5), ("GET", 0)])
async def test_head_and_empty_bodies_do_not_open_the_source(method: str, length: int) -> None:
    client, origin = Client(), Origin([b"abcde"])
    response = StreamResponse(200, {}, origin, length)
    await run(response, client, method)
    assert origin.state == "unopened"
    assert client.body == b""
    assert client.finished
    assert (b"content-length", str(length).encode()) in client.messages[0]["headers"]


async def test_the_source_is_opened_before_the_status_line() -> None:
    @asynccontextmanager
    async def broken() -> AsyncIterator[AsyncIterator[bytes]]:
        raise LookupError("no such blob")
        yield

    client, response = Client(), StreamResponse(200, {}, broken, 5)
    with pytest.raises(LookupError):
        await run(response, client)
    assert client.messages == []
    assert not response.started
    assert response.outcome == "failed"


async def test_a_failure_half_way_leaves_the_response_unfinished() -> None:
    client, origin = Client(), Origin([b"abc"], OSError("disk gone"))
    response = StreamResponse(200, {}, origin, 5)
    await run(response, client)
    assert client.body == b"abc"
    assert not client.finished
    assert (response.outcome, origin.state) == ("failed", "closed")


@pytest.mark.parametrize(("chunks", "passed"), [([b"abc"], b"abc"), ([b"abc", b"def"], b"abc")])
async def test_a_body_of_another_length_is_never_finished(chunks: list[bytes], passed: bytes) -> None:
    client, response = Client(), StreamResponse(200, {}, Origin(chunks), 5)
    await run(response, client)
    assert client.body == passed
    assert not client.finished
    assert response.outcome == "failed"


async def test_a_disconnect_stops_reading_and_closes_the_source() -> None:
    client, origin = Client(), Origin(b"x" for _ in range(10**9))
    response = StreamResponse(200, {}, origin, 10**9)
    task = asyncio.create_task(run(response, client))
    while origin.taken < 10:
        await asyncio.sleep(0)
    client.gone.set()
    await asyncio.wait_for(task, 40)
    assert origin.state == "closed"
    assert response.outcome == "disconnected"
    taken = origin.taken
    await asyncio.sleep(0.02)
    assert origin.taken == taken


async def test_a_disconnect_is_noticed_while_the_origin_is_silent_and_while_the_client_is_slow() -> None:
    opened = asyncio.Event()

    @asynccontextmanager
    async def silent() -> AsyncIterator[AsyncIterator[bytes]]:
        async def never() -> AsyncIterator[bytes]:
            opened.set()
            await asyncio.Event().wait()
            yield b""

        yield never()

    client = Client()
    task = asyncio.create_task(run(StreamResponse(200, {}, silent, 5), client))
    await opened.wait()
    client.gone.set()
    await asyncio.wait_for(task, 40)

    stuck, origin = Client(), Origin([b"a"] * 5)
    task = asyncio.create_task(run(StreamResponse(200, {}, origin, 5), stuck))
    while not stuck.body:
        await asyncio.sleep(0)
    stuck.open.clear()
    await asyncio.sleep(0.01)
    stuck.gone.set()
    await asyncio.wait_for(task, 40)
    assert origin.state == "closed"


async def test_a_stalled_client_makes_the_source_wait_with_one_chunk() -> None:
    client, origin = Client(), Origin([b"a"] * 50)
    response = StreamResponse(200, {}, origin, 50)
    task = asyncio.create_task(run(response, client))
    while not client.body:
        await asyncio.sleep(0)
    client.open.clear()
    await asyncio.sleep(0.02)
    assert origin.taken <= len(client.body) + 1
    client.open.set()
    await task
    assert client.body == b"a" * 50


async def test_the_servers_own_cancellation_passes_through_and_closes_the_source() -> None:
    client, origin = Client(), Origin(b"x" for _ in range(10**9))
    task = asyncio.create_task(run(StreamResponse(200, {}, origin, 10**9), client))
    while origin.taken < 3:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert origin.state == "closed"
