"""Sound: every track's samples on the recording's timeline, and their sum.

48 kHz stereo float32; position 0 is the recording's time zero. Packets that follow each other are laid end to end; how
they drift against the timeline is corrected by resampling by at most half a percent (two while more than 40 ms off),
and freely in pauses. What is further off, because a clock stood still or was set, is put in its place: with a hole, or
by leaving out what there is no time for. Lost packets are taken from the error correction of the next one, or
concealed; whatever begins or ends without its neighbour is faded, so nothing clicks.

Packets wait undecoded until their time is mixed: many of one track in a row cost less than one of each in turn, because
the decoder and its state stay in the processor's caches. While their clock is in doubt they wait for longer, to be put
where it says when it knows. A packet that comes after its time has been mixed is left out when those behind it are on
time (the network held them back); when all are late, they are mixed as soon as they can be.
"""

from __future__ import annotations

from collections import deque
from functools import lru_cache
from typing import Final, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import structlog

from meet.recorder.composer.clock import STEP_US, TrackClock
from meet.recorder.composer.limiter import AHEAD, GRAIN, Limiter
from meet.recorder.composer.opus import CHANNELS, MAX_SAMPLES, RATE, OpusDecoder, Samples, Undecodable
from meet.recorder.journal.records import Frame
from meet.recorder.quarantine.note import UNREAD, Note

log = structlog.get_logger(__name__)

MIX_DELAY_US: Final = 2_000_000
"""How far mixing stays behind drawing: what a network held back for so long is heard all the same."""
_HYSTERESIS: Final = RATE * 5 // 1000
_FAR: Final = RATE * 40 // 1000
_STEP: Final = RATE * STEP_US // 1_000_000
_HOLE: Final = RATE * 80 // 1000
"""What has to be this much later is not stretched: there was a hole."""
_PATIENCE_US: Final = 1_500_000
"""For how long packets wait for their clock to find out why they are late."""
_CONCEALED: Final = MAX_SAMPLES
"""A longer loss is a pause: concealment has faded to nothing by then."""
_FADE: Final = RATE * 5 // 1000
_FADE_IN: Final = np.linspace(0, 1, _FADE, dtype=np.float32)
_FADE_OUT: Final = _FADE_IN[::-1].copy()
_Places = npt.NDArray[np.intp]


class Decoder(Protocol):
    """What `OpusDecoder` does."""

    def length(self, payload: bytes) -> int: ...

    def decode(self, payload: bytes) -> Samples: ...

    def recover(self, following: bytes, length: int) -> Samples: ...

    def conceal(self, length: int) -> Samples: ...


def samples(duration_us: int) -> int:
    """A duration in samples."""
    return duration_us * RATE // 1_000_000


@lru_cache(maxsize=16)
def _between(length: int, stretched: int) -> tuple[_Places, _Places, Samples]:
    """For every sample the one before it and the one behind it, and how near to the latter it is."""
    at = np.linspace(0, length - 1, stretched, dtype=np.float32)
    left = at.astype(np.intp)
    return left, np.minimum(left + 1, length - 1), at - left.astype(np.float32)


def _resample(sound: Samples, length: int) -> Samples:
    """Linear interpolation: good enough for a shift of a few samples per packet."""
    left, right, part = _between(sound.shape[1], length)
    result = sound.take(right, axis=1)
    result *= part
    before = sound.take(left, axis=1)
    before *= 1 - part
    result += before
    return result


class _Waiting(NamedTuple):
    """A packet, the recording's time zero and whether the track was muted when it came."""

    frame: Frame
    zero: int
    muted: bool


class AudioTrack:
    """Decodes Opus and places it. `zero` is the recording's time zero, µs on the journal's clock. note: told what the
    decoder is working at."""

    def __init__(self, clock: TrackClock, decoder: Decoder | None = None, note: Note = UNREAD) -> None:
        self.clock = clock
        self._note = note
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
        self._late = self._left_out = self._cutting = self._ended = False
        self._end = 0
        self._last: Samples | None = None

    def push(self, frame: Frame, zero: int) -> None:
        """A packet, in the order of the journal."""
        if frame.payload:
            self._waiting.append(_Waiting(frame, zero, self.muted))

    @property
    def silent(self) -> bool:
        """Nothing waits to be mixed."""
        return not self._waiting and not self._chunks and self._last is None

    def end(self) -> None:
        """Nothing more will be pushed: what waits need not wait for its clock any longer."""
        self._ended = True

    def pass_over(self, until: int, *, decode: bool) -> None:
        """What an earlier process mixed until there; decode false: only find out where the next packet goes."""
        self._take(until, decode)
        self._mixed = until

    def cut(self, position: int) -> None:
        """Nothing sounds from `position` on; what comes next is placed without regard to what was before."""
        self._take(None)
        self._chunks = deque((at, sound[:, : position - at]) for at, sound in self._chunks if at < position)
        if self._end > position:
            self._end, self._last = position, self._chunks[-1][1] if self._chunks else None
        self._fade_out()
        self._cursor = None

    def _take(self, until: int | None, decode: bool = True) -> None:
        """Put what waits where it belongs; None: also what would better wait. until: that far is going to be mixed."""
        if not self._waiting:
            return
        newest = self._waiting[-1]
        self._late = max(self._wanted(newest), 0) < self._mixed
        while self._waiting:
            waiting = self._waiting[0]
            wanted = self._wanted(waiting)
            if until is not None and not self._mixed <= wanted < until and self._is_unclear(waiting, newest):
                return
            self._waiting.popleft()
            self._note.enter(waiting.frame.track, waiting.frame.rtp)
            self._place(waiting.frame, wanted, waiting.muted, decode)
            self._note.leave()

    def _is_unclear(self, waiting: _Waiting, newest: _Waiting) -> bool:
        since = None if self._ended else self.clock.in_doubt_since
        return since is not None and waiting.frame.at >= since and newest.frame.at - waiting.frame.at < _PATIENCE_US

    def _wanted(self, waiting: _Waiting) -> int:
        return samples(self.clock.target(waiting.frame.rtp) - waiting.zero)

    def _place(self, frame: Frame, wanted: int, muted: bool, decode: bool) -> None:
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
        self._expected = frame.rtp + length
        if start is None:
            return
        self.off, stretched = wanted - start, length
        if abs(self.off) > _HYSTERESIS:
            limit = length // (50 if abs(self.off) > _FAR else 200)
            stretched += max(-limit, min(limit, self.off))
            sound = _resample(sound, stretched) if sound is not None else None
        self._cursor = start + stretched
        left_out, self._left_out = self._left_out, 0 < self._cursor <= self._mixed  # before 0 there was no recording
        self.gaps += self._left_out and not left_out
        if sound is not None:
            self._put(start, sound, muted)

    def _start(self, frame: Frame, wanted: int, skipped: int, muted: bool, decode: bool) -> int | None:
        """Where the packet begins, None when there is no time for it; what was lost before it has been filled in."""
        if self._cursor is None:
            return max(wanted, self._mixed) if self._late else wanted
        start = self._cursor + skipped
        if self._late:
            self._cutting = False
            if start < self._mixed:
                self.gaps += 1
                return self._mixed
            return start
        ahead = wanted - start
        if frame.gap:
            self.gaps += 1
            if 0 < skipped <= _CONCEALED and abs(ahead) <= _STEP and not self._cutting:
                if decode:
                    self._fill(self._cursor, skipped, frame.payload, muted)
                return start
        if self._cutting or ahead < -_STEP:
            return self._cut_until(wanted, self._cursor)
        if ahead > _HOLE or (skipped and abs(ahead) > _HYSTERESIS):
            self.gaps += not skipped
            return max(wanted, self._cursor)
        return start

    def _cut_until(self, wanted: int, cursor: int) -> int | None:
        """There is more sound than time: what cannot begin where it should is left out."""
        cut, self._cutting = self._cutting, wanted < cursor - _HYSTERESIS
        if not self._cutting:
            return max(wanted, cursor)
        if not cut:
            self.gaps += 1
            self._fade_out()
        return None

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
        end = start + block.shape[1]
        self._take(end)
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
                part = block[:, first - start : last - start]
                part += sound[:, first - at : last - at]
            if stop > end:
                return  # its rest belongs to the next block
            self._chunks.popleft()


class Mixer:
    """The sum of all tracks, block after block without gaps, turned down where it would be too loud."""

    def __init__(self) -> None:
        self.position = 0
        """Samples given out so far; the tracks were asked for some more, that the limiter looks ahead at."""
        self._limiter = Limiter()
        self._held: Samples = np.zeros((CHANNELS, 0), np.float32)

    def mix(self, tracks: list[AudioTrack], length: int) -> Samples:
        """The next `length` samples."""
        held, self._held = self._held, self._held[:, length:]
        known = held.shape[1]
        limited = max(known - AHEAD, 0)
        if length > limited:
            missing = -(-(length - limited) // GRAIN) * GRAIN
            block: Samples = np.zeros((CHANNELS, limited + missing + AHEAD), np.float32)
            block[:, :known] = held
            for track in tracks:
                track.mix_into(block[:, known:], self.position + known)
            self._limiter.limit(block[:, limited:])
            held, self._held = block, block[:, length:].copy()
        self.position += length
        return np.ascontiguousarray(held[:, :length])
