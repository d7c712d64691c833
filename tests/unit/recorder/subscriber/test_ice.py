"""Fetching datagrams: all of them, in order, whether media comes in bunches or something else comes in between."""

from __future__ import annotations

import asyncio
import socket

import pytest

from meet.recorder.subscriber import ice
from meet.recorder.subscriber.ice import IceClient

MEDIA, HANDSHAKE = 0x80, 22


async def until(got: list[bytes], count: int) -> None:
    async with asyncio.timeout(40):
        while len(got) < count:
            await asyncio.sleep(0.002)


async def test_nothing_is_lost_between_bunches_and_pauses() -> None:
    got: list[bytes] = []
    client = IceClient(got.append, lambda: None)
    port = client._socket.getsockname()[1]
    sent: list[bytes] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        try:
            for bunch in range(6):
                for number in range(300 if bunch == 2 else 5):
                    first = HANDSHAKE if bunch in (0, 4) else MEDIA
                    sent.append(bytes([first, bunch, number // 256, number % 256]))
                    peer.sendto(sent[-1], ("127.0.0.1", port))
                if bunch % 2:
                    await until(got, len(sent))
                    await asyncio.sleep(0.05)  # long enough to be waiting for the next packet again
            await until(got, len(sent))
            assert got == sent
            async with asyncio.timeout(40):
                while client._fetch is not None:  # when nothing comes, nothing is done
                    await asyncio.sleep(0.01)
        finally:
            client.close()


async def test_where_much_comes_it_is_fetched_more_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """As Linux comes, less than 200 packets fit into the socket: 50 ms of twelve people at their best."""
    pauses: list[float] = []
    got: list[bytes] = []
    client = IceClient(got.append, lambda: None)
    monkeypatch.setattr(client, "_pause", ice._PAUSE_S)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.connect(("127.0.0.1", client._socket.getsockname()[1]))
        try:
            for count in (1, ice._MANY - 1, ice._MANY, ice._DRAIN):
                for _ in range(count):
                    peer.send(bytes([MEDIA, 0]))
                client._loop.remove_reader(client._socket.fileno())
                client._again()
                assert client._fetch is not None
                pauses.append(client._fetch.when() - client._loop.time())
                client._fetch.cancel()
        finally:
            client.close()
    assert [pause > ice._SHORT_PAUSE_S for pause in pauses] == [True, True, False, False]


async def test_closed_in_a_pause_it_stays_closed() -> None:
    got: list[bytes] = []
    client = IceClient(got.append, lambda: None)
    port = client._socket.getsockname()[1]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.sendto(bytes([MEDIA]), ("127.0.0.1", port))
        await until(got, 1)
    client.close()
    await asyncio.sleep(0.05)
    assert got == [bytes([MEDIA])]


async def test_a_packet_that_breaks_something_does_not_end_the_fetching() -> None:
    got: list[bytes] = []
    errors: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: errors.append(str(context["exception"])))

    def take(data: bytes) -> None:
        got.append(data)
        if data[1] == 1:
            raise RuntimeError("disk full")

    client = IceClient(take, lambda: None)
    port = client._socket.getsockname()[1]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        try:
            for number in (0, 1, 2):  # the second is fetched after a pause, with nothing else reading the socket
                peer.sendto(bytes([MEDIA, number]), ("127.0.0.1", port))
                await until(got, number + 1)
            assert errors == ["disk full"]
        finally:
            client.close()


async def test_closed_by_what_it_fetched() -> None:
    got: list[bytes] = []
    errors: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: errors.append(context))

    def take(data: bytes) -> None:
        got.append(data)
        if data[1] == closing:
            client.close()

    for closing in (0, 1):  # by the first packet, and by one after a pause
        got.clear()
        client = IceClient(take, lambda: None)
        port = client._socket.getsockname()[1]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            for number in range(closing + 1):
                peer.sendto(bytes([MEDIA, number]), ("127.0.0.1", port))
                await until(got, number + 1)
        await asyncio.sleep(0.05)
    assert not errors
