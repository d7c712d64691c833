"""Encoding and writing: an MP4 that is readable at any time and ordinary once closed, or a WebM or an Ogg."""

from __future__ import annotations

import contextlib
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.video.stream import VideoStream

from meet.recorder.composer.encoder import configure, successor
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
    "webm": {"cluster_time_limit": str(_FRAGMENT_US // 1000)},
    "ogg": {"page_duration": "1000000"},
}

SOUND_OPTIONS: Final = {"aac": {"aac_coder": "twoloop"}, "libmp3lame": {"reservoir": "0"}}
"""AAC's "fast" coder needs a half to a third of the time, but cuts off what is loud and tonal: of 440 Hz at -1 dB a
third is lost and the rest distorted. MP3 frames that borrow no bits from those before them can be continued by another
encoder."""


def create(path: Path, profile: Profile) -> av.container.OutputContainer:
    """The container of a recording. frag_duration, because fragments at key frames alone keep everything in memory
    until the next one; flushed, because half a megabyte in a buffer is many seconds of a still meeting."""
    options = _FRAGMENTS[profile.container] | {"flush_packets": "1"}
    path.unlink(missing_ok=True)  # it may be shared with the storage: never write into it
    return av.open(str(path), "w", format=profile.container, options=options)


class _Pictures:
    """The file's video stream."""

    def __init__(self, container: av.container.OutputContainer, profile: Profile, seam: Seam) -> None:
        self._container, self._profile, self._seam = container, profile, seam
        stream = container.add_stream(profile.video_codec, rate=profile.fps)
        assert isinstance(stream, VideoStream)
        stream.time_base = 1 / profile.fps
        configure(stream.codec_context, profile)
        stream.codec_context.open()
        self._stream, self._encoder, self._tick = stream, stream.codec_context, 1 / profile.fps

    def encode(self, picture: av.VideoFrame, number: int) -> None:
        picture.pts = number - self._seam.ticks
        picture.time_base = self._tick
        self._mux(self._encoder.encode(picture))

    def change_speed(self, speed: int) -> bool:
        following = successor(self._profile, speed, self._stream.codec_context.extradata)
        if following is None:
            return False
        self.flush()
        self._encoder = following
        return True

    def flush(self) -> None:
        self._mux(self._encoder.encode(None))

    def _mux(self, packets: list[av.Packet[VideoStream]]) -> None:
        for packet in packets:
            packet.stream = self._stream
            self._container.mux(packet)


class _Sound:
    """The file's audio stream. begins: where `encode` has to begin, block: how much it wants (samples at 48 kHz)."""

    def __init__(self, container: av.container.OutputContainer, profile: Profile, seam: Seam) -> None:
        self._container, self._seam = container, seam
        options = SOUND_OPTIONS.get(profile.audio_codec, {})
        stream = container.add_stream(profile.audio_codec, rate=profile.audio_rate, layout="stereo", options=options)
        assert isinstance(stream, AudioStream)
        stream.bit_rate = profile.audio_bitrate
        stream.time_base = Fraction(1, profile.audio_rate)
        stream.codec_context.open()
        self._stream = stream
        self._resampler = None
        if profile.audio_rate != RATE:
            self._resampler = AudioResampler("fltp", "stereo", profile.audio_rate)
        # The encoder wants blocks of its own frame size; with another rate the resampler's FIFO cuts them.
        self.block = stream.codec_context.frame_size or _BLOCK
        self.begins = Grid.of(profile).feed_from(seam.sample)
        self._samples = self.begins

    def encode(self, sound: Samples) -> None:
        frame = av.AudioFrame.from_ndarray(sound, format="fltp", layout="stereo" if CHANNELS == 2 else "mono")
        frame.sample_rate = RATE
        frame.time_base = Fraction(1, RATE)
        frame.pts = self._samples
        self._samples += sound.shape[1]
        self._encode(self._resampler.resample(frame) if self._resampler is not None else [frame])

    def flush(self) -> None:
        if self._resampler is not None and self._samples:
            self._encode(self._resampler.resample(None))
        self._mux(self._stream.encode(None))

    def _encode(self, frames: list[av.AudioFrame]) -> None:
        for frame in frames:
            self._mux(self._stream.encode(frame))

    def _mux(self, packets: list[av.Packet[AudioStream]]) -> None:
        # The encoder's priming lies before time zero. Keeping it makes the muxer shift all but the first picture by its
        # length; without it the decoder fades in over the first 21 ms.
        for packet in packets:
            if packet.pts is None or packet.pts >= self._seam.sample:
                if packet.pts is not None:
                    packet.pts = packet.dts = packet.pts - self._seam.sample
                self._container.mux(packet)


class Output:
    """One file, or with a `seam` the piece that goes on there: its pictures and its sound both begin at time 0.

    `begins`: where `audio` has to begin (samples at 48 kHz); what it encodes before the seam is not kept.
    """

    def __init__(self, path: Path, profile: Profile, seam: Seam = START) -> None:
        """A file without picture takes no `video`, one without sound no `audio`."""
        self._container = create(path, profile)
        try:
            self._pictures = _Pictures(self._container, profile, seam) if profile.picture else None
            self._sound = _Sound(self._container, profile, seam) if profile.sound else None
        except BaseException:
            self._container.close()
            raise
        self.begins, self.block = (self._sound.begins, self._sound.block) if self._sound is not None else (0, _BLOCK)

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
            self._container.close()

    def abort(self) -> None:
        """Close the file as it is; on a full disk, as much of it as there is."""
        with contextlib.suppress(OSError, av.FFmpegError):
            self._container.close()
