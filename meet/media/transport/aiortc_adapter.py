"""The only door to aiortc: DTLS, SRTP key extraction, SCTP data channels, RTCP messages.

aiortc's peer connection is the wrong shape for an SFU, its parts are not. Private names used here, guarded by
`tests/unit/media/test_aiortc_contract.py`: `RTCDtlsTransport` calls `_recv()` and `_send()` of the ICE object it is
given and reads its `role`; `_set_role`, `_rx_srtp`, `_tx_srtp`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import pylibsrtp
from aiortc import rtp as _rtp
from aiortc.rtcdatachannel import RTCDataChannel, RTCDataChannelParameters
from aiortc.rtcdtlstransport import (
    RTCCertificate,
    RTCDtlsFingerprint,
    RTCDtlsParameters,
    RTCDtlsTransport,
)
from aiortc.rtcsctptransport import RTCSctpCapabilities, RTCSctpTransport
from OpenSSL import SSL

RtcpRrPacket = _rtp.RtcpRrPacket
RtcpSrPacket = _rtp.RtcpSrPacket
RtcpRtpfbPacket = _rtp.RtcpRtpfbPacket
RtcpPsfbPacket = _rtp.RtcpPsfbPacket
RtcpReceiverInfo = _rtp.RtcpReceiverInfo
RtcpSenderInfo = _rtp.RtcpSenderInfo
RtcpSdesPacket = _rtp.RtcpSdesPacket
RtcpSourceInfo = _rtp.RtcpSourceInfo
SrtpError = pylibsrtp.Error
FMT_NACK = _rtp.RTCP_RTPFB_NACK
FMT_PLI = _rtp.RTCP_PSFB_PLI
FMT_FIR = _rtp.RTCP_PSFB_FIR
FMT_APP = _rtp.RTCP_PSFB_APP

MAX_MESSAGE = 262144
"""Largest data channel message, bytes; also in our SDP."""
SCTP_PORT = 5000
_MAX_QUEUED_DTLS = 256
_MAX_CHANNELS = 16

parse_rtcp: Callable[[bytes], list[Any]] = _rtp.RtcpPacket.parse


def parse_remb(fci: bytes) -> int | None:
    """Bit/s of a REMB message's payload, None when it is something else."""
    try:
        return int(_rtp.unpack_remb_fci(fci)[0])
    except ValueError:
        return None


class Certificate:
    """One self-signed certificate, shared by all peers of the process."""

    def __init__(self) -> None:
        self.native = RTCCertificate.generateCertificate()
        self.fingerprint = next(f.value for f in self.native.getFingerprints() if f.algorithm == "sha-256")


class _IceSide:
    """What RTCDtlsTransport takes for its ICE transport."""

    def __init__(self, send: Callable[[bytes], None], role: str) -> None:
        self.role = role
        self.queue: asyncio.Queue[bytes | None] = asyncio.Queue(_MAX_QUEUED_DTLS)
        self._output = send

    async def _recv(self) -> bytes:
        data = await self.queue.get()
        if data is None:
            raise ConnectionError
        return data

    async def _send(self, data: bytes) -> None:
        self._output(data)


class Dtls:
    """DTLS over someone else's datagrams. send: called with every datagram to go out."""

    def __init__(self, certificate: Certificate, send: Callable[[bytes], None], *, server: bool = True) -> None:
        self._ice = _IceSide(send, "controlled" if server else "controlling")
        self.native = RTCDtlsTransport(self._ice, [certificate.native])  # type: ignore[arg-type]
        self.native._set_role("server" if server else "client")

    def feed(self, data: bytes) -> None:
        """One received datagram; the queue is bounded, the rest is dropped and retransmitted by the client."""
        with contextlib.suppress(asyncio.QueueFull):
            self._ice.queue.put_nowait(data)

    async def handshake(self, fingerprint: tuple[str, str], timeout_s: float) -> bool:
        """Run the handshake against the announced (algorithm, value). False when it fails or takes too long."""
        parameters = RTCDtlsParameters(fingerprints=[RTCDtlsFingerprint(*fingerprint)])
        try:
            await asyncio.wait_for(self.native.start(parameters), timeout_s)
        except (TimeoutError, ConnectionError, SSL.Error):
            return False
        return self.native.state == "connected"

    def srtp_sessions(self) -> tuple[Any, Any]:
        """(receive, send) pylibsrtp sessions; only after a successful handshake."""
        return self.native._rx_srtp, self.native._tx_srtp

    @property
    def closed(self) -> bool:
        return self.native.state in ("closed", "failed")

    def on_state(self, callback: Callable[[], None]) -> None:
        self.native.on("statechange", callback)

    async def stop(self) -> None:
        with contextlib.suppress(asyncio.QueueFull):
            self._ice.queue.put_nowait(None)
        await self.native.stop()


class Sctp:
    """Data channels of one peer. on_message(label, payload) is called for every binary message."""

    def __init__(self, dtls: Dtls, on_message: Callable[[str, bytes], None]) -> None:
        self._native = RTCSctpTransport(dtls.native)
        self._on_message = on_message
        self._channels: dict[str, RTCDataChannel] = {}
        self._native.on("datachannel", self._adopt)

    async def start(self) -> None:
        with contextlib.suppress(ConnectionError):  # closed meanwhile
            await self._native.start(RTCSctpCapabilities(maxMessageSize=MAX_MESSAGE), SCTP_PORT)

    def create(self, label: str, *, reliable: bool) -> None:
        """Open a channel: ordered and reliable, or unordered without retransmissions."""
        parameters = RTCDataChannelParameters(label=label, ordered=reliable, maxRetransmits=None if reliable else 0)
        self._adopt(RTCDataChannel(self._native, parameters))

    def _adopt(self, channel: RTCDataChannel) -> None:
        if channel.label not in self._channels and len(self._channels) >= _MAX_CHANNELS:
            channel.close()
            return
        self._channels[channel.label] = channel
        label = channel.label

        def received(message: bytes | str) -> None:
            if isinstance(message, bytes):
                self._on_message(label, message)

        channel.on("message", received)

    def is_open(self, label: str) -> bool:
        channel = self._channels.get(label)
        return channel is not None and channel.readyState == "open"

    def buffered(self, label: str) -> int:
        """Bytes accepted but not yet sent."""
        channel = self._channels.get(label)
        return channel.bufferedAmount if channel is not None else 0

    def send(self, label: str, data: bytes) -> bool:
        """Queue a message. False when the channel is not open or the client announced a smaller limit."""
        channel = self._channels.get(label)
        if channel is None or channel.readyState != "open":
            return False
        try:
            channel.send(data)
        except ValueError:
            return False
        return True

    async def stop(self) -> None:
        await self._native.stop()
