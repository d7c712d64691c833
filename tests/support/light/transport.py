"""The client's half of one peer connection: a socket, a controlling ICE agent, DTLS client, SRTP, data channels."""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections import Counter
from typing import Any

from aioice import stun

from meet.media.sdp.parse import Section
from meet.media.transport import aiortc_adapter as rtc

_CONSENT_S = 3.0
_CERTIFICATES: list[rtc.Certificate] = []


def certificate() -> rtc.Certificate:
    """One for all of them: the fingerprint is all that the server looks at."""
    if not _CERTIFICATES:
        _CERTIFICATES.append(rtc.Certificate())
    return _CERTIFICATES[0]


class LightTransport:
    """Connects to the address in a server's description. `packets` counts received RTP by SSRC."""

    def __init__(self, *, host: str = "127.0.0.1") -> None:
        self.restart()
        self.packets: Counter[int] = Counter()
        self.key_wanted = True
        self.messages: list[tuple[str, bytes]] = []
        self.up = asyncio.Event()
        self.dtls = rtc.Dtls(certificate(), self.send, server=False)
        self.sctp: rtc.Sctp | None = None
        self.rx: Any = None
        self.tx: Any = None
        self.credentials = ("", "")
        self.server: tuple[str, int] = ("", 0)
        self._answered = asyncio.Event()
        self._host = host
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.bind((host, 0))
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._socket.fileno(), self._readable)
        self._tasks: list[asyncio.Task[None]] = []

    def restart(self) -> None:
        """New ICE credentials, for the next offer."""
        self.ufrag, self.pwd = secrets.token_hex(4), secrets.token_hex(12)

    @property
    def lines(self) -> list[str]:
        """ICE and DTLS attributes of an offer or answer."""
        return [
            "c=IN IP4 0.0.0.0",
            f"a=ice-ufrag:{self.ufrag}",
            f"a=ice-pwd:{self.pwd}",
            f"a=fingerprint:sha-256 {certificate().fingerprint}",
        ]

    def start(self, remote: Section, port: int) -> None:
        """Connect, once, to a server on this machine; later descriptions only bring new credentials."""
        self.credentials = (remote.ufrag, remote.pwd)
        if not self._tasks:
            assert remote.fingerprint is not None
            self.server = (self._host, port)
            self._tasks = [
                asyncio.create_task(self._connect(remote.fingerprint)),
                asyncio.create_task(self._checks()),
            ]

    async def _checks(self) -> None:
        while True:
            self.check()
            await asyncio.sleep(_CONSENT_S if self.up.is_set() else 0.1)

    async def _connect(self, fingerprint: tuple[str, str]) -> None:
        await self._answered.wait()
        assert await self.dtls.handshake(fingerprint, 15), "the DTLS handshake failed"
        self.rx, self.tx = self.dtls.srtp_sessions()
        self.up.set()
        self.sctp = rtc.Sctp(self.dtls, lambda label, data: self.messages.append((label, data)))
        await self.sctp.start()

    def check(self, *, password: str = "") -> None:
        """Send one connectivity check, nominating."""
        message = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
        message.attributes["USERNAME"] = f"{self.credentials[0]}:{self.ufrag}"
        message.attributes["USE-CANDIDATE"] = None
        message.add_message_integrity((password or self.credentials[1]).encode())
        self.send(bytes(message))

    def send(self, data: bytes) -> None:
        self._socket.sendto(data, self.server)

    def send_rtp(self, packet: bytes) -> None:
        self.send(self.tx.protect(packet))

    def send_rtcp(self, packet: bytes) -> None:
        self.send(self.tx.protect_rtcp(packet))

    def _readable(self) -> None:
        for _ in range(64):
            try:
                data = self._socket.recv(2048)
            except OSError:
                return
            if data[0] < 4:
                self._answered.set()
            elif 20 <= data[0] < 64:
                self.dtls.feed(data)
            elif self.rx is not None:
                self._media(data)

    def _media(self, data: bytes) -> None:
        if 192 <= data[1] <= 223:
            packets = rtc.parse_rtcp(self.rx.unprotect_rtcp(data))
            self.key_wanted |= any(isinstance(p, rtc.RtcpPsfbPacket) and p.fmt == rtc.FMT_PLI for p in packets)
        else:
            self.packets[int.from_bytes(data[8:12], "big")] += 1

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self.sctp is not None:
            await self.sctp.stop()
        await self.dtls.stop()
        self._loop.remove_reader(self._socket.fileno())
        self._socket.close()
