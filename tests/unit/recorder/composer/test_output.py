"""What the file's sound encoders do to what they are given."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from meet.recorder.composer.opus import RATE, Samples
from meet.recorder.composer.output import Output
from meet.recorder.composer.profile import PRESETS

SOUND = replace(PRESETS["H264_720P_30"], picture=False)


def tone(hz: float, loudness: float, seconds: float = 2.0) -> Samples:
    n = np.arange(round(seconds * RATE))
    return np.repeat((loudness * np.sin(2 * np.pi * hz * n / RATE))[None], 2, axis=0).astype(np.float32)


def measured(sound: Samples, hz: float, rate: int) -> tuple[float, float]:
    """Amplitude of the tone in the second in the middle, and what else there is relative to it, in dB."""
    part = sound[0, rate // 2 : rate * 3 // 2].astype(np.float64)
    angles = 2 * np.pi * hz * np.arange(len(part)) / rate
    waves = np.stack([np.sin(angles), np.cos(angles)], axis=1)
    found, *_ = np.linalg.lstsq(waves, part, rcond=None)
    amplitude, rest = float(np.hypot(*found)), part - waves @ found
    return amplitude, 10 * float(np.log10(np.square(rest).mean() / (amplitude**2 / 2)))


@pytest.mark.parametrize(
    ("codec", "rate", "scale"),
    [("aac", 48_000, 1), ("aac", 44_100, 1), ("libopus", 48_000, 1), ("libmp3lame", 48_000, 0.95)],
)
def test_a_loud_tone_stays_what_it_is(tmp_path: Path, codec: str, rate: int, scale: float) -> None:
    """A whistle, a beep, a flute: all of it lies in few coefficients, which no encoder may cut off. scale: LAME turns
    everything down by 0.4 dB itself."""
    file = tmp_path / "sound.mp4"
    profile = replace(SOUND, audio_codec=codec, audio_rate=rate)
    output, played = Output(file, profile), tone(440, 0.9)
    whole = played.shape[1] // output.block * output.block
    output.audio(np.ascontiguousarray(played[:, :whole]))
    output.close()
    with av.open(str(file)) as container:
        decoded = [frame.to_ndarray() for frame in container.decode(audio=0)]
    amplitude, error_db = measured(np.concatenate(decoded, axis=1), 440, rate)
    assert amplitude == pytest.approx(0.9 * scale, rel=0.02)
    assert error_db < -35
