"""One track into one file without transcoding."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Final, Protocol

import av
from av.audio.codeccontext import AudioCodecContext
from av.audio.stream import AudioStream
from av.video.codeccontext import VideoCodecContext

from meet.recorder.composer.opus import RATE
from meet.recorder.composer.video import DECODERS
from meet.recorder.journal.records import Frame, Track

CONTAINERS: Final = {"h264": "mp4", "vp8": "webm", "vp9": "webm", "av1": "webm", "opus": "webm"}
_MICROSECONDS: Final = Fraction(1, 1_000_000)
_FRAGMENT_US: Final = 2_000_000
_TICK_US: Final = 1_000
"""WebM's; MP4's is shorter."""


class UnknownCodec(Exception):
    """No container for this track."""


class Clock(Protocol):
    """Where a frame lies, in µs."""

    def map(self, rtp: int) -> int: ...


class TrackFile:
    """Opened by the first frame at which decoding can begin. Times are µs on the journal's clock.

    Raises UnknownCodec, OSError, av.FFmpegError.
    """

    def __init__(self, path: Path, info: Track, clock: Clock, container: str | None = None) -> None:
        """path: without ending, which depends on the codec. container: another one than that of CONTAINERS."""
        container = container or CONTAINERS.get(info.codec.lower())
        if container is None:
            raise UnknownCodec(info.codec)
        self.path = path.with_name(f"{path.name}.{container}")
        self.first_at: int | None = None
        self.last_at = 0
        self.frames = self.gaps = 0
        self._info, self._clock, self._format = info, clock, container
        self._output: av.container.OutputContainer | None = None
        self._stream: av.stream.Stream | None = None

    def push(self, frame: Frame, paused_us: int = 0) -> None:
        """The next frame in decoding order. paused_us: length of the pauses before it; they are no part of the file."""
        if not frame.payload:
            return
        at = self._clock.map(frame.rtp) - paused_us
        if self._stream is None:
            if not frame.key:
                return
            self._open(frame)
            self.first_at = at
        assert self._output is not None and self._stream is not None and self.first_at is not None
        self.gaps += frame.gap or frame.broken
        at = max(at, self.last_at + _TICK_US)  # containers want time to go on; a publisher's clock may not
        packet = av.Packet(frame.payload)
        packet.stream = self._stream
        packet.time_base = _MICROSECONDS
        packet.pts = packet.dts = at - self.first_at
        packet.is_keyframe = frame.key
        self._output.mux(packet)
        self.last_at = at
        self.frames += 1

    def close(self) -> None:
        """Finish the file."""
        if self._output is not None:
            self._output.close()

    def _open(self, first: Frame) -> None:
        options = {"movflags": "hybrid_fragmented", "frag_duration": str(_FRAGMENT_US)} if self._format == "mp4" else {}
        self._output = av.open(str(self.path), "w", format=self._format, options=options)
        if self._info.media == "audio":
            self._stream = self._add_sound(self._output)
        else:
            width, height = _size(self._info.codec.lower(), first.payload)
            codec = self._info.codec.lower()
            # No rate: WebM would tell it as every picture's duration, and WebKitGTK stops at the fifth VP9 picture.
            self._stream = self._output.add_mux_stream(codec, width=width, height=height)
            self._stream.time_base = Fraction(1, 90_000)

    @staticmethod
    def _add_sound(output: av.container.OutputContainer) -> AudioStream:
        # An encoder that is never used tells the file what every player of Opus wants to know first (OpusHead).
        stream = output.add_stream("libopus", rate=RATE, layout="stereo")
        assert isinstance(stream, AudioStream) and isinstance(stream.codec_context, AudioCodecContext)
        stream.codec_context.open()
        return stream


def _size(codec: str, key: bytes) -> tuple[int, int]:
    """Width and height of the picture in a key frame."""
    decoder = av.CodecContext.create(DECODERS[codec], "r")
    assert isinstance(decoder, VideoCodecContext)
    decoder.thread_count, decoder.thread_type = 1, "SLICE"
    pictures = [*decoder.decode(av.Packet(key)), *decoder.decode(None)]
    return (pictures[0].width, pictures[0].height) if pictures else (0, 0)
