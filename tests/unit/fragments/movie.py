"""A small recording as the recorder writes it."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from meet.recorder.composer.opus import RATE
from meet.recorder.composer.output import Output
from meet.recorder.composer.profile import Profile

FPS = 10


def make(path: Path, seconds: int, codec: str = "libx264", keyframe_s: int = 2, *, restless: bool = False) -> Path:
    """A grey picture and silence, a key frame every `keyframe_s`; restless: at nearly every picture."""
    sound = "aac" if codec == "libx264" else "libopus"
    profile = Profile(
        160, 90, Fraction(FPS), 100_000, video_codec=codec, audio_codec=sound, keyframe_s=Fraction(keyframe_s)
    )
    output = Output(path, profile)
    noise = np.random.default_rng(1)
    samples = 0
    for number in range(seconds * FPS):
        picture = np.full((135, 160), 128, dtype=np.uint8)
        if restless:
            picture = noise.integers(0, 255, (135, 160), dtype=np.uint8)
        output.video(av.VideoFrame.from_ndarray(picture, format="yuv420p"), number)
        while samples < (number + 1) * RATE // FPS:
            output.audio(np.zeros((2, output.block), dtype=np.float32))
            samples += output.block
    output.close()
    return path
