"""Where a composition goes on that another process began."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from meet.recorder.composer.opus import RATE
from meet.recorder.composer.profile import Profile

_FRAMES: Final = {"aac": (1024, 1024), "libopus": (960, 312), "libmp3lame": (1152, 1105)}
"""Samples of a packet, and of the silence that the encoder puts in front (libopus: at 48 kHz)."""
_MPEG_1: Final = 32_000
"""Sample rates below are MPEG-2's, whose MP3 frames hold half as much (ISO/IEC 13818-3 2.4.3)."""
_WARM_UP: Final = 24
"""Blocks that an audio encoder is fed before the first that counts: then its windows overlap with what is there as its
own would, and it has chosen them by the same sound. So many, half a second, because what was too loud before is to
leave its mark on the limiter."""


@dataclass(frozen=True)
class Grid:
    """How an audio encoder's packets lie on the timeline: packet k begins at `phase + k * frame`, at `rate` Hz."""

    rate: int
    frame: int
    phase: int

    @classmethod
    def of(cls, profile: Profile) -> Grid:
        """As the profile's encoder has it."""
        frame, priming = _FRAMES[profile.audio_codec]
        if profile.audio_codec == "libopus":
            frame, priming = frame * profile.audio_rate // RATE, priming * profile.audio_rate // RATE
        elif profile.audio_codec == "libmp3lame" and profile.audio_rate < _MPEG_1:
            frame //= 2
        return cls(profile.audio_rate, frame, -priming % frame)

    def feed_from(self, sample: int) -> int:
        """Where (48 kHz) a new encoder has to begin for a packet of its own to begin at `sample`, warmed up."""
        step = Fraction(self.frame * RATE, self.rate).numerator
        latest = (sample - _WARM_UP * self.frame) * RATE // self.rate
        return max(latest // step * step, 0)


@dataclass(frozen=True)
class Seam:
    """Everything before `ticks` (pictures) and `sample` (sound, at the encoder's rate) is in earlier pieces.

    drawn: the ticks of the pictures there, in order. inside: the only piece is the file that is to be gone on with.
    """

    ticks: int = 0
    sample: int = 0
    drawn: Sequence[int] = ()
    inside: bool = False

    @property
    def before(self) -> tuple[int, int]:
        """Ticks and samples that lie before time 0 of the file that is written."""
        return (0, 0) if self.inside else (self.ticks, self.sample)

    @property
    def level(self) -> int:
        """Where on the overload ladder the pictures ended: 0 for all of them, 2 for every second, 3 for every third."""
        if len(self.drawn) < 2:
            return 0
        step = self.drawn[-1] - self.drawn[-2]
        return 0 if step <= 1 else min(step, 3)


START: Final = Seam()
