"""A published track: its encodings and everyone it is forwarded to."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from meet.media.sfu.fanout import fan_out, send_each
from meet.media.sfu.levels import AudioLevels
from meet.media.sfu.red import Redundancy
from meet.media.sfu.upstream import UpStream
from meet.media.transport.peer import Peer

if TYPE_CHECKING:
    from meet.media.sfu.downtrack import DownTrack

_FLOWING_S = 1.0
_RANKS = {"q": 0, "h": 1, "f": 2}


class Track:
    """kind: "audio" or "video". codec: RTP encoding name ("VP8", "H264", "opus"). rids: simulcast ids, lowest first.

    cname: the publisher's sid; the same for all its tracks, so that receivers keep them in sync.
    """

    def __init__(
        self,
        peer: Peer,
        *,
        sid: str,
        kind: str,
        codec: str,
        cname: str,
        clock_rate: int,
        level_id: int | None = None,
        rids: tuple[str, ...] = (),
        red: Redundancy | None = None,
        descriptor_id: int | None = None,
    ) -> None:
        self.peer = peer
        self.sid = sid
        self.kind = kind
        self.video = kind == "video"
        self.codec = codec
        self.cname = cname
        self.clock_rate = clock_rate
        self.level_id = level_id
        self.rids = rids
        self.red = red
        self.described = codec == "AV1"
        self.descriptor_id = descriptor_id
        self.levels = AudioLevels()
        self.muted = False
        self.layers: dict[str, UpStream] = {}
        self.downs: list[DownTrack] = []

    def rank(self, rid: str) -> int:
        """Order of quality: 0 lowest. q, h and f keep their meaning, other ids go by position."""
        if rid in _RANKS:
            return _RANKS[rid]
        return self.rids.index(rid) if rid in self.rids else 0

    def bind(self, ssrc: int, rid: str) -> UpStream:
        """The stream with this SSRC carries the encoding `rid` ("" without simulcast)."""
        stream = self.layers.get(rid)
        if stream is None or stream.ssrc != ssrc:
            if stream is not None:
                self.peer.sources.pop(stream.ssrc, None)
                self.peer.handlers.pop(stream.ssrc, None)
            stream = self.layers[rid] = UpStream(self, ssrc, rid)
            self.peer.sources[ssrc] = stream
        return stream

    def forward(
        self,
        stream: UpStream,
        sequence: int,
        timestamp: int,
        marker: int,
        descriptor: bytes,
        payload: bytes,
        *,
        key: bool,
        padding: bool = False,
        redundant: bool | None = None,
    ) -> None:
        """Send one packet to everyone who shall have it; redundant: only to those with, or without, redundant audio."""
        downs = self.downs if redundant is None else [d for d in self.downs if d.redundant is redundant]
        if not downs or self.muted:
            return
        send_time = int(time.time() * 262144) & 0xFFFFFF
        destinations = []
        for down in downs:
            if down.current is not stream:
                if down.wanted is not stream or (self.video and not key):
                    continue
                down.bind(stream, sequence, timestamp, descriptor)
            destinations.append(down.lane)
        if destinations:
            (send_each if self.described else fan_out)(
                payload,
                destinations,
                sequence,
                timestamp,
                marker,
                descriptor,
                send_time,
                stream.last_packet,
                padding,
            )

    def set_muted(self, muted: bool) -> None:
        """While muted nothing is forwarded, whatever the publisher sends; unmuting continues with a key frame."""
        if muted == self.muted:
            return
        self.muted = muted
        for down in self.downs:
            down.pause() if muted else down.choose()

    def best(self, limit: int) -> UpStream | None:
        """The best flowing layer up to rank `limit`, else the lowest flowing one.

        A layer flows when it is not more than a second behind the newest packet of any layer, so that a still screen
        share, which sends next to nothing on every layer, does not look dead.
        """
        newest = max((s.last_packet for s in self.layers.values()), default=0.0)
        best: UpStream | None = None
        lowest: UpStream | None = None
        for stream in self.layers.values():
            if newest - stream.last_packet >= _FLOWING_S:
                continue
            if stream.rank <= limit and (best is None or stream.rank > best.rank):
                best = stream
            if lowest is None or stream.rank < lowest.rank:
                lowest = stream
        return best or lowest

    def close(self) -> None:
        """Stop receiving: the peer forgets all SSRCs of this track."""
        streams = {s.ssrc for s in self.layers.values()}
        for ssrc in streams:
            self.peer.sources.pop(ssrc, None)
        owned = set(self.layers.values())
        for ssrc, handler in list(self.peer.handlers.items()):
            if getattr(handler, "__self__", None) in owned:
                del self.peer.handlers[ssrc]
        self.layers.clear()
