"""Encoding and writing: an MP4 that is readable at any time and ordinary once closed, or a WebM or an Ogg."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.video.stream import VideoStream

from meet.recorder.composer import aac
from meet.recorder.composer.again import BUFFER, Again
from meet.recorder.composer.encoder import configure, successor
from meet.recorder.composer.made import Made, Timeline, Unusable, opened
from meet.recorder.composer.opus import CHANNELS, RATE, Samples
from meet.recorder.composer.profile import Profile
from meet.recorder.composer.seam import START, Grid, Seam

_BLOCK: Final = 1024
_FRAGMENT_US: Final = 3_000_000
"""The most that one fragment holds where key frames are farther apart."""
_MOVFLAGS: Final = "hybrid_fragmented+empty_moov+default_base_moof+frag_keyframe"
"""An ordinary MP4 once closed. Until then, and inside of it for ever, fragments that begin with key frames and can be
played without what comes before them."""

_FRAGMENTS: Final = {
    "mp4": {"movflags": _MOVFLAGS, "frag_duration": str(_FRAGMENT_US)},
    "webm": {"cluster_time_limit": str(_FRAGMENT_US // 1000), "fflags": "+bitexact"},
    "ogg": {"page_duration": "1000000", "fflags": "+bitexact"},
}
"""bitexact: the tracks are numbered instead of having random ids, so that another process writes the same."""

_SOUND_OPTIONS: Final = {"aac": aac.OPTIONS, "libmp3lame": {"reservoir": "0"}}
"""MP3 frames that borrow no bits from those before them can be continued by another encoder."""


def create(path: Path, profile: Profile) -> av.container.OutputContainer:
    """The container of a recording."""
    path.unlink(missing_ok=True)  # it may be shared with the storage: never write into it
    return av.open(str(path), "w", format=profile.container, options=_options(profile))


def _options(profile: Profile) -> dict[str, str]:
    """frag_duration, because fragments at key frames alone keep everything in memory until the next one; flushed,
    because half a megabyte in a buffer is many seconds of a still meeting."""
    return _FRAGMENTS[profile.container] | {"flush_packets": "1"}


class _Pictures:
    """The file's video stream."""

    def __init__(self, container: av.container.OutputContainer, profile: Profile, seam: Seam) -> None:
        self._container, self._profile, self._before = container, profile, seam.before[0]
        stream = container.add_stream(profile.video_codec, rate=profile.fps)
        assert isinstance(stream, VideoStream)
        stream.time_base = 1 / profile.fps
        configure(stream.codec_context, profile)
        stream.codec_context.open()
        self.stream, self._encoder, self._tick = stream, stream.codec_context, 1 / profile.fps

    def encode(self, picture: av.VideoFrame, number: int) -> None:
        picture.pts = number - self._before
        picture.time_base = self._tick
        self._mux(self._encoder.encode(picture))

    def change_speed(self, speed: int) -> bool:
        following = successor(self._profile, speed, self.stream.codec_context.extradata)
        if following is None:
            return False
        self.flush()
        self._encoder = following
        return True

    def flush(self) -> None:
        self._mux(self._encoder.encode(None))

    def _mux(self, packets: list[av.Packet[VideoStream]]) -> None:
        for packet in packets:
            packet.stream = self.stream
            self._container.mux(packet)


class _Sound:
    """The file's audio stream. begins: where `encode` has to begin, block: how much it wants (samples at 48 kHz)."""

    def __init__(self, container: av.container.OutputContainer, profile: Profile, seam: Seam) -> None:
        self._container, self._begins, self._before = container, seam.sample, seam.before[1]
        options = _SOUND_OPTIONS.get(profile.audio_codec, {})
        stream = container.add_stream(profile.audio_codec, rate=profile.audio_rate, layout="stereo", options=options)
        assert isinstance(stream, AudioStream)
        stream.bit_rate = profile.audio_bitrate
        stream.time_base = Fraction(1, profile.audio_rate)
        stream.codec_context.open()
        self.stream = stream
        self._aac = self._resampler = None
        if profile.audio_codec == "aac" and profile.audio_rate == RATE:
            self._aac = aac.AacEncoder(stream.codec_context)
        if profile.audio_rate != RATE:
            self._resampler = AudioResampler("fltp", "stereo", profile.audio_rate)
        # The encoder wants blocks of its own frame size; with another rate the resampler's FIFO cuts them.
        self.block = stream.codec_context.frame_size or _BLOCK
        self.begins = Grid.of(profile).feed_from(seam.sample)
        self._samples = self.begins

    def encode(self, sound: Samples) -> None:
        if self._aac is not None:
            self._mux(self._aac.encode(sound, self._samples))
            self._samples += sound.shape[1]
            return
        frame = av.AudioFrame.from_ndarray(sound, format="fltp", layout="stereo" if CHANNELS == 2 else "mono")
        frame.sample_rate = RATE
        frame.time_base = Fraction(1, RATE)
        frame.pts = self._samples
        self._samples += sound.shape[1]
        self._encode(self._resampler.resample(frame) if self._resampler is not None else [frame])

    def flush(self) -> None:
        if self._resampler is not None and self._samples:
            self._encode(self._resampler.resample(None))
        self._mux(self._aac.flush() if self._aac is not None else self.stream.encode(None))

    def _encode(self, frames: list[av.AudioFrame]) -> None:
        for frame in frames:
            self._mux(self.stream.encode(frame))

    def _mux(self, packets: Sequence[av.Packet[Any]]) -> None:
        # The encoder's priming lies before time zero. Keeping it makes the muxer shift all but the first picture by its
        # length; without it the decoder fades in over the first 21 ms.
        for packet in packets:
            if packet.pts is None or packet.pts >= self._begins:
                packet.stream = self.stream
                if packet.pts is not None:
                    packet.pts = packet.dts = packet.pts - self._before
                self._container.mux(packet)


class Output:
    """One file. With a `seam`, it is the piece that goes on there, and its pictures and its sound both begin at time 0;
    or what was made before is at `path` already, and is gone on with.

    `begins`: where `audio` has to begin (samples at 48 kHz); what it encodes before the seam is not kept.
    """

    def __init__(self, path: Path, profile: Profile, seam: Seam = START) -> None:
        """A file without picture takes no `video`, one without sound no `audio`.

        Raises OSError, av.FFmpegError; Unusable when what is there would not be written so again: it stays then."""
        self._again = Again(path) if seam.inside else None
        if self._again is None:
            self._container = create(path, profile)
        else:
            options = _options(profile)
            self._container = av.open(self._again, "w", format=profile.container, options=options, buffer_size=BUFFER)
        try:
            self._pictures = _Pictures(self._container, profile, seam) if profile.picture else None
            self._sound = _Sound(self._container, profile, seam) if profile.sound else None
            if self._again is not None:
                self._repeat(path, profile)
                self._again.repeating = False
        except BaseException:
            self.abort()
            raise
        self.begins, self.block = (self._sound.begins, self._sound.block) if self._sound is not None else (0, _BLOCK)

    def copy(self, made: Made, timeline: Timeline) -> None:
        """Take over what another file has. Raises OSError, av.FFmpegError."""
        video = self._pictures.stream if self._pictures is not None else None
        audio = self._sound.stream if self._sound is not None else None
        made.copy(timeline, self._container, video, audio)

    def _repeat(self, path: Path, profile: Profile) -> None:
        try:
            with opened(path, profile) as made:
                self.copy(made, Timeline(profile))
        except av.FFmpegError as error:
            if isinstance(error, OSError):  # of a disk, say
                raise
            raise Unusable(str(error)) from error

    def video(self, picture: av.VideoFrame, number: int) -> None:
        """Encode the canvas as frame `number` of the recording."""
        assert self._pictures is not None
        self._pictures.encode(picture, number)

    def change_speed(self, speed: int) -> bool:
        """Go on with a cheaper or better encoder (0 to SPEEDS - 1); False when this stream cannot be continued so."""
        return self._pictures is not None and self._pictures.change_speed(speed)

    def audio(self, sound: Samples) -> None:
        """Encode the next samples; all but the last come in multiples of `block`."""
        assert self._sound is not None
        self._sound.encode(sound)

    def close(self) -> None:
        """Flush the encoders and finish the file."""
        try:
            for stream in (self._pictures, self._sound):
                if stream is not None:
                    stream.flush()
        finally:
            self._close()

    def abort(self) -> None:
        """Close the file as it is; on a full disk, as much of it as there is."""
        with contextlib.suppress(OSError, av.FFmpegError, Unusable):
            self._close()

    def _close(self) -> None:
        try:
            self._container.close()
        finally:
            if self._again is not None:
                self._again.close()
