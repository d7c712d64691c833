"""Hours of a meeting on a fake clock: sound and picture stay together whatever the clocks do."""

from __future__ import annotations

import random
from statistics import median

import numpy as np
import pytest

from meet.recorder.composer.audio import AudioTrack, Mixer
from meet.recorder.composer.clock import SenderClock, TrackClock
from meet.recorder.composer.opus import RATE, Samples
from meet.recorder.journal.records import Frame
from tests.unit.recorder.synthetic import ZERO

PACKET_S = 0.06
LENGTH = int(RATE * PACKET_S)


class Silence:
    """A decoder that costs nothing: only the places are of interest."""

    def length(self, payload: bytes) -> int:
        return LENGTH

    def decode(self, payload: bytes) -> Samples:
        return np.zeros((2, LENGTH), np.float32)

    def recover(self, following: bytes, length: int) -> Samples:
        return np.zeros((2, length), np.float32)

    def conceal(self, length: int) -> Samples:
        return np.zeros((2, length), np.float32)


@pytest.mark.parametrize(
    ("sound_ppm", "picture_ppm", "wall_ppm", "camera_from_s", "hours", "reports"),
    [(200, -200, 200, 0, 2, True), (150, 150, -200, 2400, 2, True), (-200, 200, 0, 600, 1, False)],
    ids=["against each other", "camera after 40 minutes", "a sender without reports"],
)
def test_sound_and_picture_stay_together(
    sound_ppm: float, picture_ppm: float, wall_ppm: float, camera_from_s: float, hours: int, reports: bool
) -> None:
    """The publisher's three clocks run fast or slow; transit jitters by 40 ms, reports come every 5 s, a minute without
    sound (DTX) every ten minutes."""
    rng = random.Random(7)
    sender = SenderClock()
    sound_clock, picture_clock = TrackClock(RATE, sender), TrackClock(90_000, sender)
    track, mixer = AudioTrack(sound_clock, Silence()), Mixer()

    def rtp(t: float, rate: int, ppm: float) -> int:
        return 1000 + round(t * rate * (1 + ppm / 1e6))

    offsets: list[tuple[float, float]] = []
    steps: list[float] = []
    last_shown: float | None = None
    for k in range(int(hours * 3600 / PACKET_S)):
        t = k * PACKET_S
        at = ZERO + round((t + 0.03 + 0.04 * rng.random()) * 1e6)
        if t % 600 < 540:
            frame = Frame(at, 1, rtp(t, RATE, sound_ppm), True, False, b"x")
            sound_clock.arrived(frame.rtp, at)
            track.push(frame, ZERO)
            track.pass_over(0, decode=True)
        if t >= camera_from_s:
            stamp = rtp(t, 90_000, picture_ppm)
            picture_clock.arrived(stamp, at)
            shown = picture_clock.map(stamp) - ZERO
            if last_shown is not None:
                steps.append((shown - last_shown) / 1e6)
            last_shown = shown
            if t % 600 < 540:
                assert track._cursor is not None
                offsets.append((t, (track._cursor - LENGTH) / RATE - shown / 1e6))
        if reports and k % 83 == 0:
            ntp = round((10_000 + t * (1 + wall_ppm / 1e6) + rng.uniform(-0.002, 0.002)) * 2**32)
            sound_clock.report(ntp, rtp(t, RATE, sound_ppm), at)
            if t >= camera_from_s:
                picture_clock.report(ntp, rtp(t, 90_000, picture_ppm), at)
        mixer.position = int((t - 0.3) * RATE)
        track.mix_into(np.zeros((2, 1), np.float32), max(mixer.position, 0))
    found = np.array([offset for _, offset in offsets])
    assert abs(median(found)) <= 0.02
    assert np.abs(found).max() <= 0.08
    times = np.array([t for t, _ in offsets])
    drift_per_hour = abs(np.polyfit(times / 3600, found, 1)[0])
    assert drift_per_hour <= 0.005
    assert min(steps) >= PACKET_S * 0.94 and max(steps) <= PACKET_S * 1.06, "slewed, never stepped"
    assert abs(found.size * PACKET_S - (hours * 3600 - camera_from_s) * 0.9) < 60
