"""ICE, DTLS and SRTP of one subscriber connection, and its RTCP: reports, NACK, PLI, REMB."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Callable
from typing import Any, Final

import structlog
from aiortc.rtp import RTCP_PSFB_APP, pack_remb_fci

from meet.media.transport import aiortc_adapter as rtc
from meet.recorder.subscriber.ice import IceClient
from meet.recorder.subscriber.stream import RtpStream

log = structlog.get_logger(__name__)

_IDLE_TICK_S: Final = 0.2
"""While no media comes; else whatever is due is done when some has been fetched."""
_EARLY: Final = 512
_REPORT_S: Final = 1.0
_PLI_S: Final = 0.5
_REMB_BPS: Final = 50_000_000
_HANDSHAKE_S: Final = 10.0

OnSenderReport = Callable[[RtpStream, int, int], None]
"""(stream, NTP time, unwrapped RTP time)."""


class SubscriberTransport:
    """A receive-only BUNDLE transport. on_lost: the connection is gone for good."""

    def __init__(self, on_sender_report: OnSenderReport, on_lost: Callable[[], None]) -> None:
        self.certificate = rtc.Certificate()
        self.connected = asyncio.Event()
        self.streams: dict[int, RtpStream] = {}
        self.repairs: dict[int, int] = {}
        self.ice = IceClient(self._datagram, on_lost, self._turn)
        self._dtls = rtc.Dtls(self.certificate, self.ice.send, server=False)
        self._sctp: rtc.Sctp | None = None
        self._on_sender_report, self._on_lost = on_sender_report, on_lost
        self._rx: Any = None
        self._tx: Any = None
        self._ssrc = random.getrandbits(31) | 1
        self._last_pli: dict[int, float] = {}
        self._last_report = self._last_tick = 0.0
        self._early: list[bytes] = []
        self._task: asyncio.Task[None] | None = None

    def start(self, fingerprint: tuple[str, str], *, data_channels: bool) -> None:
        """Connect as soon as ICE has a pair; once per transport."""
        if self._task is None:
            if data_channels:
                self._sctp = rtc.Sctp(self._dtls, lambda _label, _payload: None)
            self._task = asyncio.create_task(self._run(fingerprint))

    async def _run(self, fingerprint: tuple[str, str]) -> None:
        try:
            await self.ice.connected.wait()
            if not await self._dtls.handshake(fingerprint, _HANDSHAKE_S):
                log.warning("recorder_dtls_failed")
                self._on_lost()
                return
            self._rx, self._tx = self._dtls.srtp_sessions()
            self._dtls.on_state(lambda: self._on_lost() if self._dtls.closed else None)
            self._catch_up()
            self.connected.set()
            if self._sctp is not None:
                await self._sctp.start()
            while True:
                await asyncio.sleep(_IDLE_TICK_S)
                if time.monotonic() - self._last_tick >= _IDLE_TICK_S / 2:
                    self._turn()
        except OSError as error:
            log.warning("recorder_transport_failed", error=str(error))
            self._on_lost()

    def _catch_up(self) -> None:
        """Hand on what came too early. All of it at once, or what comes meanwhile would be taken for the beginning."""
        early, self._early = self._early, []
        for data in early:
            try:
                self._datagram(data)
            except Exception:
                log.exception("recorder_packet_failed")  # as later: what one packet breaks does not end the others

    def _datagram(self, data: bytes) -> None:
        if not 128 <= data[0] < 192:
            self._dtls.feed(data)
            return
        if len(data) < 12:
            return
        if self._rx is None:
            # The end of the handshake may wait for us beside the first picture, which would have to be asked for again.
            if len(self._early) < _EARLY:
                self._early.append(data)
            return
        try:
            if 192 <= data[1] <= 223:
                self._rtcp(self._rx.unprotect_rtcp(data))
                return
            packet = self._rx.unprotect(data)
        except rtc.SrtpError:
            return
        now = time.monotonic()
        ssrc = int.from_bytes(packet[8:12], "big")
        stream = self.streams.get(ssrc)
        if stream is not None:
            stream.receive(packet, now)
        elif ssrc in self.repairs and (repaired := self.streams.get(self.repairs[ssrc])) is not None:
            repaired.repair(packet, now)

    def _rtcp(self, data: bytes) -> None:
        try:
            packets = rtc.parse_rtcp(data)
        except ValueError:
            return
        for packet in packets:
            stream = self.streams.get(packet.ssrc) if isinstance(packet, rtc.RtcpSrPacket) else None
            if stream is not None:
                info = packet.sender_info
                stream.last_sr = (info.ntp_timestamp >> 16 & 0xFFFFFFFF, time.monotonic())
                self._on_sender_report(stream, info.ntp_timestamp, stream.timestamps(info.rtp_timestamp))

    def _turn(self) -> None:
        if self._rx is not None:
            self._last_tick = time.monotonic()
            self._tick(self._last_tick)

    def _tick(self, now: float) -> None:
        for stream in list(self.streams.values()):
            stream.advance(now)
            due = stream.tracker.due(now, 0.05)
            if due:
                self._send(rtc.RtcpRtpfbPacket(fmt=rtc.FMT_NACK, ssrc=self._ssrc, media_ssrc=stream.ssrc, lost=due))
            if stream.wants_key and now - self._last_pli.get(stream.ssrc, 0.0) >= _PLI_S:
                self._last_pli[stream.ssrc] = now
                self._send(rtc.RtcpPsfbPacket(fmt=rtc.FMT_PLI, ssrc=self._ssrc, media_ssrc=stream.ssrc))
        if now - self._last_report >= _REPORT_S and self.streams:
            self._last_report = now
            self._report(now)

    def _report(self, now: float) -> None:
        reports = []
        for stream in self.streams.values():
            if stream.tracker.highest is None:
                continue
            fraction, lost, highest = stream.stats.interval(stream.tracker)
            lsr, delay = 0, 0
            if stream.last_sr is not None:
                lsr, delay = stream.last_sr[0], int((now - stream.last_sr[1]) * 65536)
            reports.append(
                rtc.RtcpReceiverInfo(
                    ssrc=stream.ssrc,
                    fraction_lost=fraction,
                    packets_lost=lost,
                    highest_sequence=highest,
                    jitter=int(stream.stats.jitter),
                    lsr=lsr,
                    dlsr=delay & 0xFFFFFFFF,
                )
            )
        for at in range(0, len(reports), 31):
            self._send(rtc.RtcpRrPacket(ssrc=self._ssrc, reports=reports[at : at + 31]))
        # The recorder is next to the server: ask for the best layer that its tile needs, never for less.
        fci = pack_remb_fci(_REMB_BPS, [s.ssrc for s in self.streams.values() if s.media == "video"][:255])
        self._send(rtc.RtcpPsfbPacket(fmt=RTCP_PSFB_APP, ssrc=self._ssrc, media_ssrc=0, fci=fci))

    def _send(self, packet: Any) -> None:
        if self._tx is not None:
            self.ice.send(self._tx.protect_rtcp(bytes(packet)))

    async def close(self) -> None:
        """Say goodbye and release the socket."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        if self._sctp is not None:
            with contextlib.suppress(ConnectionError):
                await self._sctp.stop()
        with contextlib.suppress(ConnectionError, OSError):
            await self._dtls.stop()
        self.ice.close()
