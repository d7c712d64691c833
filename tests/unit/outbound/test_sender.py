"""Requests to receivers over real sockets: reasons of failure, redirects, private addresses."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from meet.core.model.webhook import WebhookReply
from meet.core.webhook_ports import NotDelivered
from meet.outbound import WebhookSender
from tests.support.ports import free_port

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
REFUSED = "Connection failed: private and loopback addresses are refused unless MEET_WEBHOOK_ALLOW_PRIVATE=true is set"


@asynccontextmanager
async def listening(serve: Serve) -> AsyncIterator[int]:
    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(one, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()


def answering(head: str) -> Serve:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"{}")
        writer.write(f"HTTP/1.1 {head}\r\nContent-Length: 0\r\n\r\n".encode())
        await writer.drain()

    return serve


async def hang_up(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await reader.read(10)


async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """RST instead of FIN."""
    await reader.read(10)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


async def plain_text(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(10)
    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    await writer.drain()


async def sleep(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(0.6)


@pytest.fixture
async def sender() -> AsyncIterator[WebhookSender]:
    made = WebhookSender(allow_private=True, timeout_s=0.5)
    yield made
    await made.close()


async def failure(sender: WebhookSender, url: str) -> str:
    with pytest.raises(NotDelivered) as refused:
        await sender.post(url, {"X-Timestamp": "1"}, b"{}")
    return str(refused.value)


async def test_answers_are_passed_on_and_redirects_not_followed(sender: WebhookSender) -> None:
    async with listening(answering("204 No Content")) as port:
        assert await sender.post(f"http://127.0.0.1:{port}/x?a=b", {}, b"{}") == WebhookReply(204, "No Content")
    async with listening(answering("307 Temporary Redirect\r\nLocation: http://127.0.0.1:1/")) as port:
        assert (await sender.post(f"http://localhost:{port}/", {}, b"{}")).status == 307


async def test_what_went_wrong_is_told_in_the_contracts_words(sender: WebhookSender) -> None:
    assert await failure(sender, f"http://127.0.0.1:{free_port()}/") == "Connection refused by server"
    assert await failure(sender, "http://nowhere.invalid/") == "Domain name could not be resolved"
    assert await failure(sender, "http://") == "Connection failed: not a usable URL"
    async with listening(hang_up) as port:
        assert await failure(sender, f"http://127.0.0.1:{port}/") == "Connection reset by server"
    async with listening(reset) as port:
        assert await failure(sender, f"http://127.0.0.1:{port}/") == "Connection reset by server"
    async with listening(sleep) as port:
        assert await failure(sender, f"http://127.0.0.1:{port}/") == "Request timed out after 0.5 seconds"
    async with listening(plain_text) as port:
        assert await failure(sender, f"https://127.0.0.1:{port}/") == "SSL/TLS certificate error"


async def test_private_and_loopback_receivers_get_nothing_unless_allowed() -> None:
    careful = WebhookSender()
    met = 0

    async def count(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        nonlocal met
        met += 1

    async with listening(count) as port:
        for host in ("127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "0x7f.1", "10.0.0.1"):
            assert await failure(careful, f"http://{host}:{port}/") == REFUSED
    assert met == 0
    await careful.close()
