"""One video track: encoded frames wait until they are due, then are decoded in order; the newest one is shown."""

from __future__ import annotations

from collections import deque
from typing import Final

import av
import structlog
from av.codec.context import Flags
from av.video.codeccontext import VideoCodecContext

from meet.recorder.composer.canvas import Scaler
from meet.recorder.composer.clock import TrackClock
from meet.recorder.journal.records import Frame

log = structlog.get_logger(__name__)

DECODERS: Final = {"vp8": "vp8", "h264": "h264"}
_EARLY_US: Final = 5_000_000


class UnknownCodec(Exception):
    """No decoder for this track."""


def _decoder(codec: str) -> VideoCodecContext:
    name = DECODERS.get(codec.lower())
    if name is None:
        raise UnknownCodec(codec)
    context = av.CodecContext.create(name, "r")
    assert isinstance(context, VideoCodecContext)
    # Frame threads deadlock with the GIL when the context is dropped unflushed, and they delay pictures.
    context.thread_count = 1
    context.thread_type = "SLICE"
    context.flags |= Flags.low_delay
    return context


class VideoTrack:
    """`picture` is what is on screen now, `None` before the first one. Raises UnknownCodec."""

    def __init__(self, codec: str, clock: TrackClock) -> None:
        self.clock = clock
        self.scaler = Scaler()
        self.picture: av.VideoFrame | None = None
        self.muted = False
        self.gaps = 0
        self._codec = codec
        self._context = _decoder(codec)
        self._queue: deque[Frame] = deque()
        self._due: int | None = None
        self._needs_key = True

    def push(self, frame: Frame) -> None:
        """A frame from the journal, in decoding order."""
        if frame.payload:  # an empty packet would tell the decoder that the stream is over
            self._queue.append(frame)

    def advance(self, now: int, *, shown: bool) -> bool:
        """Take all frames captured until `now`; True when `picture` is a new one. Hidden tracks are not decoded."""
        fresh = False
        while self._queue:
            frame = self._queue[0]
            if self._due is None:
                self._due = self.clock.map(frame.rtp)
                if self._due > frame.at + _EARLY_US:
                    self._due = frame.at  # a clock that claims the future is wrong
            if self._due > now:
                break
            self._queue.popleft()
            self._due = None
            fresh |= self._take(frame, shown)
        return fresh

    def _take(self, frame: Frame, shown: bool) -> bool:
        if frame.gap and not frame.key:
            self.gaps += 1
            self._needs_key = True
        if not shown:
            self._needs_key = True
            return False
        if self._needs_key:
            if not frame.key:
                return False
            self._needs_key = False
        try:
            pictures = self._context.decode(av.Packet(frame.payload))
        except av.FFmpegError as error:
            # Damaged beyond what loss detection saw: hold the last picture until the next key frame.
            log.warning("video_frame_undecodable", codec=self._codec, error=str(error))
            self.gaps += 1
            self._needs_key = True
            return False
        if pictures:
            self.picture = pictures[-1]
        return bool(pictures)
