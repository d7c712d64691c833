"""Floods on loopback, bounded in count and time: memory per address and peer is bounded, and others are not harmed."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import aiohttp
import psutil
import pytest
from aioice import stun as reference
from prometheus_client import generate_latest

from meet.media.gateway import sweeper
from meet.media.main import MediaServer
from meet.media.transport import aiortc_adapter as rtc
from meet.media.transport import peer as peer_module
from meet.media.transport import udpmux, waiting
from meet.media.transport.ice_lite import Path
from meet.media.transport.peer import Peer
from tests.unit.media.gateway.client import Client, token
from tests.unit.media.transport.test_loopback import Bench, until

JOINS = 2000


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    made = Bench()
    yield made
    await made.close()


def check(peer: Peer, password: str) -> bytes:
    message = reference.Message(message_method=reference.Method.BINDING, message_class=reference.Class.REQUEST)
    message.attributes["USERNAME"] = f"{peer.ice.ufrag}:client"
    message.add_message_integrity(password.encode())
    return bytes(message)


async def test_checks_and_handshakes_from_many_ports(bench: Bench) -> None:
    """Of strangers nothing is kept at all, of a participant that has gone mad a few addresses."""
    peer, client = await bench.pair("a")
    await client.connect(peer, bench.certificate)
    mux = bench.mux
    wrong, hello = check(peer, "wrong"), b"\x16\xfe\xfd" + bytes(100)
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(100)]
    for _ in range(10):
        for sock in sockets:
            sock.sendto(wrong, ("127.0.0.1", mux.port))
            sock.sendto(hello, ("127.0.0.1", mux.port))
        await asyncio.sleep(0.01)
    await until(lambda: mux.rejected >= 500)
    assert len(mux._by_address) == 1
    right = check(peer, peer.ice.pwd)
    mux.shape = lambda _data, _path: True  # thousands of answers to nobody
    for port in range(1, 5000):
        mux._on_stun(right, Path(mux._sockets[0], ("127.0.0.2", port)))
    assert len(mux._by_address) <= udpmux._MAX_PATHS_PER_PEER
    mux.shape = None
    for _ in range(2000):
        peer.on_dtls(hello)
    assert peer.dtls._ice.queue.qsize() <= 256
    for sock in sockets:
        sock.close()
    # The honest participant's own session still works.
    client.check(peer.ice.ufrag, peer.ice.pwd)
    await asyncio.wait_for(client.answers.get(), 40)


async def test_one_participants_bad_packet_does_not_take_the_burst_with_it(bench: Bench) -> None:
    mad, mad_client = await bench.pair("mad")
    good, good_client = await bench.pair("good")
    await mad_client.connect(mad, bench.certificate)
    await good_client.connect(good, bench.certificate)
    heard: list[bytes] = []

    def broken(_packet: bytes, _now: float) -> None:
        raise IndexError("as a mistake of ours would")

    mad.handlers[1] = broken
    good.handlers[1] = lambda packet, _now: heard.append(packet)
    for number in range(10):
        mad_client.send(mad_client.tx.protect(_packet(number)))
        good_client.send(good_client.tx.protect(_packet(number)))
    await until(lambda: len(heard) == 10)
    assert bench.mux.failures == 10


def _packet(number: int, ssrc: int = 1) -> bytes:
    return b"\x80\x60" + number.to_bytes(2, "big") + bytes(4) + ssrc.to_bytes(4, "big") + b"x"


async def test_streams_without_end_are_the_end_of_the_transport(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every SSRC that was ever decrypted stays in libsrtp; its client is sent away to start anew."""
    monkeypatch.setattr(peer_module, "_MAX_SSRCS", 50)
    peer, client = await bench.pair("a")
    failed: list[str] = []
    peer.on_trouble = failed.append
    await client.connect(peer, bench.certificate)
    for ssrc in range(1, 60):
        client.send(client.tx.protect(_packet(1, ssrc)))
    report = rtc.RtcpRtpfbPacket(fmt=rtc.FMT_NACK, ssrc=99, media_ssrc=1, lost=[1])
    client.send(client.tx.protect_rtcp(bytes(report)))
    await until(lambda: failed)
    assert peer.failed
    assert failed == ["streams"]
    assert peer.traffic.packets_in == 50
    client.send(client.tx.protect(_packet(2, 7)))  # what it had already goes on until it leaves
    await until(lambda: peer.traffic.packets_in == 51)


async def test_one_datagram_does_not_ask_for_thousands_of_packets(bench: Bench) -> None:
    peer, _ = await bench.pair("a")
    asked: list[int] = []

    class Sink:
        def on_nack(self, sequences: list[int]) -> None:
            asked.extend(sequences)

    peer.sinks[7] = Sink()  # type: ignore[assignment]
    bomb = bytes(rtc.RtcpRtpfbPacket(fmt=rtc.FMT_NACK, ssrc=1, media_ssrc=7, lost=list(range(5000))))
    for _ in range(10):
        peer._on_rtcp(bomb, 1.0)
    assert peer.traffic.nacks_in == 50000
    assert 1500 <= len(asked) < 5000


async def test_thousands_of_joins_with_bad_tokens(server: MediaServer) -> None:
    process = psutil.Process()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=50)) as http:
        url = f"http://127.0.0.1:{server.port}/rtc"

        async def attempt(number: int) -> int:
            bad = token("x")[:-1] + "_" if number % 2 else "no.token.at" + "x" * (number % 300)
            async with http.get(url, params={"access_token": bad, "n": str(number)}) as response:
                await response.read()
                return response.status

        assert await attempt(0) == await attempt(1) == 401
        before, files = process.memory_info().rss, process.num_fds()
        statuses = await asyncio.gather(*(attempt(n) for n in range(JOINS)))
        assert set(statuses) == {401}
        assert process.memory_info().rss - before < 40 << 20
        assert process.num_fds() - files <= 2 * 50 + 10
        alice = await Client(http, server).v0(token("alice"))
        assert (await alice.expect("join")).participant.identity == "alice"
    assert server.registry.list()[0].participants.keys() == {"alice"}
    assert len(server.gateway.pulse.sessions) == 1


async def test_slow_loris_connections_are_ended(
    server: MediaServer, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeper, "FIRST_REQUEST_S", 1.0)
    slow = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(50)]
    for _, writer in slow:
        writer.write(b"GET /rtc HTTP/1.1\r\nHost: x\r\nX-A: ")
    alice = await Client(http, server).v0(token("alice"))
    await alice.expect("join")
    async with asyncio.timeout(40):
        for reader, writer in slow:
            assert await reader.read() == b""
            writer.close()
    await alice.send(ping=1)
    await alice.expect("pong")  # a connection that did ask something goes on


async def test_of_too_many_silent_connections_the_oldest_are_ended(
    server: MediaServer, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "MAX_WAITING", 20)
    ports = [server.port] * 60 + [server.rtc_port] * 60
    silent = [await asyncio.open_connection("127.0.0.1", port) for port in ports]
    async with asyncio.timeout(40):
        for reader, _ in silent[:40] + silent[60:100]:
            assert await reader.read() == b""
    metrics = generate_latest(server.metrics.registry).decode()
    assert 'meet_media_connections_ended_total{reason="no_request"} 40.0' in metrics
    assert "meet_media_tcp_refused_total 40.0" in metrics
    alice = await Client(http, server).v0(token("alice"))
    await alice.expect("join")
    for _, writer in silent:
        writer.close()


async def test_garbage_over_signalling(server: MediaServer, http: aiohttp.ClientSession) -> None:
    alice = await Client(http, server).v0(token("alice"))
    await alice.expect("join")
    for junk in (b"\xff" * 100, bytes(500_000)):
        mallory = await Client(http, server).v0(token("mallory"))
        await mallory.expect("join")
        await mallory.socket.send_bytes(junk)
        await mallory.ended()
    huge = await Client(http, server).v0(token("huge"))
    await huge.socket.send_bytes(bytes(2 << 20))
    await huge.ended()
    for session in server.gateway.pulse.sessions:
        for junk in (b"", b"\x00", b"\xff" * 1000):
            session._on_data("_reliable", junk)
            session._on_data("elsewhere", junk)
    await alice.send(ping=1)
    await alice.expect("pong")
