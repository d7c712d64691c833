"""One track towards one subscriber: layer choice, renumbering, retransmission, sender reports."""

from __future__ import annotations

import random
import struct
import time
from collections.abc import Callable
from typing import Any

from meet.media.sfu.track import Track
from meet.media.sfu.upstream import UpStream
from meet.media.sfu.vp8 import PictureNumbers
from meet.media.transport import aiortc_adapter as rtc
from meet.media.transport.peer import Peer, random_ssrc

_PLAIN = struct.Struct("!BBHII")
_RING = 1024
_AUDIO_RING = 128
_MAX_DRIFT_S = 10.0
_MAX_RETRANSMITS = 3

HIGHEST = 99
"""Rank limit meaning "as good as there is"."""
STARVED = -1
"""Ceiling meaning "nothing of it fits"."""


class DownTrack:
    """Forwards a track to a peer, continuously numbered whatever happens to the source.

    pt, rtx_pt: payload types the subscriber negotiated (rtx_pt None: no retransmission). abs_send_time_id: header
    extension id, None to leave it out. `limit` is what the client asked for, `ceiling` what its bandwidth allows; both
    are layer ranks, and a ceiling of -1 (`STARVED`) pauses the track until there is room for it again.
    `round_trip` is the last one measured and when, both in seconds (RFC 3550 section 6.4.1).
    """

    def __init__(
        self,
        track: Track,
        peer: Peer,
        *,
        pt: int,
        rtx_pt: int | None = None,
        abs_send_time_id: int | None = None,
        clock: Callable[[], float],
    ) -> None:
        self.track = track
        self.peer = peer
        self.pt = pt
        self.rtx_pt = rtx_pt
        self.ssrc = random_ssrc()
        self.rtx_ssrc = random_ssrc()
        self.limit = HIGHEST
        self.ceiling = HIGHEST
        self.current: UpStream | None = None
        self.wanted: UpStream | None = None
        self.enabled = False
        self.packets = self.octets = self.switches = 0
        self.fraction_lost = 0.0
        self.round_trip: tuple[float, float] | None = None
        self._report_sent = (0, 0.0)
        self._asked_again = self._asked_before = self._packets_before = 0
        self._clock = clock
        self._extension = struct.pack("!HHB", 0xBEDE, 1, (abs_send_time_id << 4) | 2) if abs_send_time_id else None
        self._pictures = PictureNumbers() if track.codec == "VP8" else None
        self._last_sequence = random.getrandbits(15)
        self._last_timestamp = random.getrandbits(31)
        self._last_out = 0.0
        self._sequence_offset = self._timestamp_offset = 0
        self._bound_at = self._since_bound = 0
        self._source: UpStream | None = None
        self._anchor: tuple[float, int] | None = None
        self._rtx_sequence = random.getrandbits(15)
        size = _RING if track.video else _AUDIO_RING
        self._mask = size - 1
        self._ring: list[tuple[int, int, int, bytes, bytes] | None] = [None] * size
        self._resent: dict[int, int] = {}
        peer.sinks[self.ssrc] = self
        peer.sinks[self.rtx_ssrc] = self
        track.downs.append(self)

    # -- which layer

    def enable(self, enabled: bool) -> None:
        """Start or pause sending. After a pause it goes on with a key frame."""
        if enabled == self.enabled:
            return
        self.enabled = enabled
        if enabled:
            self.choose()
        else:
            self.pause()

    def pause(self) -> None:
        """Forget the layer, so that whatever comes next is numbered without a gap."""
        self.current = self.wanted = None

    def choose(self) -> None:
        """Pick the layer to be on; the switch happens at its next key frame."""
        if not self.enabled or not self.peer.connected or self.track.muted:
            return
        if self.starved:
            self.pause()
            return
        best = self.track.best(min(self.limit, self.ceiling))
        self.wanted = best
        if best is not None and best is not self.current and self.track.video:
            best.request_keyframe(self._clock())

    @property
    def starved(self) -> bool:
        """Paused for lack of bandwidth."""
        return self.ceiling <= STARVED

    def on_keyframe_request(self) -> None:
        stream = self.current or self.wanted
        if stream is not None and self.track.video:
            stream.request_keyframe(self._clock())

    # -- packets out

    def rewrite(
        self,
        stream: UpStream,
        sequence: int,
        timestamp: int,
        marker: int,
        descriptor: bytes,
        payload: bytes,
        send_time: int,
        padding: bool,
    ) -> bytes | None:
        """The header (with the codec's descriptor) to put before `payload`; None when it must not be sent."""
        if stream is not self.current:
            self._bind(stream, sequence, timestamp, descriptor)
        if self._since_bound < 0x4000:
            self._since_bound += 1
            if (sequence - self._bound_at) & 0xFFFF >= 0x8000:
                return None  # from before the switch: its number belongs to another packet
        out = (sequence + self._sequence_offset) & 0xFFFF
        slot = out & self._mask
        entry = self._ring[slot]
        if entry is not None and entry[0] == out:
            return None  # sent already; a second encryption under the same number would break the cipher
        ticks = (timestamp + self._timestamp_offset) & 0xFFFFFFFF
        if (out - self._last_sequence) & 0xFFFF < 0x8000:
            self._last_sequence = out
            self._last_timestamp = ticks
            self._last_out = stream.last_packet
        elif (self._last_sequence - out) & 0xFFFF > self._mask:
            return None
        if self._pictures is not None and descriptor:
            descriptor = self._pictures.map(descriptor)
        self.packets += 1
        self.octets += len(descriptor) + len(payload)
        if padding:
            return _PLAIN.pack(0xA0, self.pt | marker, out, ticks, self.ssrc)
        self._ring[slot] = (out, ticks, marker, descriptor, payload)
        return self._header(self.pt | marker, out, ticks, self.ssrc, send_time) + descriptor

    def _header(self, kind: int, sequence: int, timestamp: int, ssrc: int, send_time: int) -> bytes:
        extension = self._extension
        if extension is None:
            return _PLAIN.pack(0x80, kind, sequence, timestamp, ssrc)
        head = _PLAIN.pack(0x90, kind, sequence, timestamp, ssrc)
        return head + extension + send_time.to_bytes(3, "big")

    def _bind(self, stream: UpStream, sequence: int, timestamp: int, descriptor: bytes) -> None:
        """Continue with another layer, or the same one after a pause: numbers go on, time advances as it really did."""
        if self._source is None:
            self._timestamp_offset = (self._last_timestamp - timestamp) & 0xFFFFFFFF
        elif stream is not self._source:
            self._timestamp_offset = (self._next_timestamp(stream, timestamp) - timestamp) & 0xFFFFFFFF
            self.switches += 1
        self._sequence_offset = (self._last_sequence + 1 - sequence) & 0xFFFF
        self._bound_at, self._since_bound = sequence, 0
        if self._pictures is not None and descriptor:
            self._pictures.switch(descriptor)
        self.current = self._source = stream
        self.wanted = stream
        if stream.sender_report is not None:
            self.on_source_report(stream)

    def _next_timestamp(self, stream: UpStream, timestamp: int) -> int:
        """Outgoing timestamp for the first packet of a new layer.

        Layers have unrelated timestamps. With sender reports for both, capture time decides; else the wall clock.
        """
        rate = self.track.clock_rate
        elapsed = max(1, int((stream.last_packet - self._last_out) * rate))
        guess = (self._last_timestamp + elapsed) & 0xFFFFFFFF
        captured = stream.ntp_of(timestamp)
        if captured is None or self._anchor is None:
            return guess
        exact = (self._anchor[1] + round((captured - self._anchor[0]) * rate)) & 0xFFFFFFFF
        difference = (exact - guess + 0x80000000 & 0xFFFFFFFF) - 0x80000000
        if abs(difference) > _MAX_DRIFT_S * rate:
            return guess
        if (exact - self._last_timestamp) & 0xFFFFFFFF >= 0x80000000:
            return (self._last_timestamp + 1) & 0xFFFFFFFF
        return exact

    # -- feedback in, reports out

    def on_nack(self, sequences: list[int]) -> None:
        """Retransmit through RTX (RFC 4588), each packet a bounded number of times."""
        self._asked_again += len(sequences)
        if self.rtx_pt is None or not self.enabled:
            return
        send_time = int(time.time() * 262144) & 0xFFFFFF
        for sequence in sequences:
            entry = self._ring[sequence & self._mask]
            if entry is None or entry[0] != sequence:
                continue
            _, ticks, marker, descriptor, payload = entry
            tries = self._resent.get(sequence, 0)
            if tries >= _MAX_RETRANSMITS:
                continue
            if len(self._resent) > _RING:
                self._resent.clear()
            self._resent[sequence] = tries + 1
            self.peer.traffic.retransmitted += 1
            self._rtx_sequence = (self._rtx_sequence + 1) & 0xFFFF
            head = self._header(self.rtx_pt | marker, self._rtx_sequence, ticks, self.rtx_ssrc, send_time)
            self.peer.send_rtp(head + sequence.to_bytes(2, "big") + descriptor + payload)

    def take_repair_share(self) -> float:
        """Packets asked for again since the last call, as a share of those sent; 0 when there were only a few."""
        sent, asked = self.packets - self._packets_before, self._asked_again - self._asked_before
        self._packets_before, self._asked_before = self.packets, self._asked_again
        return asked / sent if sent >= 5 else 0.0

    def on_report(self, report: Any) -> None:
        if report.ssrc == self.ssrc:
            self.fraction_lost = report.fraction_lost / 256
            middle, sent = self._report_sent
            if report.lsr and report.lsr == middle:
                now = self._clock()
                self.round_trip = (now - sent - report.dlsr / 65536, now)

    def on_source_report(self, stream: UpStream) -> None:
        """Pass the publisher's sender report on, in this subscriber's numbers, with its cname."""
        if stream is not self.current or stream.sender_report is None:
            return
        ntp, ticks = stream.sender_report
        out = (ticks + self._timestamp_offset) & 0xFFFFFFFF
        self._anchor = (ntp / 4294967296, out)
        self._report_sent = (ntp >> 16 & 0xFFFFFFFF, self._clock())
        info = rtc.RtcpSenderInfo(
            ntp_timestamp=ntp,
            rtp_timestamp=out,
            packet_count=self.packets & 0xFFFFFFFF,
            octet_count=self.octets & 0xFFFFFFFF,
        )
        names = rtc.RtcpSourceInfo(ssrc=self.ssrc, items=[(1, self.track.cname.encode())])
        self.peer.send_rtcp(
            bytes(rtc.RtcpSrPacket(ssrc=self.ssrc, sender_info=info)) + bytes(rtc.RtcpSdesPacket(chunks=[names]))
        )

    def close(self) -> None:
        self.enabled = False
        self.current = self.wanted = None
        if self in self.track.downs:
            self.track.downs.remove(self)
        self.peer.sinks.pop(self.ssrc, None)
        self.peer.sinks.pop(self.rtx_ssrc, None)
