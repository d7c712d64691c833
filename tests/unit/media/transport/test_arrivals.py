"""A busy process is not a congested network."""

from __future__ import annotations

import asyncio
import errno
import socket
import sys
import time
from collections.abc import Iterator
from typing import NoReturn

import pytest

from meet.media.transport import arrivals
from meet.media.transport.ice_lite import IceLite
from meet.media.transport.traffic import Traffic
from meet.media.transport.udpmux import UdpMux

Pair = tuple[socket.socket, socket.socket]


class Listener:
    """What the mux delivers to: keeps (datagram, arrival)."""

    def __init__(self) -> None:
        self.ice, self.traffic = IceLite(time.monotonic), Traffic()
        self.seen: asyncio.Queue[tuple[bytes, float]] = asyncio.Queue()

    def on_srtp(self, data: bytes, now: float) -> None:
        self.seen.put_nowait((data, now))

    def on_dtls(self, data: bytes) -> None: ...

    def on_path(self) -> None: ...


@pytest.fixture(params=["127.0.0.1", "::1"], ids=["IPv4", "IPv6"])
def pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    """(sends, receives)"""
    family = socket.AF_INET6 if ":" in request.param else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as here, socket.socket(family, socket.SOCK_DGRAM) as there:
        try:
            there.bind((request.param, 0))
        except OSError:
            pytest.skip(f"no {request.param} on this machine")
        there.setblocking(False)
        here.connect(there.getsockname())
        yield here, there


@pytest.fixture
def stamping() -> Iterator[None]:
    """Linux notes arrivals of nobody until somebody asks, and then begins a moment later: wait until it does."""
    if sys.platform != "linux":
        pytest.skip("the kernel's timestamps are Linux's")
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as here,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as there,
    ):
        there.bind(("127.0.0.1", 0))
        read, waited = arrivals.reader(there), 0.0
        deadline = time.monotonic() + 30
        while waited < 0.01:
            assert time.monotonic() < deadline
            here.sendto(b"x", there.getsockname())
            time.sleep(0.01)
            waited = read()[2]
        yield


@pytest.mark.usefixtures("stamping")
def test_a_datagram_that_waited_says_for_how_long(pair: Pair) -> None:
    here, there = pair
    read = arrivals.reader(there)
    sent = []
    for number in range(3):
        sent.append(time.monotonic())
        here.send(b"%d" % number)
        time.sleep(0.05)
    time.sleep(0.1)
    for number, began in enumerate(sent):
        data, address, waited = read()
        assert data == b"%d" % number
        assert address == here.getsockname()
        # Between the send and now, whatever the machine was doing meanwhile; the next one was sent 50 ms later.
        assert 0.05 * (3 - number) < waited <= time.monotonic() - began
    with pytest.raises(BlockingIOError):
        read()


@pytest.mark.parametrize("step_s", [-3600.0, 3600.0])
def test_a_clock_that_was_set_meanwhile_is_no_wait(pair: Pair, step_s: float, monkeypatch: pytest.MonkeyPatch) -> None:
    here, there = pair
    wall = time.time_ns
    monkeypatch.setattr("time.time_ns", lambda: wall() + int(step_s * 1e9))
    read = arrivals.reader(there)
    here.send(b"x")
    assert read()[::2] == (b"x", 0.0)


def test_elsewhere_nothing_has_ever_waited(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    here, there = pair
    monkeypatch.setattr("sys.platform", "darwin")
    read = arrivals.reader(there)
    here.send(b"x")
    time.sleep(0.01)
    assert read() == (b"x", here.getsockname(), 0.0)


def test_where_the_kernel_keeps_no_times_nothing_has_ever_waited() -> None:
    class Sandboxed(socket.socket):
        def setsockopt(self, *_: object) -> NoReturn:
            raise OSError(errno.ENOPROTOOPT, "Protocol not available")

    with (
        Sandboxed(socket.AF_INET, socket.SOCK_DGRAM) as there,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as here,
    ):
        there.bind(("127.0.0.1", 0))
        here.connect(there.getsockname())
        here.send(b"x")
        assert arrivals.reader(there)() == (b"x", here.getsockname(), 0.0)


@pytest.mark.usefixtures("stamping")
async def test_media_is_handed_on_with_the_time_of_its_arrival() -> None:
    mux = UdpMux("127.0.0.1")
    receiver = Listener()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
        end.bind(("127.0.0.1", 0))
        mux.register(receiver)
        mux.attach(receiver, end.getsockname())
        mux.start()
        try:
            for number in range(2):  # what is busy for 150 ms is the event loop, after each of them
                end.sendto(bytes([0x80, 96, 0, number]), ("127.0.0.1", mux.port))
                time.sleep(0.15)
            busy_until = time.monotonic()
            (first, at), (second, after) = [await asyncio.wait_for(receiver.seen.get(), 40) for _ in range(2)]
        finally:
            mux.close()
    assert (first[3], second[3]) == (0, 1)
    assert at < busy_until - 0.2
    assert at + 0.1 < after < busy_until - 0.1
