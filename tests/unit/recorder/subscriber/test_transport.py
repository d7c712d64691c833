"""What reaches a connection before it can be read, and what is due while media comes and while it does not."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import pylibsrtp
import pytest
from structlog.testing import capture_logs

from meet.media.transport import aiortc_adapter as rtc
from meet.recorder.subscriber import transport as transports
from meet.recorder.subscriber.depacketize import EncodedFrame
from meet.recorder.subscriber.stream import RtpStream
from meet.recorder.subscriber.transport import SubscriberTransport

KEY = bytes(range(28))
SSRC = 4711


def session(kind: int) -> pylibsrtp.Session:
    profile = pylibsrtp.Policy.SRTP_PROFILE_AEAD_AES_128_GCM
    return pylibsrtp.Session(pylibsrtp.Policy(key=KEY, ssrc_type=kind, srtp_profile=profile))


class Handshake:
    """A DTLS whose handshake ends when the test says so."""

    closed = False

    def __init__(self) -> None:
        self.done = asyncio.Event()

    async def handshake(self, _fingerprint: tuple[str, str], _timeout_s: float) -> bool:
        await self.done.wait()
        return True

    def srtp_sessions(self) -> tuple[Any, Any]:
        return session(pylibsrtp.Policy.SSRC_ANY_INBOUND), session(pylibsrtp.Policy.SSRC_ANY_OUTBOUND)

    def on_state(self, _callback: Callable[[], None]) -> None:
        pass

    async def stop(self) -> None:
        pass


class Connection:
    """A transport with one video stream, and a server's end for it."""

    def __init__(self) -> None:
        self.pictures: list[bytes] = []
        self.transport = SubscriberTransport(lambda *_: None, lambda: None)
        self.handshake = Handshake()
        self.transport._dtls = self.handshake  # type: ignore[assignment]
        self.transport.streams[SSRC] = RtpStream(SSRC, "video", "vp8", 90_000, self._on_frame)
        self._number = 0
        self._sender = session(pylibsrtp.Policy.SSRC_ANY_OUTBOUND)

    def _on_frame(self, _rtp: int, frame: EncodedFrame, _gap: bool, _arrival: float) -> None:
        self.pictures.append(frame.payload)

    def packet(self) -> bytes:
        """A key frame of one packet; its payload ends with its number."""
        number = self._number = self._number + 1
        head = bytes([0x80, 0x80 | 96, 0, number]) + bytes([0, 0, number, 0]) + SSRC.to_bytes(4, "big")
        return self._sender.protect(head + bytes([0x10, 0, 0, 0, number]))

    def connect(self) -> None:
        self.transport.ice.connected.set()
        self.transport.start(("sha-256", ""), data_channels=False)


@pytest.fixture
async def connection() -> Any:
    made = Connection()
    yield made
    await made.transport.close()


async def test_a_picture_that_overtook_the_handshake_is_not_lost(connection: Connection) -> None:
    connection.connect()
    for _ in range(3):
        connection.transport._datagram(connection.packet())
    assert connection.pictures == []
    connection.handshake.done.set()
    await asyncio.wait_for(connection.transport.connected.wait(), 40)
    assert [picture[-1] for picture in connection.pictures] == [1, 2, 3]
    connection.transport._datagram(connection.packet())
    assert len(connection.pictures) == 4
    assert not connection.transport.streams[SSRC].wants_key


async def test_an_early_packet_that_breaks_something_does_not_end_the_connection(connection: Connection) -> None:
    take = connection._on_frame

    def fail_once(*frame: Any) -> None:
        take(*frame)
        if len(connection.pictures) == 1:
            raise RuntimeError("disk full")

    connection.transport.streams[SSRC] = RtpStream(SSRC, "video", "vp8", 90_000, fail_once)
    connection.connect()
    for _ in range(2):
        connection.transport._datagram(connection.packet())
    connection.handshake.done.set()
    with capture_logs() as logs:
        await asyncio.wait_for(connection.transport.connected.wait(), 40)
    assert connection.pictures[-1][-1] == 2
    assert [log["event"] for log in logs] == ["recorder_packet_failed"]


async def test_what_comes_before_the_handshake_is_bounded(connection: Connection) -> None:
    packet = connection.packet()
    for _ in range(2 * transports._EARLY):
        connection.transport._datagram(packet)
    assert len(connection.transport._early) == transports._EARLY


async def test_key_frames_are_asked_for_while_nothing_comes(connection: Connection) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.setblocking(False)
        connection.transport.ice.selected = server.getsockname()
        connection.connect()
        connection.handshake.done.set()
        receiver = session(pylibsrtp.Policy.SSRC_ANY_INBOUND)
        asked: list[rtc.RtcpPsfbPacket] = []
        async with asyncio.timeout(40):
            while not asked:
                data = await asyncio.get_running_loop().sock_recv(server, 2048)
                if data[0] >= 128:
                    packets = rtc.parse_rtcp(receiver.unprotect_rtcp(data))
                    asked += [p for p in packets if isinstance(p, rtc.RtcpPsfbPacket) and p.fmt == rtc.FMT_PLI]
        assert asked[0].media_ssrc == SSRC
