"""Encoding and writing: H264 and AAC into an MP4 that is readable at any time and ordinary once closed."""

from __future__ import annotations

import contextlib
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.video.stream import VideoStream

from meet.recorder.composer.audio import CHANNELS, RATE, Samples
from meet.recorder.composer.profile import Profile

_FRAGMENT_US: Final = 2_000_000
_CRF: Final = 23
_BT709: Final = 1
_SMPTE170M: Final = 6
_LIMITED: Final = 1


def x264_options(profile: Profile) -> dict[str, str]:
    """Constant quality capped at the bit rate; no B-frames (a fifth less CPU for the same picture), one thread."""
    return {
        "preset": profile.x264_preset,
        "profile": profile.h264_profile,
        "crf": str(_CRF),
        "maxrate": str(profile.video_bitrate),
        "bufsize": str(profile.video_bitrate * 2),
        "bf": "0",
        "threads": "1",
        "g": str(max(1, round(profile.keyframe_s * profile.fps))),
    }


class Output:
    """One file. frag_duration, because fragments at key frames alone keep everything in memory until the next one."""

    def __init__(self, path: Path, profile: Profile) -> None:
        self._container = av.open(
            str(path),
            "w",
            format="mp4",
            options={"movflags": "hybrid_fragmented", "frag_duration": str(_FRAGMENT_US)},
        )
        try:
            self._video = self._add_video(profile)
            self._audio = self._add_audio(profile)
        except BaseException:
            self._container.close()
            raise
        self._samples = 0
        self._resampler = None
        if profile.audio_rate != RATE:
            self._resampler = AudioResampler("fltp", "stereo", profile.audio_rate)
        # The encoder wants blocks of its own frame size; with another rate the resampler's FIFO cuts them.
        self.block = self._audio.codec_context.frame_size or 1024

    def _add_video(self, profile: Profile) -> VideoStream:
        stream = self._container.add_stream(
            "libx264",
            rate=profile.fps,
            options=x264_options(profile),
        )
        stream.width, stream.height, stream.pix_fmt = profile.width, profile.height, "yuv420p"
        stream.time_base = stream.codec_context.time_base = 1 / profile.fps
        stream.thread_count = 1
        # WebRTC cameras deliver BT.601; players assume BT.709 at this size unless told.
        context = stream.codec_context
        context.color_range, context.colorspace = _LIMITED, _SMPTE170M
        context.color_primaries, context.color_trc = _BT709, _BT709
        context.open()
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
        """Encode the canvas as frame `number`."""
        picture.pts = number
        picture.time_base = self._video.codec_context.time_base
        self._container.mux(self._video.encode(picture))

    def audio(self, sound: Samples) -> None:
        """Encode the next samples; every block but the last must have `block` samples."""
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
        self._container.mux([packet for packet in packets if packet.pts is None or packet.pts >= 0])

    def close(self) -> None:
        """Flush the encoders and finish the file."""
        try:
            self._container.mux(self._video.encode(None))
            if self._resampler is not None and self._samples:
                self._encode(self._resampler.resample(None))
            self._mux_audio(self._audio.encode(None))
        finally:
            self._container.close()

    def abort(self) -> None:
        """Close the file as it is; on a full disk, as much of it as there is."""
        with contextlib.suppress(OSError, av.FFmpegError):
            self._container.close()
