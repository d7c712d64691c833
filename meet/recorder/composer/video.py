"""One video track: encoded frames wait until they are due, then are decoded in order; the newest one is shown.

Frames that are due soon are decoded ahead, several in a row: turn by turn with other tracks and the encoder, each would
find the processor's caches full of the others' code and pictures (measured: a seventh more time).
"""

from __future__ import annotations

from collections import deque
from typing import Final

import av
import structlog
from av.codec.context import Flags
from av.video.codeccontext import VideoCodecContext

from meet.recorder.composer.canvas import Scaler
from meet.recorder.composer.clock import TrackClock
from meet.recorder.composer.overlay import Planes
from meet.recorder.journal.records import Frame
from meet.recorder.quarantine.note import UNREAD, Note

log = structlog.get_logger(__name__)

DECODERS: Final = {"vp8": "vp8", "h264": "h264", "vp9": "libvpx-vp9", "av1": "libdav1d"}
"""By encoding name. libvpx and dav1d decode all spatial layers of a picture and give the best one out."""
_EARLY_US: Final = 5_000_000
_AHEAD_BYTES: Final = 4 << 20
"""Of decoded pictures, per track."""
_MAX_KEPT: Final = 16 << 20
"""Bytes passed over since a key frame before they are decoded after all."""
_MAX_HIDDEN: Final = 2 << 20
"""Bytes kept of a track that nobody sees: 0.4 s of decoding, at any size, when it is seen again. The recorder asks for
a key frame before (`subscriber/session.py`), so as a rule it is a quarter of that."""


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
    """The pictures of one track. Raises UnknownCodec. note: told what the decoder is working at.

    live: of whoever is seen again a key frame is asked for, so a track that is hidden for long is not decoded for its
    sake. It shows nothing until then; its last picture would be from another time."""

    def __init__(self, codec: str, clock: TrackClock, note: Note = UNREAD, *, live: bool = False) -> None:
        self.clock = clock
        self._note, self._live = note, live
        self.scaler = Scaler()
        self.version = 0
        """Another number with every picture."""
        self._picture: av.VideoFrame | None = None
        self.muted = False
        self.gaps = 0
        self._codec = codec
        self._context = _decoder(codec)
        self._queue: deque[Frame] = deque()
        self._due: int | None = None
        self._needs_key = True
        self._shown = False
        self._ready: deque[tuple[int, av.VideoFrame]] = deque()
        self._kept: list[Frame] = []
        self._kept_bytes = 0
        self._hidden_bytes = 0
        self._blank = 0
        self._before: VideoTrack | None = None
        self._number = 0

    @property
    def picture(self) -> av.VideoFrame | None:
        """What is on screen now; None before the first one."""
        return self._picture

    @picture.setter
    def picture(self, picture: av.VideoFrame | None) -> None:
        self._picture = picture
        self.version += 1

    @property
    def has_picture(self) -> bool:
        """There is a picture, or will be one after `catch_up`."""
        earlier = self._before is not None and self._before.has_picture
        return self.picture is not None or len(self._kept) > self._blank or earlier

    def forget(self) -> None:
        """Show nothing until the next picture."""
        self.picture, self._before, self._blank = None, None, len(self._kept)

    def inherit(self, other: VideoTrack) -> None:
        """Show what the other one showed until the first own picture."""
        self.picture, self._number = other.picture, other._number
        self._before = other if other._kept else other._before

    def catch_up(self) -> None:
        """Decode what was passed over since the last key frame, so that `picture` is what it would have been."""
        if self._before is not None:
            self._before.catch_up()
            self.picture, self._number, self._before = self._before.picture, self._before._number, None
        kept, self._kept, self._kept_bytes = self._kept, [], 0
        blank, self._blank = self._blank, 0
        broken, self._needs_key = self._needs_key, False  # there may have been a gap behind what was kept
        for index, frame in enumerate(kept):
            fresh = self._decode(frame)
            if fresh is not None and index >= blank:
                self.picture = fresh
            if self._needs_key:
                break
        self._needs_key |= broken

    def draw(self, into: Planes) -> None:
        """The picture, which must be there, over these planes, in their size."""
        assert self.picture is not None
        self._note.enter(self._number, self.picture.pts or 0)  # scaling can stumble over what decoding has let pass
        self.scaler.draw(self.picture, into)
        self._note.leave()

    def push(self, frame: Frame) -> None:
        """A frame from the journal, in decoding order."""
        if frame.payload:  # an empty packet would tell the decoder that the stream is over
            self._queue.append(frame)

    def decode_ahead(self, until: int) -> None:
        """Decode what is due until then, if the track is being shown; `advance` will find it."""
        picture = self._ready[-1][1] if self._ready else self.picture
        if not self._shown or picture is None:
            return
        room = _AHEAD_BYTES // (picture.width * picture.height * 3 // 2) - len(self._ready)
        while room > 0 and (due := self._next_due()) is not None and due <= until:
            frame = self._pop()
            fresh = self._decode(frame) if self._usable(frame) else None
            if fresh is not None:
                self._ready.append((due, fresh))
                room -= 1

    def advance(self, now: int, *, shown: bool, decode: bool = True) -> bool:
        """Take all frames captured until `now`; True when `picture` is a new one. Hidden tracks are decoded when they
        are shown again, from their last key frame on.

        decode false: keep what would have to be decoded for `catch_up`; True when that changes the picture."""
        fresh, kept, was = None, False, self.version
        self._shown = shown and decode
        if shown:
            self._hidden_bytes = 0
        if self._shown and (self._kept or self._before is not None):
            self.catch_up()
        while self._ready and self._ready[0][0] <= now:
            fresh = self._ready.popleft()[1]
        if not self._ready:
            while (due := self._next_due()) is not None and due <= now:
                frame = self._pop()
                if not self._usable(frame):
                    continue
                if self._shown:
                    fresh = self._decode(frame) or fresh
                else:
                    self._keep(frame, hidden=not shown)
                    kept = shown
        if fresh is not None:
            self.picture = fresh
        return kept or (shown and self.version != was)

    def _next_due(self) -> int | None:
        """When the frame that waits longest is to be seen; None when none waits."""
        if self._due is None and self._queue:
            frame = self._queue[0]
            self._due = self.clock.map(frame.rtp)
            if self._due > frame.at + _EARLY_US:
                self._due = frame.at  # a clock that claims the future is wrong
        return self._due

    def _pop(self) -> Frame:
        self._due = None
        return self._queue.popleft()

    def _usable(self, frame: Frame) -> bool:
        """The decoder can go on with this frame."""
        if frame.gap:
            self.gaps += 1
            self._needs_key = True
        elif frame.broken:
            self.gaps += 1
        if frame.key:
            self._needs_key = False
        return not self._needs_key

    def _keep(self, frame: Frame, *, hidden: bool) -> None:
        if frame.key:
            self._kept, self._kept_bytes, self._blank, self._before = [], 0, 0, None
            self._hidden_bytes = 0
        self._kept.append(frame)
        self._kept_bytes += len(frame.payload)
        if not hidden:
            if self._kept_bytes > _MAX_KEPT:
                self.catch_up()
            return
        # Counted since it was hidden, so that a process that passes over what is shown comes to the same end.
        self._hidden_bytes += len(frame.payload)
        if self._hidden_bytes > _MAX_HIDDEN:
            if self._live:
                self._kept, self._kept_bytes = [], 0
                self._needs_key = True
                self.forget()
            else:
                self.catch_up()

    def _decode(self, frame: Frame) -> av.VideoFrame | None:
        """The picture of a frame, if there is one."""
        self._number = frame.track
        self._note.enter(self._number, frame.rtp)
        try:
            pictures = self._context.decode(av.Packet(frame.payload))
        except av.FFmpegError as error:
            self._note.leave()
            # Damaged beyond what loss detection saw: hold the last picture until the next key frame.
            log.warning("video_frame_undecodable", codec=self._codec, error=str(error))
            self.gaps += 1
            self._needs_key = True
            return None
        self._note.leave()
        if not pictures:
            return None
        pictures[-1].pts = frame.rtp
        return pictures[-1]
