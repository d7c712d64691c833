"""A whole transport over a real UDP socket: checks, DTLS, data channels, media and feedback, without a browser."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aioice import stun as reference

from meet.media.sfu.downtrack import DownTrack
from meet.media.sfu.track import Track
from meet.media.transport import aiortc_adapter as rtc
from meet.media.transport.peer import Peer
from meet.media.transport.udpmux import UdpMux
from tests.unit.media.fakes import header, rtp, vp8


class Client(asyncio.DatagramProtocol):
    """The other side: one socket, a controlling ICE agent, DTLS client, SRTP."""

    def __init__(self, server: tuple[str, int]) -> None:
        self.server = server
        self.certificate = rtc.Certificate()
        self.dtls = rtc.Dtls(self.certificate, self.send, server=False)
        self.messages: list[tuple[str, bytes]] = []
        self.media: asyncio.Queue[bytes] = asyncio.Queue()
        self.answers: asyncio.Queue[reference.Message] = asyncio.Queue()
        self.transport: asyncio.DatagramTransport
        self.rx: Any = None
        self.tx: Any = None

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        self.transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", 0))

    def send(self, data: bytes) -> None:
        self.transport.sendto(data, self.server)

    def datagram_received(self, data: bytes, _address: Any) -> None:
        if data[0] < 4:
            self.answers.put_nowait(reference.parse_message(data))
        elif 20 <= data[0] < 64:
            self.dtls.feed(data)
        else:
            self.media.put_nowait(data)

    def check(self, ufrag: str, password: str) -> None:
        message = reference.Message(message_method=reference.Method.BINDING, message_class=reference.Class.REQUEST)
        message.attributes["USERNAME"] = f"{ufrag}:client"
        message.attributes["USE-CANDIDATE"] = None
        message.add_message_integrity(password.encode())
        self.send(bytes(message))

    async def connect(self, peer: Peer, certificate: rtc.Certificate) -> None:
        self.check(peer.ice.ufrag, peer.ice.pwd)
        await asyncio.wait_for(self.answers.get(), 40)
        assert await self.dtls.handshake(("sha-256", certificate.fingerprint), 10)
        self.rx, self.tx = self.dtls.srtp_sessions()
        await until(lambda: peer.connected)

    async def close(self) -> None:
        await self.dtls.stop()
        self.transport.close()


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(40):
        while not condition():
            await asyncio.sleep(0.01)


class Bench:
    """A mux with peers and clients that are cleaned up together."""

    def __init__(self) -> None:
        self.mux = UdpMux("127.0.0.1", 0)
        self.mux.start()
        self.certificate = rtc.Certificate()
        self.peers: list[Peer] = []
        self.clients: list[Client] = []

    async def pair(self, name: str) -> tuple[Peer, Client]:
        peer, client = Peer(self.mux, self.certificate, name), Client(("127.0.0.1", self.mux.port))
        self.peers.append(peer)
        self.clients.append(client)
        await client.open()
        peer.set_remote(("sha-256", client.certificate.fingerprint))
        return peer, client

    async def close(self) -> None:
        for peer in self.peers:
            await peer.close()
        for client in self.clients:
            await client.close()
        self.mux.close()


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    running = Bench()
    yield running
    await running.close()


async def test_only_authentic_checks_are_answered(bench: Bench) -> None:
    peer, client = await bench.pair("a")
    client.check(peer.ice.ufrag, "wrong")
    client.check("unknown", peer.ice.pwd)
    await until(lambda: bench.mux.rejected == 2)
    assert client.answers.empty()
    assert peer.path is None
    client.check(peer.ice.ufrag, peer.ice.pwd)
    answer = await asyncio.wait_for(client.answers.get(), 40)
    assert answer.attributes["XOR-MAPPED-ADDRESS"] == client.transport.get_extra_info("sockname")
    assert peer.path is not None


async def test_a_wrong_certificate_is_refused(bench: Bench) -> None:
    peer, client = await bench.pair("a")
    peer.set_remote(("sha-256", rtc.Certificate().fingerprint))
    failed = asyncio.Event()
    peer.on_failed = failed.set
    reasons: list[str] = []
    peer.on_trouble = reasons.append
    client.check(peer.ice.ufrag, peer.ice.pwd)
    handshake = asyncio.create_task(client.dtls.handshake(("sha-256", bench.certificate.fingerprint), 5))
    await asyncio.wait_for(failed.wait(), 40)
    assert peer.failed
    assert reasons == ["dtls_failed"]
    assert peer.tx is None
    await handshake


async def test_data_channels_both_ways(bench: Bench) -> None:
    peer, client = await bench.pair("a")
    received: list[tuple[str, bytes]] = []
    peer.on_message = lambda label, data: received.append((label, data))
    sctp = peer.enable_sctp()
    sctp.create("_reliable", reliable=True)
    await client.connect(peer, bench.certificate)
    other = rtc.Sctp(client.dtls, lambda label, data: client.messages.append((label, data)))
    start = asyncio.create_task(other.start())
    await until(lambda: sctp.is_open("_reliable") and other.is_open("_reliable"))
    assert peer.send_message("_reliable", b"down" * 1000, reliable=True)
    assert other.send("_reliable", b"up")
    await until(lambda: received and client.messages)
    assert received == [("_reliable", b"up")]
    assert client.messages == [("_reliable", b"down" * 1000)]
    assert not peer.send_message("unknown", b"x", reliable=True)
    await start
    await other.stop()


async def test_media_is_forwarded_and_feedback_reaches_the_publisher(bench: Bench) -> None:
    publisher, sender = await bench.pair("publisher")
    subscriber, viewer = await bench.pair("subscriber")
    await sender.connect(publisher, bench.certificate)
    await viewer.connect(subscriber, bench.certificate)
    track = Track(publisher, sid="TR", kind="video", codec="VP8", cname="PA", clock_rate=90000)
    publisher.on_unknown_ssrc = lambda _packet, ssrc: track.bind(ssrc, "").on_rtp
    down = DownTrack(track, subscriber, pt=100, rtx_pt=101, clock=bench.mux.clock)
    down.enable(True)
    sender.send(sender.tx.protect(rtp(1, 0, vp8(1, 1), ssrc=77)))
    await until(lambda: track.layers)
    down.choose()
    # The subscriber's first packet must be a key frame: the publisher is asked for one.
    request = await asyncio.wait_for(sender.media.get(), 40)
    (pli,) = rtc.parse_rtcp(sender.rx.unprotect_rtcp(request))
    assert (pli.fmt, pli.media_ssrc) == (rtc.FMT_PLI, 77)
    payload = vp8(2, 2, key=True)
    sender.send(sender.tx.protect(rtp(2, 3000, payload, ssrc=77)))
    packet = viewer.rx.unprotect(await asyncio.wait_for(viewer.media.get(), 40))
    assert packet[12:] == payload
    pt, number, _, ssrc = header(packet)
    assert (pt, ssrc) == (100, down.ssrc)
    # A NACK of the subscriber brings the packet again, on the repair stream.
    nack = rtc.RtcpRtpfbPacket(fmt=rtc.FMT_NACK, ssrc=1, media_ssrc=down.ssrc, lost=[number])
    viewer.send(viewer.tx.protect_rtcp(bytes(nack)))
    repair = viewer.rx.unprotect(await asyncio.wait_for(viewer.media.get(), 40))
    assert header(repair)[0] == 101
    assert repair[12:] == struct.pack("!H", number) + payload
    # Nothing of the stream stays behind: libsrtp knows no SSRC that could be removed once more.
    down.close()
    for known in (down.ssrc, down.rtx_ssrc):
        with pytest.raises(rtc.SrtpError):
            subscriber.tx.remove_stream(known)


async def test_ice_restart_keeps_the_session(bench: Bench) -> None:
    peer, client = await bench.pair("a")
    await client.connect(peer, bench.certificate)
    old = peer.ice.ufrag
    peer.restart_ice()
    assert peer.ice.ufrag != old
    client.check(peer.ice.ufrag, peer.ice.pwd)
    await asyncio.wait_for(client.answers.get(), 40)
    seen: list[int] = []
    peer.on_unknown_ssrc = lambda _packet, ssrc: seen.append(ssrc)
    client.send(client.tx.protect(rtp(1, 0, b"x", ssrc=5)))
    await until(lambda: seen)
    assert seen == [5]


async def test_a_client_that_changes_its_address_is_followed(bench: Bench) -> None:
    """The session goes on over another socket after the next check, without a new handshake."""
    peer, client = await bench.pair("a")
    await client.connect(peer, bench.certificate)
    old = client.transport
    await client.open()
    client.check(peer.ice.ufrag, peer.ice.pwd)
    await asyncio.wait_for(client.answers.get(), 40)
    assert peer.path is not None
    assert peer.path.address == client.transport.get_extra_info("sockname")
    old.close()
    peer.send_rtp(rtp(1, 2, b"hello", ssrc=9))
    assert client.rx.unprotect(await asyncio.wait_for(client.media.get(), 40)).endswith(b"hello")


async def test_closed_peers_hear_nothing_more(bench: Bench) -> None:
    peer, client = await bench.pair("a")
    await client.connect(peer, bench.certificate)
    await peer.close()
    client.check(peer.ice.ufrag, peer.ice.pwd)
    await until(lambda: bench.mux.rejected >= 1)


async def test_garbage_is_ignored(bench: Bench) -> None:
    _, client = await bench.pair("a")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for junk in (b"", b"\x00", b"\x80", b"\x16\xfe\xfd", b"\xff" * 100, bytes(2000), b"\x80\x60" + bytes(30)):
            sock.sendto(junk, ("127.0.0.1", bench.mux.port))
    await until(lambda: bench.mux.received >= 7)
    assert client.answers.empty()
    assert bench.mux.sent == 0


def test_a_taken_port_is_an_error() -> None:
    first = UdpMux("127.0.0.1", 0)
    try:
        with pytest.raises(OSError, match="in use"):
            UdpMux("127.0.0.1", first.port)
    finally:
        first.close()
