"""Sound: every track's samples on the recording's timeline, and their sum.

48 kHz stereo float32; position 0 is the recording's time zero. Packets that follow each other are laid end to end; how
they drift against the timeline is corrected by resampling by at most half a percent (two while more than 40 ms off),
and freely in pauses.
"""

from __future__ import annotations

from collections import deque
from typing import Final

import av
import numpy as np
import numpy.typing as npt
import structlog
from av.audio.codeccontext import AudioCodecContext

from meet.recorder.composer.clock import TrackClock
from meet.recorder.journal.records import Frame

log = structlog.get_logger(__name__)

RATE: Final = 48_000
CHANNELS: Final = 2
Samples = npt.NDArray[np.float32]
"""Channels x samples, -1 to 1."""

_HYSTERESIS: Final = RATE * 5 // 1000
_FAR: Final = RATE * 40 // 1000
_LOST: Final = RATE // 2


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


class AudioTrack:
    """Decodes Opus and places it. `zero` is the recording's time zero, µs on the journal's clock."""

    def __init__(self, clock: TrackClock) -> None:
        self.clock = clock
        self.muted = False
        context = av.CodecContext.create("opus", "r")
        assert isinstance(context, AudioCodecContext)
        context.sample_rate = RATE
        context.layout = "stereo"
        context.thread_count = 1
        self._context = context
        self._chunks: deque[tuple[int, Samples]] = deque()
        self._cursor: int | None = None
        self._expected: int | None = None

    def push(self, frame: Frame, zero: int) -> None:
        """Decode a packet and put it where it belongs."""
        sound = self._decode(frame)
        if sound is None:
            return
        length = sound.shape[1]
        wanted = samples(self.clock.target(frame.rtp) - zero)
        if self._cursor is None or self._expected is None:
            start = wanted
        else:
            skipped = frame.rtp - self._expected
            if skipped < 0:
                return  # a duplicate
            start = self._cursor + skipped
            error = wanted - start
            if abs(error) > _LOST or (skipped and abs(error) > _HYSTERESIS):
                start = max(wanted, self._cursor)
            elif abs(error) > _HYSTERESIS:
                limit = length // (50 if abs(error) > _FAR else 200)
                sound = _resample(sound, length + max(-limit, min(limit, error)))
        self._expected = frame.rtp + length
        self._cursor = start + sound.shape[1]
        if not self.muted:
            self._chunks.append((start, sound))

    def _decode(self, frame: Frame) -> Samples | None:
        if not frame.payload:
            return None  # an empty packet would tell the decoder that the stream is over
        try:
            decoded = self._context.decode(av.Packet(frame.payload))
        except av.FFmpegError as error:
            log.warning("audio_frame_undecodable", error=str(error))
            return None
        if not decoded:
            return None
        sound = np.concatenate([part.to_ndarray() for part in decoded], axis=1).astype(np.float32, copy=False)
        return np.repeat(sound, CHANNELS, axis=0) if sound.shape[0] == 1 else sound

    def mix_into(self, block: Samples, start: int) -> None:
        """Add what lies in [start, start + length of block); what is older is forgotten."""
        end = start + block.shape[1]
        while self._chunks:
            at, sound = self._chunks[0]
            stop = at + sound.shape[1]
            if at >= end:
                return
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
        block: Samples = np.zeros((CHANNELS, length), np.float32)
        for track in tracks:
            track.mix_into(block, self.position)
        self.position += length
        return np.clip(block, -1.0, 1.0, out=block)
