"""Lost sound is made up for, and nothing ever clicks."""

from __future__ import annotations

from collections.abc import Callable

import av
import numpy as np
import numpy.typing as npt
import pytest

from meet.recorder.composer.audio import AudioTrack, Mixer
from meet.recorder.composer.clock import SenderClock, TrackClock
from meet.recorder.composer.opus import RATE, OpusDecoder, Samples, Undecodable
from meet.recorder.journal.records import Frame
from tests.unit.recorder.synthetic import ZERO

PACKET = 960
LOUD = 0.3


def voice(samples: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """A sung vowel: harmonics of 140 Hz."""
    t = 2 * np.pi * 140 * samples / RATE
    parts = np.stack([np.sin(k * t + k * k) / k for k in range(1, 9)])
    sung: npt.NDArray[np.float64] = parts.sum(axis=0) * (LOUD / 1.9)
    return sung


NO_CLICK = 0.06
"""From sample to sample the vowel, coded and decoded, goes up to 0.03; cut off at its loudest it would jump by 0.3."""


def vowel(seconds: float) -> list[bytes]:
    """Opus with in-band error correction, as browsers send it."""
    encoder = av.CodecContext.create("libopus", "w")
    assert isinstance(encoder, av.AudioCodecContext)
    encoder.sample_rate, encoder.layout, encoder.format, encoder.bit_rate = RATE, "mono", "s16", 32_000
    encoder.options = {"fec": "1", "packet_loss": "20", "application": "voip"}
    encoder.open()
    packets: list[bytes] = []
    for k in range(round(seconds * 50)):
        wave = voice(np.arange(k * PACKET, (k + 1) * PACKET))
        frame = av.AudioFrame.from_ndarray((wave * 32767).astype(np.int16)[None], format="s16", layout="mono")
        frame.sample_rate, frame.pts = RATE, k * PACKET
        packets += [bytes(packet) for packet in encoder.encode(frame)]
    return packets


def hear(keep: Callable[[int], bool], seconds: float = 3.0, *, gaps: bool = True, mute: range = range(0)) -> Samples:
    """The vowel with the packets for which keep(number) is false missing; gaps: lost, not left out by the sender."""
    clock = TrackClock(RATE, SenderClock())
    track, mixer = AudioTrack(clock), Mixer()
    blocks, gap = [], False
    for k, payload in enumerate(vowel(seconds)):
        at = ZERO + k * 20_000 + 30_000
        track.muted = k in mute
        if keep(k):
            clock.arrived(5000 + k * PACKET, at)
            track.push(Frame(at, 1, 5000 + k * PACKET, True, gap, payload), ZERO)
            gap = False
        else:
            gap = gaps
        while mixer.position + 1024 <= (at - ZERO - 300_000) * RATE // 1_000_000:
            blocks.append(mixer.mix([track], 1024))
    blocks.append(mixer.mix([track], int((seconds - 0.1) * RATE) - mixer.position))
    return np.concatenate(blocks, axis=1)


def steepest(sound: Samples) -> float:
    return float(np.abs(np.diff(sound[0])).max())


def level(sound: Samples, begin: float, end: float) -> float:
    return float(np.abs(sound[0, int(begin * RATE) : int(end * RATE)]).max())


def test_a_lost_packet_is_made_up_for() -> None:
    sound = hear(lambda k: k % 10 != 5)
    windows = np.square(sound[0, RATE // 2 : RATE * 5 // 2].reshape(-1, PACKET)).mean(axis=1)
    assert windows.min() > 0.1 * np.median(windows), "no hole"
    assert steepest(sound) < NO_CLICK


@pytest.mark.parametrize("lost", [2, 4, 6])
def test_several_lost_packets_fade_without_a_click(lost: int) -> None:
    sound = hear(lambda k: not 50 <= k < 50 + lost)
    assert level(sound, 1.03, 1.06) > 0.2 * LOUD
    assert steepest(sound) < NO_CLICK


@pytest.mark.parametrize("gaps", [True, False], ids=["lost", "not sent (DTX)"])
def test_a_pause_begins_and_ends_softly(gaps: bool) -> None:
    sound = hear(lambda k: not 50 <= k < 80, gaps=gaps)
    assert level(sound, 1.06, 1.6) == 0
    assert level(sound, 1.7, 2.5) > 0.9 * LOUD
    assert steepest(sound) < NO_CLICK


def test_muting_and_unmuting_are_soft() -> None:
    sound = hear(lambda k: True, mute=range(40, 100))
    assert level(sound, 0.9, 1.9) == 0 and level(sound, 2.2, 2.8) > 0.9 * LOUD
    assert steepest(sound) < NO_CLICK


def test_joining_and_leaving_are_soft() -> None:
    sound = hear(lambda k: 20 <= k < 120)
    assert level(sound, 0.0, 0.4) == 0 and level(sound, 2.5, 2.9) == 0
    assert steepest(sound) < NO_CLICK


def test_what_comes_after_its_time_is_joined_softly() -> None:
    """Half a second of the network at once, long after the mixer gave up waiting."""
    clock = TrackClock(RATE, SenderClock())
    track, mixer = AudioTrack(clock), Mixer()
    packets = vowel(2.0)
    blocks = []
    for k, payload in enumerate(packets):
        clock.arrived(k * PACKET, ZERO + k * 20_000)
        if k == 50:
            blocks.append(mixer.mix([track], 1024 * 70 - mixer.position))  # time has gone on to 1.49 s
        track.push(Frame(ZERO, 1, k * PACKET, True, False, payload), ZERO)
    blocks.append(mixer.mix([track], RATE * 19 // 10 - mixer.position))
    sound = np.concatenate(blocks, axis=1)
    assert level(sound, 1.2, 1.45) == 0 and level(sound, 1.6, 1.8) > 0.9 * LOUD
    assert steepest(sound) < NO_CLICK


def test_error_correction_is_read() -> None:
    """A chirp that lasts for one packet only cannot be guessed, it has to be in the next packet."""
    encoder = av.CodecContext.create("libopus", "w")
    assert isinstance(encoder, av.AudioCodecContext)
    encoder.sample_rate, encoder.layout, encoder.format, encoder.bit_rate = RATE, "mono", "s16", 24_000
    encoder.options = {"fec": "1", "packet_loss": "30", "application": "voip"}
    encoder.open()
    rng, packets = np.random.default_rng(3), []
    for k in range(30):
        wave = np.convolve(rng.normal(0, 1, PACKET + 31), np.ones(32) / 32, "valid") * (12_000 if k == 20 else 60)
        frame = av.AudioFrame.from_ndarray(wave.astype(np.int16)[None], format="s16", layout="mono")
        frame.sample_rate, frame.pts = RATE, k * PACKET
        packets += [bytes(packet) for packet in encoder.encode(frame)]

    def energy(lost_made_up: Callable[[OpusDecoder, bytes], Samples]) -> float:
        decoder = OpusDecoder()
        loud = max(range(19, 23), key=lambda k: len(packets[k]))
        for payload in packets[:loud]:
            decoder.decode(payload)
        return float(np.square(lost_made_up(decoder, packets[loud + 1])).sum())

    corrected = energy(lambda decoder, following: decoder.recover(following, PACKET))
    guessed = energy(lambda decoder, following: decoder.conceal(PACKET))
    assert corrected > 5 * guessed


def test_junk_is_refused() -> None:
    decoder = OpusDecoder()
    assert decoder.length(b"") == 0
    with pytest.raises(Undecodable):
        decoder.decode(b"\xff\xff\xff")
