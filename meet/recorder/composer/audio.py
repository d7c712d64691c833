"""Sound: every track's samples on the recording's timeline, and their sum.

48 kHz stereo float32; position 0 is the recording's time zero. Packets that follow each other are laid end to end; how
they drift against the timeline is corrected by resampling by at most half a percent (two while more than 40 ms off),
and freely in pauses. Lost packets are taken from the error correction of the next one, or concealed; whatever begins or
ends without its neighbour is faded, so nothing clicks.

Packets wait undecoded until their time is mixed: many of one track in a row cost less than one of each in turn, because
the decoder and its state stay in the processor's caches.
"""

from __future__ import annotations

from collections import deque
from typing import Final, NamedTuple, Protocol

import numpy as np
import structlog

from meet.recorder.composer.clock import TrackClock
from meet.recorder.composer.opus import CHANNELS, MAX_SAMPLES, RATE, OpusDecoder, Samples, Undecodable
from meet.recorder.journal.records import Frame

log = structlog.get_logger(__name__)

_HYSTERESIS: Final = RATE * 5 // 1000
_FAR: Final = RATE * 40 // 1000
_LOST: Final = RATE // 2
_CONCEALED: Final = MAX_SAMPLES
"""A longer loss is a pause: concealment has faded to nothing by then."""
_FADE: Final = RATE * 5 // 1000
_FADE_IN: Final = np.linspace(0, 1, _FADE, dtype=np.float32)
_FADE_OUT: Final = _FADE_IN[::-1].copy()


class Decoder(Protocol):
    """What `OpusDecoder` does."""

    def length(self, payload: bytes) -> int: ...

    def decode(self, payload: bytes) -> Samples: ...

    def recover(self, following: bytes, length: int) -> Samples: ...

    def conceal(self, length: int) -> Samples: ...


def samples(duration_us: int) -> int:
    """A duration in samples."""
    return duration_us * RATE // 1_000_000


def _resample(sound: Samples, length: int) -> Samples:
    """Linear interpolation: good enough for a shift of a few samples per packet."""
    at = np.linspace(0, sound.shape[1] - 1, length, dtype=np.float32)
    left = at.astype(np.int32)
    right = np.minimum(left + 1, sound.shape[1] - 1)
    part = at - left
    result: Samples = sound[:, left] * (1 - part) + sound[:, right] * part
    return result


class _Waiting(NamedTuple):
    """A packet, where it should begin, and whether the track was muted when it came."""

    frame: Frame
    wanted: int
    muted: bool


class AudioTrack:
    """Decodes Opus and places it. `zero` is the recording's time zero, µs on the journal's clock."""

    def __init__(self, clock: TrackClock, decoder: Decoder | None = None) -> None:
        self.clock = clock
        self.muted = False
        self.gaps = 0
        self.off = 0
        """By how many samples the newest packet lies before (+) or behind (-) the time at which it was captured."""
        self._decoder = decoder or OpusDecoder()
        self._waiting: deque[_Waiting] = deque()
        self._chunks: deque[tuple[int, Samples]] = deque()
        self._cursor: int | None = None
        self._expected = 0
        self._mixed = 0
        self._end = 0
        self._last: Samples | None = None

    def push(self, frame: Frame, zero: int) -> None:
        """A packet, in the order of the journal."""
        if frame.payload:
            self._waiting.append(_Waiting(frame, samples(self.clock.target(frame.rtp) - zero), self.muted))

    def decode(self) -> None:
        """Decode what waits and put it where it belongs."""
        for waiting in self._waiting:
            self._place(*waiting)
        self._waiting.clear()

    def pass_over(self) -> None:
        """Only find out where what waits belongs, and so where the next packet goes."""
        for waiting in self._waiting:
            self._place(*waiting, decode=False)
        self._waiting.clear()

    def cut(self, position: int) -> None:
        """Nothing sounds from `position` on; what comes next is placed without regard to what was before."""
        self.decode()
        self._chunks = deque((at, sound[:, : position - at]) for at, sound in self._chunks if at < position)
        if self._end > position:
            self._end, self._last = position, self._chunks[-1][1] if self._chunks else None
        self._fade_out()
        self._cursor = None

    def _place(self, frame: Frame, wanted: int, muted: bool, decode: bool = True) -> None:
        payload = frame.payload
        length = self._decoder.length(payload)
        if not length:
            return
        skipped = 0 if self._cursor is None else frame.rtp - self._expected
        if skipped < 0:
            return  # a duplicate
        try:
            start = self._start(frame, wanted, skipped, muted, decode)
            sound = self._decoder.decode(payload) if decode else None
        except Undecodable as error:
            log.warning("audio_frame_undecodable", error=str(error))
            return
        self.off, stretched = wanted - start, length
        if abs(self.off) > _HYSTERESIS:
            limit = length // (50 if abs(self.off) > _FAR else 200)
            stretched += max(-limit, min(limit, self.off))
            sound = _resample(sound, stretched) if sound is not None else None
        self._expected = frame.rtp + length
        self._cursor = start + stretched
        if sound is not None:
            self._put(start, sound, muted)

    def _start(self, frame: Frame, wanted: int, skipped: int, muted: bool, decode: bool) -> int:
        """Where the packet begins; what was lost before it has been filled in."""
        if self._cursor is None:
            return wanted
        start = self._cursor + skipped
        far = abs(wanted - start) > _LOST
        if frame.gap:
            self.gaps += 1
            if 0 < skipped <= _CONCEALED and not far:
                if decode:
                    self._fill(self._cursor, skipped, frame.payload, muted)
                return start
        if far or (skipped and abs(wanted - start) > _HYSTERESIS):
            return max(wanted, self._cursor)
        return start

    def _fill(self, start: int, lost: int, following: bytes, muted: bool) -> None:
        """The packet before `following` from its error correction, those before that by concealment."""
        last = min(self._decoder.length(following), lost)
        if lost > last:
            self._put(start, self._decoder.conceal(lost - last), muted)
        self._put(start + lost - last, self._decoder.recover(following, last), muted)

    def _put(self, start: int, sound: Samples, muted: bool) -> None:
        if start < self._mixed:  # it came too late, so its beginning has been mixed without it
            sound = sound[:, self._mixed - start :]
            start = self._mixed
        if muted or not sound.shape[1]:
            self._fade_out()
            return
        if self._last is None or start != self._end:
            self._fade_out()
            sound = sound.copy()
            part = min(_FADE, sound.shape[1])
            sound[:, :part] *= _FADE_IN[:part]
        self._chunks.append((start, sound))
        self._end, self._last = start + sound.shape[1], sound

    def _fade_out(self) -> None:
        """Nothing follows what was put last: its end, backwards and fading, continues it without a jump."""
        if self._last is not None:
            mirrored = self._last[:, : -_FADE - 1 : -1]
            self._chunks.append((self._end, mirrored * _FADE_OUT[: mirrored.shape[1]]))
            self._last = None

    def mix_into(self, block: Samples, start: int) -> None:
        """Add what lies in [start, start + length of block); what is older is forgotten."""
        self.decode()
        end = start + block.shape[1]
        self._mixed = end
        if self._end < end:
            self._fade_out()
        for _ in range(len(self._chunks)):
            at, sound = self._chunks[0]
            if at >= end:
                return
            stop = at + sound.shape[1]
            if stop > start:
                first, last = max(at, start), min(stop, end)
                block[:, first - start : last - start] += sound[:, first - at : last - at]
            if stop > end:
                return  # its rest belongs to the next block
            self._chunks.popleft()


class Mixer:
    """The sum of all tracks, block after block without gaps."""

    def __init__(self) -> None:
        self.position = 0
        """Samples mixed so far."""

    def mix(self, tracks: list[AudioTrack], length: int) -> Samples:
        """The next `length` samples."""
        block: Samples = np.zeros((length, CHANNELS), np.float32).T
        for track in tracks:
            track.mix_into(block, self.position)
        self.position += length
        return np.ascontiguousarray(np.clip(block, -1.0, 1.0, out=block))
