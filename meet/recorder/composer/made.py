"""What earlier processes have made of a recording: its packets, counted or taken over into another file."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import av
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.video.stream import VideoStream

from meet.recorder.composer.opus import RATE
from meet.recorder.composer.profile import Profile
from meet.recorder.composer.seam import Grid

_CODECS: Final = {"libx264": "h264", "libvpx": "vp8", "libopus": "opus", "libmp3lame": "mp3float"}
_AS_STORED: Final = {"fflags": "nofillin+noparse"}
"""A parser would call every I picture a key frame, though x264 makes some that later pictures look past."""


class Unusable(Exception):
    """What an earlier process left cannot be gone on with. `str()` says why, for the log."""


@dataclass(frozen=True)
class Content:
    """The ticks of a file's pictures, and how many packets of sound it has."""

    ticks: array[int]
    packets: int
    sets: tuple[bytes | None, bytes | None]
    """Parameter sets of picture and sound."""


class Timeline:
    """Where the next packet lies when those of several files become one recording."""

    def __init__(self, profile: Profile) -> None:
        self._grid, self._fps = Grid.of(profile), profile.fps
        self._first = self._tick = self._packets = 0

    def next_file(self) -> None:
        """Its pictures begin behind those of the one before."""
        self._first = self._tick

    def place(self, packet: av.Packet[Any], *, sound: bool) -> None:
        """Give the packet the times with which an encoder would have made it."""
        if sound:
            packet.time_base = Fraction(1, self._grid.rate)
            packet.pts = packet.dts = self._grid.phase + self._packets * self._grid.frame
            packet.duration = self._grid.frame
            self._packets += 1
        else:
            at = self._first + _tick(packet, self._fps)
            packet.time_base = 1 / self._fps
            packet.pts = packet.dts = at
            packet.duration = 0  # as encoders have it; so what is behind the header lies where it was before
            self._tick = at + 1


class Made:
    """One file. video, audio: its streams, as far as the profile has them; sets: their parameter sets."""

    def __init__(self, container: InputContainer, profile: Profile) -> None:
        """Raises Unusable."""
        self._container, self._profile = container, profile
        self.video, self.audio = next(iter(container.streams.video), None), next(iter(container.streams.audio), None)
        if (self.video is not None, self.audio is not None) != (profile.picture, profile.sound):
            raise Unusable("a stream is missing, or one too many")
        codecs = [_CODECS.get(codec, codec) for codec in (profile.video_codec, profile.audio_codec)]
        if self.video is not None:
            pictures = (self.video.codec_context.name, self.video.width, self.video.height)
            if pictures != (codecs[0], profile.width, profile.height):
                raise Unusable(f"made with {pictures}")
        if self.audio is not None:
            # Opus always says 48 kHz, whatever it was encoded from.
            rate = RATE if profile.audio_codec == "libopus" else profile.audio_rate
            if (sound := (self.audio.codec_context.name, self.audio.rate)) != (codecs[1], rate):
                raise Unusable(f"made with {sound}")
        self.sets = _parameters(self.video), _parameters(self.audio)

    def content(self, first: int) -> Content:
        """first: the tick of a picture at time 0. Raises av.FFmpegError, Unusable."""
        ticks, packets = array("q"), 0
        for packet in self._packets():
            if packet.stream is self.audio:
                packets += 1
            else:
                ticks.append(first + _tick(packet, self._profile.fps))
        if (self._profile.picture and not ticks) or not (ticks or packets):
            raise Unusable("nothing in it")
        if any(later <= earlier for earlier, later in pairwise(ticks)):
            raise Unusable("pictures out of order")
        return Content(ticks, packets, self.sets)

    def copy(
        self, timeline: Timeline, output: OutputContainer, video: VideoStream | None, audio: AudioStream | None
    ) -> None:
        """Mux every packet into those streams of `output`. Raises av.FFmpegError, and what `output` raises."""
        timeline.next_file()
        for packet in self._packets():
            sound = packet.stream is self.audio
            timeline.place(packet, sound=sound)
            stream = audio if sound else video
            assert stream is not None
            packet.stream = stream
            output.mux(packet)

    def _packets(self) -> Iterator[av.Packet[Any]]:
        return (packet for packet in self._container.demux() if packet.pts is not None)


@contextmanager
def opened(path: Path, profile: Profile) -> Iterator[Made]:
    """The file that was made at `path`. Raises av.FFmpegError, Unusable."""
    # An Ogg page tells one time for all its packets.
    with av.open(str(path), options=_AS_STORED if profile.picture else {}) as container:
        yield Made(container, profile)


def _parameters(stream: VideoStream | AudioStream | None) -> bytes | None:
    """The parameter sets that everything in the stream is decoded with."""
    return stream.codec_context.extradata if stream is not None else None


def _tick(packet: av.Packet[Any], fps: Fraction) -> int:
    """The number of a picture in its file. WebM tells it in milliseconds only."""
    assert packet.pts is not None and packet.time_base is not None
    return round(packet.pts * packet.time_base * fps)
