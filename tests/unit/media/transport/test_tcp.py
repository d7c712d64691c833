"""ICE over TCP on a real socket: framing, one whole connection, and the limits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import uvloop
from aioice import stun as reference

from meet.media.transport import aiortc_adapter as rtc
from meet.media.transport import tcp
from meet.media.transport.addresses import candidates
from meet.media.transport.peer import Peer
from meet.media.transport.tcp import TcpLink
from meet.media.transport.udpmux import UdpMux
from tests.unit.media.fakes import rtp
from tests.unit.media.transport.test_loopback import until


class Client:
    """The active side, with DTLS and SRTP."""

    def __init__(self) -> None:
        self.certificate = rtc.Certificate()
        self.dtls = rtc.Dtls(self.certificate, self.send, server=False)
        self.got: list[bytes] = []
        self.ended = asyncio.Event()
        self._writer: asyncio.StreamWriter

    async def open(self, port: int) -> None:
        reader, self._writer = await asyncio.open_connection("127.0.0.1", port)
        self._task = asyncio.create_task(self._read(reader))

    async def _read(self, reader: asyncio.StreamReader) -> None:
        try:
            while True:
                frame = await reader.readexactly(int.from_bytes(await reader.readexactly(2), "big"))
                if 20 <= frame[0] < 64:
                    self.dtls.feed(frame)
                else:
                    self.got.append(frame)
        except (asyncio.IncompleteReadError, ConnectionError):
            self.ended.set()

    def send(self, data: bytes) -> None:
        self.write(len(data).to_bytes(2, "big") + data)

    def write(self, data: bytes) -> None:
        self._writer.write(data)

    def check(self, peer: Peer) -> bytes:
        message = reference.Message(message_method=reference.Method.BINDING, message_class=reference.Class.REQUEST)
        message.attributes["USERNAME"] = f"{peer.ice.ufrag}:client"
        message.attributes["USE-CANDIDATE"] = None
        message.add_message_integrity(peer.ice.pwd.encode())
        return bytes(message)

    async def close(self) -> None:
        await self.dtls.stop()
        self._writer.close()
        await self._task


@pytest.fixture
async def mux() -> AsyncIterator[UdpMux]:
    running = UdpMux("127.0.0.1", 0, tcp=True)
    running.start()
    await running.start_tcp()
    yield running
    running.close()


@pytest.fixture
async def client(mux: UdpMux) -> AsyncIterator[Client]:
    connected = Client()
    await connected.open(mux.port)
    yield connected
    await connected.close()


async def test_a_whole_connection(mux: UdpMux, client: Client) -> None:
    certificate = rtc.Certificate()
    peer = Peer(mux, certificate, "tcp")
    packets: list[bytes] = []
    peer.handlers[7] = lambda packet, _now: packets.append(packet)
    peer.set_remote(("sha-256", client.certificate.fingerprint))
    check = client.check(peer)
    framed = len(check).to_bytes(2, "big") + check
    client.write(framed[:1])  # frames come in pieces
    await asyncio.sleep(0.02)
    client.write(framed[1:] + framed)  # and several at once
    await until(lambda: len(client.got) == 2)
    answer = reference.parse_message(client.got[0])
    assert answer.attributes["XOR-MAPPED-ADDRESS"][0] == "127.0.0.1"
    assert await client.dtls.handshake(("sha-256", certificate.fingerprint), 10)
    await until(lambda: peer.connected)
    _, tx = client.dtls.srtp_sessions()
    client.send(tx.protect(rtp(1, 2, b"up")))
    await until(lambda: packets)
    assert packets[0].endswith(b"up")
    client.got.clear()
    peer.send_rtp(rtp(1, 2, b"down", ssrc=9))
    await until(lambda: client.got)
    await peer.close()
    await asyncio.wait_for(client.ended.wait(), 40)  # the connection goes with its peer


async def test_on_the_event_loop_that_the_server_uses() -> None:
    """uvloop's transports are no subclasses of asyncio's."""

    async def answered() -> int:
        mux = UdpMux("127.0.0.1", 0, tcp=True)
        await mux.start_tcp()
        peer, client = Peer(mux, rtc.Certificate(), "tcp"), Client()
        await client.open(mux.port)
        client.send(client.check(peer))
        await until(lambda: client.got)
        await peer.close()
        await client.close()
        mux.close()
        return len(client.got)

    assert await asyncio.to_thread(uvloop.run, answered()) == 1


async def test_what_is_no_frame_ends_the_connection(client: Client) -> None:
    client.write(b"GET / HTTP/1.1\r\n\r\n" + bytes(30_000))
    await asyncio.wait_for(client.ended.wait(), 40)


async def test_a_connection_must_authenticate_soon(mux: UdpMux, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tcp, "_AUTHENTICATE_S", 0.2)
    silent, good = Client(), Client()
    await silent.open(mux.port)
    await good.open(mux.port)
    peer = Peer(mux, rtc.Certificate(), "tcp")
    good.send(good.check(peer))
    await asyncio.wait_for(silent.ended.wait(), 40)
    await asyncio.sleep(0.3)
    assert not good.ended.is_set()
    await peer.close()
    await silent.close()
    await good.close()


async def test_connections_per_address_are_limited(mux: UdpMux, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tcp, "_MAX_PER_HOST", 2)
    monkeypatch.setattr(tcp, "_REFUSE_AFTER_S", 0.2)
    clients = [Client() for _ in range(3)]
    for each in clients:
        await each.open(mux.port)
    await asyncio.wait_for(clients[2].ended.wait(), 40)
    assert not clients[0].ended.is_set()
    await clients[0].close()  # makes room
    again = Client()
    await until(lambda: mux.tcp_connections == 1)
    await again.open(mux.port)
    await until(lambda: mux.tcp_connections == 2)
    for each in (*clients[1:], again):
        await each.close()


def test_a_slow_reader_loses_packets_instead_of_queueing_them() -> None:
    class Slow(asyncio.Transport):
        def get_write_buffer_size(self) -> int:
            return 1 << 20

        def is_closing(self) -> bool:
            return False

    link = TcpLink.__new__(TcpLink)
    link._transport = Slow()
    with pytest.raises(BlockingIOError):
        link.sendto(b"x", ())


def test_candidate_lines() -> None:
    lines: list[Any] = [c.line(i) for i, c in enumerate(candidates(["192.0.2.1", "fd00::2"], 7882, tcp=True), 1)]
    assert lines[0] == "a=candidate:1 1 udp 2130706431 192.0.2.1 7882 typ host"
    assert lines[3].startswith("a=candidate:4 1 tcp ")
    assert lines[3].endswith(" fd00::2 7882 typ host tcptype passive")
    priorities = [int(line.split()[3]) for line in lines]
    assert priorities == sorted(priorities, reverse=True)
