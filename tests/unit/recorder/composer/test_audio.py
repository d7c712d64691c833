"""Placing sound: contiguous, over pauses, against drift."""

from __future__ import annotations

import numpy as np
import pytest

from meet.recorder.composer.audio import AudioTrack, Mixer
from meet.recorder.composer.clock import SenderClock, TrackClock
from meet.recorder.composer.limiter import CEILING
from meet.recorder.composer.opus import RATE, Samples
from meet.recorder.journal.records import Frame
from tests.unit.recorder import synthetic
from tests.unit.recorder.synthetic import ZERO


def frames(seconds: float, *, ppm: float = 0.0, skip: range = range(0)) -> list[Frame]:
    """Opus packets that arrive 30 ms after their first sample was due; ppm: how fast the sender's RTP clock runs."""
    result = []
    for k, coded in enumerate(synthetic.sound(seconds)):
        if k not in skip:
            at = ZERO + round(k * 20_000 / (1 + ppm / 1e6)) + 30_000
            result.append(Frame(at, 1, 5000 + k * 960, True, False, coded.payload))
    return result


def place(packets: list[Frame], seconds: float) -> Samples:
    clock = TrackClock(RATE, SenderClock())
    track, mixer = AudioTrack(clock), Mixer()
    blocks = []
    for packet in packets:
        clock.arrived(packet.rtp, packet.at)
        track.push(packet, ZERO)
        due = (packet.at - ZERO - 200_000) * RATE // 1_000_000
        while mixer.position + 1024 <= due:
            blocks.append(mixer.mix([track], 1024))
    blocks.append(mixer.mix([track], int(seconds * RATE) - mixer.position))
    return np.concatenate(blocks, axis=1)


def beeps(sound: Samples) -> list[float]:
    loud = np.convolve(np.abs(sound[0]) > 0.3, np.ones(48), "same") > 0
    return [float(at) / RATE for at in np.flatnonzero(loud[1:] & ~loud[:-1])]


def test_packets_are_laid_end_to_end() -> None:
    sound = place(frames(3), 3)
    assert sound.shape == (2, 3 * RATE)
    quiet = np.abs(sound[0, RATE // 2 : RATE - 4800])
    windows = quiet[: len(quiet) // 240 * 240].reshape(-1, 240).max(axis=1)
    assert windows.min() > 0.01, "no hole between packets"
    assert np.allclose(beeps(sound), [0.03, 1.03, 2.03], atol=0.012)


def test_pauses_are_silent_and_what_follows_is_in_its_place() -> None:
    sound = place(frames(4, skip=range(75, 125)), 4)
    assert np.abs(sound[:, int(1.6 * RATE) : int(2.4 * RATE)]).max() < 0.005
    assert np.allclose(beeps(sound), [0.03, 1.03, 3.03], atol=0.012)


def test_a_fast_sender_is_kept_in_step() -> None:
    """+2000 ppm, ten times what clocks do: 60 ms in 30 s if nothing corrected it."""
    sound = place(frames(30, ppm=2000), 29.9)
    for k, at in enumerate(beeps(sound)):
        assert abs(at - (k / 1.002 + 0.03)) < 0.025, (k, at)


def test_what_was_said_before_the_recording_began_is_no_loss() -> None:
    clock = TrackClock(RATE, SenderClock())
    track, zero = AudioTrack(clock), ZERO + 310_000
    for packet in frames(2):
        clock.arrived(packet.rtp, packet.at)
        track.push(packet, zero)
    sound = Mixer().mix([track], RATE)
    assert np.allclose(beeps(sound), [0.72], atol=0.012)
    assert track.gaps == 0


def test_what_was_said_before_the_recording_began_is_not_in_it() -> None:
    """Not even when that was all: somebody else's picture began it."""
    clock = TrackClock(RATE, SenderClock())
    track = AudioTrack(clock)
    for packet in frames(0.3):
        clock.arrived(packet.rtp, packet.at)
        track.push(packet, ZERO + 400_000)
    mixer = Mixer()
    assert not any(mixer.mix([track], 1024).any() for _ in range(40))


def test_duplicates_and_junk_are_ignored() -> None:
    packets = frames(2)
    packets.insert(20, packets[10])
    packets.insert(40, Frame(packets[40].at, 1, packets[40].rtp - 960 * 3, True, False, b""))
    assert np.allclose(beeps(place(packets, 2)), [0.03, 1.03], atol=0.012)


def test_the_sum_never_exceeds_full_scale() -> None:
    clock = TrackClock(RATE, SenderClock())
    tracks = [AudioTrack(clock) for _ in range(4)]
    for packet in frames(1):
        clock.arrived(packet.rtp, packet.at)
        for track in tracks:
            track.push(packet, ZERO)
    mixed = Mixer().mix(tracks, RATE)
    assert np.abs(mixed).max() == pytest.approx(CEILING)
