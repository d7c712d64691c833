"""Messages between front and worker: whole, in order, with open sockets."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from meet.media.front import channel
from meet.media.front.channel import MAX_PACKET, Channel, Message


class End:
    """One end and what it heard."""

    def __init__(self, sock: socket.socket) -> None:
        self.heard: list[Message] = []
        self.closed = 0
        self.channel = Channel(sock, self.heard.append, self._on_closed)

    def _on_closed(self) -> None:
        self.closed += 1


@pytest.fixture
async def ends() -> tuple[End, End]:
    left, right = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    return End(left), End(right)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(40):
        while not condition():
            await asyncio.sleep(0.005)


async def test_messages_arrive_whole_and_in_order(ends: tuple[End, End]) -> None:
    left, right = ends
    body = os.urandom(100_000)
    for number in range(300):  # more than the kernel's buffer holds
        assert left.channel.send("n", {"number": number}, data=body if number % 10 == 0 else b"")
    await until(lambda: len(right.heard) == 300)
    assert [m.fields["number"] for m in right.heard] == list(range(300))
    assert all(m.data == (body if m.fields["number"] % 10 == 0 else b"") for m in right.heard)
    left.channel.close()
    right.channel.close()


async def test_a_socket_travels_with_its_message(ends: tuple[End, End]) -> None:
    left, right = ends
    near, far = socket.socketpair()
    left.channel.send("before")
    left.channel.send("client", data=b"GET /", sock=far)
    await until(lambda: len(right.heard) == 2)
    assert (far.fileno(), right.heard[0].sock) == (-1, None)  # the sender's own descriptor is gone
    received = right.heard[1].sock
    assert received is not None and not received.get_inheritable()
    near.sendall(b"hello")
    received.settimeout(5)
    assert received.recv(5) == b"hello"
    for sock in (near, received):
        sock.close()
    left.channel.close()
    right.channel.close()


async def test_the_other_end_goes_away(ends: tuple[End, End]) -> None:
    left, right = ends
    left.channel.close()
    await until(lambda: right.closed)
    near, far = socket.socketpair()
    assert not right.channel.send("client", sock=far)
    assert (right.closed, left.closed, far.fileno()) == (1, 0, -1)
    near.close()


async def test_names_are_no_longer_than_they_came(ends: tuple[End, End]) -> None:
    """As in a token: any JSON string, so also half of a character."""
    left, right = ends
    names = ["\N{SNOWMAN}" * (48 * 1024 // 3), "\ud83c", "\udfa5\ud83c", 'a\n\x00"b']
    for name in names:
        assert left.channel.send("take", {"name": name}, data=b"x" * 64_000)
    await until(lambda: len(right.heard) == len(names))
    assert [message.text("name") for message in right.heard] == names
    left.channel.close()
    right.channel.close()


async def test_what_does_not_fit_is_refused(ends: tuple[End, End]) -> None:
    left, right = ends
    assert not left.channel.send("huge", data=b"x" * MAX_PACKET)
    assert left.channel.send("next")
    await until(lambda: right.heard)
    assert [m.kind for m in right.heard] == ["next"]
    left.channel.close()
    right.channel.close()


async def test_what_the_kernel_does_not_take_costs_the_others_nothing(ends: tuple[End, End]) -> None:
    left, right = ends
    left.channel._sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
    near, far = socket.socketpair()
    left.channel.send("client", data=b"x" * 100_000, sock=far)
    assert left.channel.send("next")
    await until(lambda: right.heard)
    assert ([m.kind for m in right.heard], far.fileno()) == (["next"], -1)
    near.close()
    left.channel.close()
    right.channel.close()


async def test_a_message_that_cannot_be_handled_does_not_stop_the_next(ends: tuple[End, End]) -> None:
    left, right = ends
    heard: list[str] = []

    def handle(message: Message) -> None:
        heard.append(message.kind)
        if message.kind == "bad":
            raise KeyError("name")

    right.channel._on_message = handle
    left.channel.send("bad")
    left.channel.send("good")
    await until(lambda: len(heard) == 2)
    left.channel.close()
    right.channel.close()


async def test_listening(tmp_path: Path) -> None:
    path = tmp_path / "front.link"
    came: list[socket.socket] = []
    stop = channel.listen(path, came.append)
    assert path.stat().st_mode & 0o777 == 0o600
    sock = channel.connect(path)
    await until(lambda: came)
    stop()
    with pytest.raises(OSError):
        channel.connect(path)
    for one in (sock, *came):
        one.close()
