"""One track towards one subscriber: layer choice, renumbering, retransmission, sender reports."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from meet.media.sfu.described import DescribedLane
from meet.media.sfu.lane import Lane, new_lane, rtp_header
from meet.media.sfu.track import Track
from meet.media.sfu.upstream import UpStream
from meet.media.transport import aiortc_adapter as rtc
from meet.media.transport.peer import Peer, random_ssrc

if TYPE_CHECKING:
    from meet.media.fastpath import _native

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
    extension id, None to leave it out; descriptor_id: that of the AV1 dependency descriptor. `limit` is what the client
    asked for, `ceiling` what its bandwidth allows; both are layer ranks, and a ceiling of -1 (`STARVED`) pauses the
    track until there is room for it again. `round_trip` is the last one measured and when, both in seconds (RFC 3550
    section 6.4.1).
    """

    def __init__(
        self,
        track: Track,
        peer: Peer,
        *,
        pt: int,
        rtx_pt: int | None = None,
        abs_send_time_id: int | None = None,
        descriptor_id: int | None = None,
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
        self.fraction_lost = 0.0
        self.round_trip: tuple[float, float] | None = None
        self._report_sent = (0, 0.0)
        self._asked_again = self._asked_before = self._packets_before = 0
        self._clock = clock
        self._extension_id = abs_send_time_id or 0
        self._descriptor_id = descriptor_id or 0
        self.redundant = False
        self.lane = self._new_lane(pt)
        self._source: UpStream | None = None
        self._anchor: tuple[float, int] | None = None
        self._rtx_sequence = random.getrandbits(15)
        self._resent: dict[int, int] = {}
        peer.sinks[self.ssrc] = self
        peer.sinks[self.rtx_ssrc] = self
        track.downs.append(self)

    def _new_lane(self, pt: int) -> Lane | _native.Lane:
        sequence, timestamp = random.getrandbits(15), random.getrandbits(31)
        if self.track.described:
            ids = self._extension_id, self._descriptor_id
            return DescribedLane(self.peer, pt, self.ssrc, *ids, _RING, (sequence, timestamp))
        return new_lane(
            self.peer,
            pt=pt,
            ssrc=self.ssrc,
            extension_id=self._extension_id,
            ring=_RING if self.track.video else _AUDIO_RING,
            pictures=self.track.codec == "VP8",
            sequence=sequence,
            timestamp=timestamp,
        )

    def carry_redundancy(self, red_pt: int) -> None:
        """The subscriber takes redundant audio (RFC 2198) under this payload type; call before anything is sent."""
        self.redundant = True
        self.lane = self._new_lane(red_pt)

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

    def bind(self, stream: UpStream, sequence: int, timestamp: int, descriptor: bytes) -> None:
        """Continue with this packet of another layer, or of the same one after a pause.

        Numbers go on, time advances as it really did.
        """
        lane = self.lane
        offset = lane.timestamp_offset
        if self._source is None:
            offset = (lane.last_timestamp - timestamp) & 0xFFFFFFFF
        elif stream is not self._source:
            offset = (self._next_timestamp(stream, timestamp) - timestamp) & 0xFFFFFFFF
        lane.bind(sequence, offset, descriptor)
        self.current = self._source = stream
        self.wanted = stream
        if stream.sender_report is not None:
            self.on_source_report(stream)

    def _next_timestamp(self, stream: UpStream, timestamp: int) -> int:
        """Outgoing timestamp for the first packet of a new layer.

        Layers have unrelated timestamps. With sender reports for both, capture time decides; else the wall clock.
        """
        rate = self.track.clock_rate
        elapsed = max(1, int((stream.last_packet - self.lane.last_out) * rate))
        guess = (self.lane.last_timestamp + elapsed) & 0xFFFFFFFF
        captured = stream.ntp_of(timestamp)
        if captured is None or self._anchor is None:
            return guess
        exact = (self._anchor[1] + round((captured - self._anchor[0]) * rate)) & 0xFFFFFFFF
        difference = (exact - guess + 0x80000000 & 0xFFFFFFFF) - 0x80000000
        if abs(difference) > _MAX_DRIFT_S * rate:
            return guess
        if (exact - self.lane.last_timestamp) & 0xFFFFFFFF >= 0x80000000:
            return (self.lane.last_timestamp + 1) & 0xFFFFFFFF
        return exact

    # -- feedback in, reports out

    def on_nack(self, sequences: list[int]) -> None:
        """Retransmit through RTX (RFC 4588), each packet a bounded number of times."""
        self._asked_again += len(sequences)
        if self.rtx_pt is None or not self.enabled:
            return
        send_time = int(time.time() * 262144) & 0xFFFFFF
        for sequence in sequences:
            entry = self.lane.find(sequence)
            if entry is None:
                continue
            ticks, marker, descriptor, payload = entry
            tries = self._resent.get(sequence, 0)
            if tries >= _MAX_RETRANSMITS:
                continue
            if len(self._resent) > _RING:
                self._resent.clear()
            self._resent[sequence] = tries + 1
            self.peer.traffic.retransmitted += 1
            self._rtx_sequence = (self._rtx_sequence + 1) & 0xFFFF
            kind, number = self.rtx_pt | marker, self._rtx_sequence
            if isinstance(self.lane, DescribedLane):
                head = self.lane.repair_header(kind, number, ticks, self.rtx_ssrc, descriptor, send_time)
                descriptor = b""
            else:
                head = rtp_header(kind, number, ticks, self.rtx_ssrc, self._extension_id, send_time)
            self.peer.send_rtp(head + sequence.to_bytes(2, "big") + descriptor + payload)

    def take_repair_share(self) -> float:
        """Packets asked for again since the last call, as a share of those sent; 0 when there were only a few."""
        sent, asked = self.lane.packets - self._packets_before, self._asked_again - self._asked_before
        self._packets_before, self._asked_before = self.lane.packets, self._asked_again
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
        out = (ticks + self.lane.timestamp_offset) & 0xFFFFFFFF
        self._anchor = (ntp / 4294967296, out)
        self._report_sent = (ntp >> 16 & 0xFFFFFFFF, self._clock())
        info = rtc.RtcpSenderInfo(
            ntp_timestamp=ntp,
            rtp_timestamp=out,
            packet_count=self.lane.packets & 0xFFFFFFFF,
            octet_count=self.lane.octets & 0xFFFFFFFF,
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
        for ssrc in (self.ssrc, self.rtx_ssrc):
            self.peer.sinks.pop(ssrc, None)
            self.peer.retire(ssrc)
