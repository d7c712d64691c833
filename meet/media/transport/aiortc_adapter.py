"""The only door to aiortc, together with `sctp`: DTLS, SRTP key extraction, RTCP messages.

aiortc's peer connection is the wrong shape for an SFU, its parts are not. Private names used here, guarded by
`tests/unit/media/test_aiortc_contract.py`: `RTCDtlsTransport` calls `_recv()` and `_send()` of the ICE object it is
given and reads its `role`; `_set_role`, `_rx_srtp`, `_tx_srtp`.
"""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections.abc import Callable
from typing import Any

import pylibsrtp
from aiortc import rtp as _rtp
from aiortc.rtcdtlstransport import (
    RTCCertificate,
    RTCDtlsFingerprint,
    RTCDtlsParameters,
    RTCDtlsTransport,
)
from OpenSSL import SSL

from meet.media.transport.sctp import MAX_MESSAGE, Sctp

__all__ = ["MAX_MESSAGE", "Certificate", "Dtls", "Sctp"]

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

_MAX_QUEUED_DTLS = 256
_YIELD_EVERY = 8
"""Datagrams taken in one go before others get their turn."""

parse_rtcp: Callable[[bytes], list[Any]] = _rtp.RtcpPacket.parse


def parse_remb(fci: bytes) -> int | None:
    """Bit/s of a REMB message's payload, None when it is something else."""
    try:
        return int(_rtp.unpack_remb_fci(fci)[0])
    except (ValueError, struct.error):  # the latter when it names fewer SSRCs than it says
        return None


class _OneContext(RTCCertificate):
    """Makes one TLS context for all handshakes: 60 kB and a millisecond less for each of them."""

    _context: SSL.Context | None = None

    def _create_ssl_context(self, srtp_profiles: list[Any]) -> SSL.Context:
        if self._context is None:
            self._context = super()._create_ssl_context(srtp_profiles)
            # Nobody resumes a session here; the shared context would remember twenty thousand of them.
            self._context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
        return self._context


class Certificate:
    """One self-signed certificate, shared by all peers of the process."""

    def __init__(self) -> None:
        self.native = _OneContext.generateCertificate()
        self.fingerprint = next(f.value for f in self.native.getFingerprints() if f.algorithm == "sha-256")


class _IceSide:
    """What RTCDtlsTransport takes for its ICE transport."""

    def __init__(self, send: Callable[[bytes], None], role: str) -> None:
        self.role = role
        self.queue: asyncio.Queue[bytes | None] = asyncio.Queue(_MAX_QUEUED_DTLS)
        self._output = send
        self._taken = 0

    async def _recv(self) -> bytes:
        self._taken += 1
        if self._taken % _YIELD_EVERY == 0:
            await asyncio.sleep(0)  # a queue that is not empty never waits, and a full one would hold up the loop
        data = await self.queue.get()
        if data is None:
            raise ConnectionError
        return data

    async def _send(self, data: bytes) -> None:
        self._output(data)

    def close(self) -> None:
        """Drop what waits, and the reference to the owner."""
        self.queue = asyncio.Queue(1)
        self._output = lambda _data: None


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
        """Tell the other side, then let go of everything: OpenSSL's memory must not wait for the garbage collector."""
        with contextlib.suppress(asyncio.QueueFull):
            self._ice.queue.put_nowait(None)
        pump = self.native._task
        await self.native.stop()
        if pump is not None and pump is not asyncio.current_task():
            await asyncio.gather(pump, return_exceptions=True)
        self._ice.close()
        self.native.remove_all_listeners()
        for name in ("_ssl", "_rx_srtp", "_tx_srtp"):
            setattr(self.native, name, None)
