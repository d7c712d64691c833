"""One BUNDLE transport to one client: ICE-lite, DTLS, SRTP, data channels and RTCP, over the shared UDP port."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable
from typing import Any, Protocol

import structlog

from meet.media.fastpath.srtp import seal
from meet.media.transport import aiortc_adapter as rtc
from meet.media.transport.budget import TokenBucket
from meet.media.transport.ice_lite import IceLite
from meet.media.transport.rtp import extension
from meet.media.transport.traffic import Traffic
from meet.media.transport.twcc import TwccWriter
from meet.media.transport.udpmux import UdpMux

log = structlog.get_logger(__name__)

_HANDSHAKE_S = 20.0
_MAX_SOURCES = 128
_MAX_SSRCS = 1024
"""Different SSRCs in the life of a transport; publishing a camera takes six, with its layers and repairs."""
_MAX_BUFFERED = {True: 8 << 20, False: 256 << 10}
"""Bytes waiting in a data channel before messages are dropped: reliable, lossy."""

_REPAIRS_PER_S, _REPAIR_BURST = 1500, 1500
"""Packets sent again on request: 10 % of 15000 packets (some 140 Mbit) a second."""

PacketHandler = Callable[[bytes, float], None]


def random_ssrc() -> int:
    return random.getrandbits(31) | 1


class Source(Protocol):
    """A stream we receive; gets the sender reports of its SSRC."""

    def on_sender_report(self, info: Any, now: float) -> None: ...


class Sink(Protocol):
    """A stream we send; gets the receiver's feedback on its SSRC."""

    def on_report(self, report: Any) -> None: ...

    def on_nack(self, sequences: list[int]) -> None: ...

    def on_keyframe_request(self) -> None: ...


class Peer:
    """Callbacks are plain attributes, set by the owner before the first packet can arrive."""

    def __init__(self, mux: UdpMux, certificate: rtc.Certificate, name: str) -> None:
        self.name = name
        self.mux = mux
        self.ice = IceLite(mux.clock)
        self.path = self.ice.path
        self.ssrc = random_ssrc()
        self.traffic = Traffic()
        self.dtls = rtc.Dtls(certificate, self._send_datagram)
        self.sctp: rtc.Sctp | None = None
        self.rx: Any = None
        self.tx: Any = None
        self.connected = False
        self.closed = False
        self.failed = False
        self.twcc_id: int | None = None
        self.twcc = TwccWriter(self.ssrc)
        self.repairs = TokenBucket(_REPAIRS_PER_S, _REPAIR_BURST, mux.clock)
        self._ssrcs: set[int] = set()
        self.handlers: dict[int, PacketHandler] = {}
        self.sources: dict[int, Source] = {}
        self.sinks: dict[int, Sink] = {}
        self.on_connected: Callable[[], None] = lambda: None
        self.on_failed: Callable[[], None] = lambda: None
        self.on_message: Callable[[str, bytes], None] = lambda _label, _data: None
        self.on_trouble: Callable[[str], None] = lambda _reason: None
        self.on_remb: Callable[[int, float], None] = lambda _bitrate, _now: None
        self.on_unknown_ssrc: Callable[[bytes, int], PacketHandler | None] = lambda _packet, _ssrc: None
        self._fingerprint: tuple[str, str] | None = None
        self._task: asyncio.Task[None] | None = None
        self._sctp_task: asyncio.Task[None] | None = None
        mux.register(self)

    # -- connection

    def set_remote(self, fingerprint: tuple[str, str]) -> None:
        """Take the client's certificate fingerprint (algorithm, value); the handshake starts once a path is known."""
        self._fingerprint = fingerprint
        self._maybe_start()

    def restart_ice(self) -> None:
        self.ice.restart()
        self.mux.register(self)

    def on_path(self) -> None:
        self.path = self.ice.path
        self._maybe_start()

    def _maybe_start(self) -> None:
        if self._task is None and self._fingerprint and self.path and not self.closed:
            self._task = asyncio.create_task(self._handshake(self._fingerprint), name=f"dtls {self.name}")

    async def _handshake(self, fingerprint: tuple[str, str]) -> None:
        if not await self.dtls.handshake(fingerprint, _HANDSHAKE_S):
            if not self.closed:
                self.failed = True
                log.warning("dtls_failed", peer=self.name)
                self.on_trouble("dtls_failed")
                self.on_failed()
            return
        if self.closed:
            return
        self.rx, self.tx = self.dtls.srtp_sessions()
        self.connected = True
        self._start_sctp()
        self.on_connected()

    async def close(self) -> None:
        """Forget the client: no datagram is accepted or sent after this."""
        if self.closed:
            return
        self.closed = True
        self.rx = self.tx = None
        running = [t for t in (self._task, self._sctp_task) if t is not None and t is not asyncio.current_task()]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        if self.sctp is not None:
            await self.sctp.stop()
        await self.dtls.stop()
        self.mux.unregister(self)
        self._forget_owner()

    def _forget_owner(self) -> None:
        """Reference cycles are collected late: they must not hold streams, and with them megabytes of packets."""
        for table in (self.handlers, self.sources, self.sinks):
            table.clear()
        self.on_connected = self.on_failed = lambda: None
        self.on_trouble = lambda _reason: None
        self.on_message = lambda _label, _data: None
        self.on_remb = lambda _bitrate, _now: None
        self.on_unknown_ssrc = lambda _packet, _ssrc: None

    # -- data channels

    def enable_sctp(self) -> rtc.Sctp:
        """Have data channels; may come with a later offer on a transport that is already up."""
        if self.sctp is None:
            self.sctp = rtc.Sctp(
                self.dtls, lambda label, data: self.on_message(label, data), lambda: self.on_trouble("data_channels")
            )
            self._start_sctp()
        return self.sctp

    def _start_sctp(self) -> None:
        if self.sctp is not None and self.connected and self._sctp_task is None:
            self._sctp_task = asyncio.create_task(self.sctp.start(), name=f"sctp {self.name}")

    def send_message(self, label: str, data: bytes, *, reliable: bool) -> bool:
        """Send on an open data channel; False when it is not open or too much is waiting in it."""
        sctp = self.sctp
        if sctp is None or self.closed or sctp.buffered(label) > _MAX_BUFFERED[reliable]:
            return False
        return sctp.send(label, data)

    # -- media

    def on_dtls(self, data: bytes) -> None:
        self.dtls.feed(data)

    def on_srtp(self, data: bytes, now: float) -> None:
        rx = self.rx
        if rx is None or len(data) < 12:
            return
        report = 192 <= data[1] <= 223
        ssrc = int.from_bytes(data[4:8] if report else data[8:12], "big")
        if ssrc not in self._ssrcs and len(self._ssrcs) >= _MAX_SSRCS:
            self._too_many_ssrcs()
            return
        try:
            packet: bytes = rx.unprotect_rtcp(data) if report else rx.unprotect(data)
        except rtc.SrtpError:
            return
        self._ssrcs.add(ssrc)
        if report:
            self._on_rtcp(packet, now)
            return
        traffic = self.traffic
        traffic.packets_in += 1
        traffic.bytes_in += len(packet)
        if self.twcc_id is not None:
            # Before routing: probes on unknown or repair SSRCs count as received too.
            value = extension(packet, self.twcc_id)
            if value is not None:
                self.twcc.add(int.from_bytes(value, "big"), now)
        handler = self.handlers.get(ssrc)
        if handler is None:
            handler = self.on_unknown_ssrc(packet, ssrc) if len(self.handlers) < _MAX_SOURCES else None
            if handler is None:
                return
            self.handlers[ssrc] = handler
        handler(packet, now)

    def _too_many_ssrcs(self) -> None:
        """libsrtp keeps every SSRC that it ever decrypted, in a list that it walks: start anew, with a new session."""
        if not self.failed:
            self.failed = True
            log.warning("too_many_streams", peer=self.name)
            self.on_trouble("streams")
            self.on_failed()

    def send_rtp(self, packet: bytes) -> None:
        tx, path = self.tx, self.path
        if tx is not None and path is not None:
            try:
                sealed = seal(tx, packet, b"")
            except (rtc.SrtpError, ValueError):
                self.mux.give_up()
                return
            self.traffic.packets_out += 1
            self.traffic.bytes_out += len(packet)
            self.mux.send(sealed, path)

    def retire(self, ssrc: int) -> None:
        """Nothing will be sent with this SSRC any more.

        libsrtp walks a list of all it ever encrypted: without this, sending costs more with everybody who was here.
        """
        if self.tx is not None:
            with contextlib.suppress(rtc.SrtpError):  # nothing was sent with it
                self.tx.remove_stream(ssrc)

    def send_rtcp(self, packet: bytes) -> None:
        tx, path = self.tx, self.path
        if tx is not None and path is not None:
            try:
                sealed = tx.protect_rtcp(packet)
            except (rtc.SrtpError, ValueError):
                self.mux.give_up()
                return
            self.mux.send(sealed, path)

    def flush_twcc(self) -> None:
        """Send what arrived since the last call to the client's congestion controller."""
        if self.sources and self.twcc_id is not None:
            for packet in self.twcc.flush(next(iter(self.sources))):
                self.send_rtcp(packet)

    def _send_datagram(self, data: bytes) -> None:
        if self.path is not None:
            self.mux.send(data, self.path)

    def _on_rtcp(self, data: bytes, now: float) -> None:
        try:
            packets = rtc.parse_rtcp(data)
        except ValueError:
            return
        for packet in packets:
            if isinstance(packet, rtc.RtcpSrPacket | rtc.RtcpRrPacket):
                if isinstance(packet, rtc.RtcpSrPacket):
                    source = self.sources.get(packet.ssrc)
                    if source is not None:
                        source.on_sender_report(packet.sender_info, now)
                for report in packet.reports:
                    sink = self.sinks.get(report.ssrc)
                    if sink is not None:
                        sink.on_report(report)
            elif isinstance(packet, rtc.RtcpRtpfbPacket):
                sink = self.sinks.get(packet.media_ssrc)
                if sink is not None and packet.fmt == rtc.FMT_NACK:
                    # One datagram can ask for thousands; each costs as much as any packet we send.
                    self.traffic.nacks_in += len(packet.lost)
                    sink.on_nack(packet.lost[: self.repairs.take(len(packet.lost))])
            elif isinstance(packet, rtc.RtcpPsfbPacket):
                self._on_payload_feedback(packet, now)

    def _on_payload_feedback(self, packet: rtc.RtcpPsfbPacket, now: float) -> None:
        if packet.fmt == rtc.FMT_PLI:
            sinks = [self.sinks.get(packet.media_ssrc)]
        elif packet.fmt == rtc.FMT_FIR:
            fci = packet.fci
            sinks = [self.sinks.get(int.from_bytes(fci[i : i + 4], "big")) for i in range(0, len(fci), 8)]
        elif packet.fmt == rtc.FMT_APP:
            bitrate = rtc.parse_remb(packet.fci)
            if bitrate is not None:
                self.on_remb(bitrate, now)
            return
        else:
            return
        for sink in sinks:
            if sink is not None:
                self.traffic.plis_in += 1
                sink.on_keyframe_request()
