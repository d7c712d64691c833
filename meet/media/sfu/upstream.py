"""One received SSRC: an encoding (simulcast layer) of a published track."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from meet.media.sfu import av1, h264, vp8, vp9
from meet.media.sfu.receive import ReceiverStats, SequenceTracker
from meet.media.transport import aiortc_adapter as rtc
from meet.media.transport.rtp import extension, payload_offset

if TYPE_CHECKING:
    from meet.media.sfu.track import Track

_HEADER = struct.Struct("!BBHII")
_PLI_SPACING_S = 0.5
_PLI_RETRY_S = 1.0
_LIVE_S = 1.0
_PADDING = b"\x01"


class UpStream:
    """Receives, repairs, reports and forwards one encoding.

    `sender_report` is the newest (NTP 64 bit, RTP timestamp) the publisher sent for it; `bitrate` is bit/s over about
    the last second.
    """

    def __init__(self, track: Track, ssrc: int, rid: str) -> None:
        self.track = track
        self.ssrc = ssrc
        self.rid = rid
        self.rank = track.rank(rid)
        self.tracker = SequenceTracker(nack=track.video)
        self.stats = ReceiverStats(track.clock_rate)
        self.sender_report: tuple[int, int] | None = None
        self.bitrate = 0.0
        self.packets = 0
        self.last_packet = float("-inf")
        self.fraction_lost = 0.0
        self._report_at = 0.0
        self._bytes = 0
        self._rate_at = 0.0
        self._last_pli = float("-inf")
        self._key_wanted = False

    def live(self, now: float) -> bool:
        return now - self.last_packet < _LIVE_S

    # -- packets in

    def on_rtp(self, packet: bytes, now: float) -> None:
        track = self.track
        first, kind, sequence, timestamp, _ssrc = _HEADER.unpack_from(packet)
        self.last_packet = now
        self.packets += 1
        self._bytes += len(packet)
        if track.level_id is not None:
            level = extension(packet, track.level_id)
            if level:
                track.levels.add(level[0] & 0x7F)
        if not self.tracker.add(sequence, now):
            return
        self.stats.arrival(timestamp, now)
        start = payload_offset(packet)
        end = len(packet) - packet[-1] if first & 0x20 else len(packet)
        if track.red is not None:
            if start < end:
                track.red.forward(self, kind & 0x7F, sequence, timestamp, kind & 0x80, packet[start:end])
                return
            track.red.note(sequence)
        described = extension(packet, track.descriptor_id) if track.descriptor_id is not None else None
        self._forward(sequence, timestamp, kind & 0x80, packet[start:end], described or b"")

    def on_rtx(self, packet: bytes, now: float) -> None:
        """A retransmission (RFC 4588): the payload begins with the original sequence number."""
        start = payload_offset(packet)
        end = len(packet) - packet[-1] if packet[0] & 0x20 else len(packet)
        if end - start <= 2:
            return  # bandwidth probe
        sequence = int.from_bytes(packet[start : start + 2], "big")
        if self.tracker.repaired(sequence):
            timestamp = int.from_bytes(packet[4:8], "big")
            identifier = self.track.descriptor_id
            described = extension(packet, identifier) if identifier is not None else None
            self._forward(sequence, timestamp, packet[1] & 0x80, packet[start + 2 : end], described or b"")

    def _forward(self, sequence: int, timestamp: int, marker: int, payload: bytes, descriptor: bytes = b"") -> None:
        track = self.track
        key = False
        if not payload:
            # Nothing but padding: keep the numbering gapless for the subscribers.
            track.forward(self, sequence, timestamp, marker, b"", _PADDING, key=False, padding=True)
            return
        if track.codec == "VP8":
            size = vp8.descriptor_length(payload)
            descriptor, payload = payload[:size], payload[size:]
            key = vp8.starts_keyframe(descriptor, payload)
        elif track.codec == "H264":
            key = h264.starts_keyframe(payload)
        elif track.codec == "VP9":
            key = vp9.starts_keyframe(payload)
        elif track.codec == "AV1":
            key = av1.starts_keyframe(payload)
        if key:
            self._key_wanted = False
        track.forward(self, sequence, timestamp, marker, descriptor, payload, key=key)

    # -- feedback out

    def request_keyframe(self, now: float) -> None:
        """Ask for a key frame, at most once per half second; repeated by `tick` until one arrives."""
        self._key_wanted = True
        if now - self._last_pli >= _PLI_SPACING_S:
            self._send_pli(now)

    def _send_pli(self, now: float) -> None:
        self._last_pli = now
        peer = self.track.peer
        peer.traffic.plis_out += 1
        peer.send_rtcp(bytes(rtc.RtcpPsfbPacket(fmt=rtc.FMT_PLI, ssrc=peer.ssrc, media_ssrc=self.ssrc)))

    def tick(self, now: float, rtt: float) -> None:
        """Ask for lost packets and for a key frame that did not come. Call every 20 to 50 ms."""
        if self.tracker.has_missing:
            lost = self.tracker.due(now, rtt)
            if lost:
                peer = self.track.peer
                peer.traffic.nacks_out += len(lost)
                nack = rtc.RtcpRtpfbPacket(fmt=rtc.FMT_NACK, ssrc=peer.ssrc, media_ssrc=self.ssrc, lost=lost)
                peer.send_rtcp(bytes(nack))
        if self.tracker.overrun:
            self.tracker.overrun = False
            if self.track.video and any(d.current is self for d in self.track.downs):
                self.request_keyframe(now)
        if self._key_wanted and now - self._last_pli >= _PLI_RETRY_S and self.live(now):
            self._send_pli(now)

    # -- reports

    def on_sender_report(self, info: Any, now: float) -> None:
        self.sender_report = (info.ntp_timestamp, info.rtp_timestamp)
        self._report_at = now
        for down in self.track.downs:
            down.on_source_report(self)

    def receiver_report(self, now: float) -> Any:
        """An RTCP report block, None before the first packet."""
        if self.tracker.highest is None:
            return None
        fraction, lost, highest = self.stats.interval(self.tracker)
        self.fraction_lost = fraction / 256
        lsr = dlsr = 0
        if self.sender_report is not None:
            lsr = (self.sender_report[0] >> 16) & 0xFFFFFFFF
            dlsr = min(0xFFFFFFFF, int((now - self._report_at) * 65536))
        return rtc.RtcpReceiverInfo(
            ssrc=self.ssrc,
            fraction_lost=fraction,
            packets_lost=lost,
            highest_sequence=highest,
            jitter=min(0xFFFFFFFF, int(self.stats.jitter)),
            lsr=lsr,
            dlsr=dlsr,
        )

    def measure(self, now: float) -> None:
        """Update `bitrate`; call about once a second."""
        if self._rate_at:
            elapsed = now - self._rate_at
            if elapsed < 0.5:
                return
            self.bitrate = self._bytes * 8 / elapsed
        self._bytes = 0
        self._rate_at = now

    def ntp_of(self, timestamp: int) -> float | None:
        """Publisher wall clock (seconds, NTP epoch) of an RTP timestamp, by the newest sender report."""
        if self.sender_report is None:
            return None
        ntp, reference = self.sender_report
        ticks = (timestamp - reference) & 0xFFFFFFFF
        if ticks >= 0x80000000:
            ticks -= 0x100000000
        return ntp / 4294967296 + ticks / self.track.clock_rate
