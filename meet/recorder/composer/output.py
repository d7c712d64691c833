"""Encoding and writing: an MP4 that is readable at any time and ordinary once closed, or a WebM."""

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

_FRAGMENT_US: Final = 3_000_000
"""The most that one fragment holds where key frames are farther apart."""
_MOVFLAGS: Final = "hybrid_fragmented+empty_moov+default_base_moof+frag_keyframe"
"""An ordinary MP4 once closed. Until then, and inside of it for ever, fragments that begin with key frames and can be
played without what comes before them."""


def create(path: Path, profile: Profile) -> av.container.OutputContainer:
    """The container of a recording. frag_duration, because fragments at key frames alone keep everything in memory
    until the next one; flushed, because half a megabyte in a buffer is many seconds of a still meeting."""
    mp4 = {"movflags": _MOVFLAGS, "frag_duration": str(_FRAGMENT_US)}
    webm = {"cluster_time_limit": str(_FRAGMENT_US // 1000)}
    options = (mp4 if profile.container == "mp4" else webm) | {"flush_packets": "1"}
    path.unlink(missing_ok=True)  # it may be shared with the storage: never write into it
    return av.open(str(path), "w", format=profile.container, options=options)


class Output:
    """One file, or with a `seam` the piece that goes on there: its pictures and its sound both begin at time 0."""

    def __init__(self, path: Path, profile: Profile, seam: Seam = START) -> None:
        self._container = create(path, profile)
        self._profile = profile
        try:
            self._video = self._add_video(profile)
            self._encoder = self._video.codec_context
            self._audio = self._add_audio(profile)
        except BaseException:
            self._container.close()
            raise
        self._resampler = None
        if profile.audio_rate != RATE:
            self._resampler = AudioResampler("fltp", "stereo", profile.audio_rate)
        # The encoder wants blocks of its own frame size; with another rate the resampler's FIFO cuts them.
        self.block = self._audio.codec_context.frame_size or 1024
        self._seam = seam
        grid = Grid.of(profile)
        self.begins = grid.feed_from(seam.sample) if grid is not None else 0
        """Where `audio` has to begin (samples at 48 kHz); what it encodes before the seam is not kept."""
        self._samples = self.begins

    def _add_video(self, profile: Profile) -> VideoStream:
        stream = self._container.add_stream(profile.video_codec, rate=profile.fps)
        assert isinstance(stream, VideoStream)
        stream.time_base = 1 / profile.fps
        configure(stream.codec_context, profile)
        stream.codec_context.open()
        return stream

    def _add_audio(self, profile: Profile) -> AudioStream:
        # The default coder searches twice as long without being heard.
        options = {"aac_coder": "fast"} if profile.audio_codec == "aac" else {}
        stream = self._container.add_stream(
            profile.audio_codec, rate=profile.audio_rate, layout="stereo", options=options
        )
        assert isinstance(stream, AudioStream)
        stream.bit_rate = profile.audio_bitrate
        stream.time_base = Fraction(1, profile.audio_rate)
        stream.codec_context.open()
        return stream

    def video(self, picture: av.VideoFrame, number: int) -> None:
        """Encode the canvas as frame `number` of the recording."""
        picture.pts = number - self._seam.ticks
        picture.time_base = self._encoder.time_base
        self._mux_video(self._encoder.encode(picture))

    def change_speed(self, speed: int) -> bool:
        """Go on with a cheaper or better encoder (0 to SPEEDS - 1); False when this stream cannot be continued so."""
        following = successor(self._profile, speed, self._video.codec_context.extradata)
        if following is None:
            return False
        self._mux_video(self._encoder.encode(None))
        self._encoder = following
        return True

    def _mux_video(self, packets: list[av.Packet[VideoStream]]) -> None:
        for packet in packets:
            packet.stream = self._video
            self._container.mux(packet)

    def audio(self, sound: Samples) -> None:
        """Encode the next samples; all but the last come in multiples of `block`."""
        frame = av.AudioFrame.from_ndarray(sound, format="fltp", layout="stereo" if CHANNELS == 2 else "mono")
        frame.sample_rate = RATE
        frame.time_base = Fraction(1, RATE)
        frame.pts = self._samples
        self._samples += sound.shape[1]
        self._encode(self._resampler.resample(frame) if self._resampler is not None else [frame])

    def _encode(self, frames: list[av.AudioFrame]) -> None:
        for frame in frames:
            self._mux_audio(self._audio.encode(frame))

    def _mux_audio(self, packets: list[av.Packet[AudioStream]]) -> None:
        # The encoder's priming lies before time zero. Keeping it makes the muxer shift all but the first picture by its
        # length; without it the decoder fades in over the first 21 ms.
        for packet in packets:
            if packet.pts is None or packet.pts >= self._seam.sample:
                if packet.pts is not None:
                    packet.pts = packet.dts = packet.pts - self._seam.sample
                self._container.mux(packet)

    def close(self) -> None:
        """Flush the encoders and finish the file."""
        try:
            self._mux_video(self._encoder.encode(None))
            if self._resampler is not None and self._samples:
                self._encode(self._resampler.resample(None))
            self._mux_audio(self._audio.encode(None))
        finally:
            self._container.close()

    def abort(self) -> None:
        """Close the file as it is; on a full disk, as much of it as there is."""
        with contextlib.suppress(OSError, av.FFmpegError):
            self._container.close()
