"""Several loud people at once: turned down together, without a crack and without pumping."""

from __future__ import annotations

import numpy as np
import pytest

from meet.recorder.composer.audio import AudioTrack, Mixer
from meet.recorder.composer.clock import SenderClock, TrackClock
from meet.recorder.composer.limiter import CEILING
from meet.recorder.composer.opus import RATE, Samples
from meet.recorder.composer.seam import Grid
from tests.unit.recorder.composer.test_output import SOUND, tone

FULL = CEILING + 1e-6


class Playing(AudioTrack):
    """Somebody of whom everything is there already."""

    def __init__(self, sound: Samples) -> None:
        super().__init__(TrackClock(RATE, SenderClock()))
        self.sound = sound

    def mix_into(self, block: Samples, start: int) -> None:
        part = self.sound[:, start : start + block.shape[1]]
        block[:, : part.shape[1]] += part


def mixed(*sounds: Samples, lengths: tuple[int, ...] = (1024,), begins: int = 0) -> Samples:
    """Their sum from `begins` on, in blocks of these lengths in turn."""
    tracks: list[AudioTrack] = [Playing(sound) for sound in sounds]
    mixer, blocks, turn = Mixer(), [], 0
    mixer.position = begins
    while mixer.position < sounds[0].shape[1]:
        length = min(lengths[turn % len(lengths)], sounds[0].shape[1] - mixer.position)
        blocks.append(mixer.mix(tracks, length))
        assert blocks[-1].shape == (2, length) and blocks[-1].flags.c_contiguous
        turn += 1
    return np.concatenate(blocks, axis=1)


def gains(sound: Samples, result: Samples) -> Samples:
    """By how much each sample was turned down, where that can be told."""
    clear = np.abs(sound[0]) > 0.05
    found: Samples = result[0][clear] / sound[0][clear]
    return found


def test_what_is_not_too_loud_is_not_touched() -> None:
    ada, bob = tone(440, 0.5), tone(1000, 0.46)
    assert np.array_equal(mixed(ada, bob), ada + bob)


def test_two_at_full_level_are_turned_down_undistorted() -> None:
    both = mixed(tone(440, 0.95), tone(1000, 0.95))
    assert np.abs(both).max() <= FULL
    part = both[0, RATE // 2 : RATE * 3 // 2].astype(np.float64)
    levels = np.abs(np.fft.rfft(part * np.hanning(len(part)))) * 4 / len(part)
    own = levels[[440, 1000]]
    assert own == pytest.approx([0.49, 0.49], abs=0.02), "as loud as there is room for"
    for hz in (440, 1000):
        levels[hz - 2 : hz + 3] = 0
    assert 20 * np.log10(levels.max() / own.min()) < -45, "no tones that nobody made"


def test_all_that_is_said_with_ten_loud_people_stays_below_full_scale() -> None:
    rng = np.random.default_rng(3)
    sounds = [np.clip(rng.normal(0, 0.4, (2, RATE)), -1, 1).astype(np.float32) for _ in range(10)]
    result = mixed(*sounds)
    assert 0.9 < np.abs(result).max() <= FULL
    assert mixed(tone(440, 1.9))[0, :RATE].max() <= FULL, "from the first sample on"


def test_a_shout_fades_down_and_up_again() -> None:
    sound = tone(440, 0.2, seconds=3)
    sound[:, RATE : RATE + RATE // 10] *= 10
    gain = gains(sound, mixed(sound))
    assert gain.min() == pytest.approx(FULL / 2, rel=0.02)
    assert np.abs(np.diff(gain)).max() < 0.03, "no step, no crack"
    assert (mixed(sound)[:, : RATE - RATE // 100] == sound[:, : RATE - RATE // 100]).all(), "not before 10 ms before"
    assert (mixed(sound)[:, RATE * 11 // 5 :] == sound[:, RATE * 11 // 5 :]).all(), "nothing is left of it after that"


def test_a_steady_tone_is_turned_down_steadily() -> None:
    """A gain that follows the waves of a deep voice would distort it."""
    sound = tone(100, 1.6)
    gain = gains(sound, mixed(sound))[RATE // 10 :]
    assert gain.max() - gain.min() < 0.002


def test_left_and_right_are_turned_down_together() -> None:
    sound = tone(440, 1.5)
    sound[1] *= 0.1
    result = mixed(sound)
    assert np.allclose(result[1] * 10, result[0], atol=1e-6)


def test_how_many_are_mixed_at_a_time_makes_no_difference() -> None:
    """Live, few; afterwards, many; the file is the same."""
    sound = tone(200, 0.7) + tone(203, 0.7)
    one = mixed(sound)
    for lengths in ((8192,), (960, 3840), (1, 777, 64, 5000, 63)):
        assert np.array_equal(mixed(sound, lengths=lengths), one)


def test_after_a_crash_it_goes_on_as_loud() -> None:
    """The next process turns down what it encodes before the seam, too."""
    sound = tone(440, 0.3, seconds=4)
    sound[:, RATE : 2 * RATE] *= 6
    whole = mixed(sound)
    for seconds in (1.0, 1.5, 2.0, 2.3, 2.55):
        seam = round(seconds * RATE) // 1024 * 1024
        begins = Grid.of(SOUND).feed_from(seam)
        again = mixed(sound, begins=begins)[:, seam - begins :]
        assert np.abs(again - whole[:, seam:]).max() < 0.01 * FULL
