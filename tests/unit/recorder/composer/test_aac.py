"""One channel's packets as those of two, and the change to two of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import pytest
from av.audio.codeccontext import AudioCodecContext

from meet.recorder.composer import aac
from meet.recorder.composer.opus import RATE, Samples

FRAME = 1024
BLOCKS = 96
"""Two seconds."""


def stereo() -> AudioCodecContext:
    encoder = av.CodecContext.create("aac", "w")
    assert isinstance(encoder, AudioCodecContext)
    encoder.sample_rate, encoder.layout, encoder.format, encoder.bit_rate = RATE, "stereo", "fltp", 128_000
    encoder.options = aac.OPTIONS
    encoder.open()
    return encoder


def said() -> Samples:
    """Nothing, a tone, clicks (short windows), noise, and nothing again: one channel."""
    at = np.arange(BLOCKS * FRAME) / RATE
    sound = 0.4 * np.sin(2 * np.pi * 440 * at) * ((at > 0.2) & (at < 1.2))
    sound[int(0.5 * RATE) :: RATE // 7] += 0.5
    sound += np.random.default_rng(7).normal(0, 0.05, len(at)) * (at > 0.8)
    sound[at > 1.8] = 0
    return np.clip(sound, -0.95, 0.95).astype(np.float32)[None]


def decoded(packets: Sequence[av.Packet[Any]], header: bytes | None) -> Samples:
    decoder = av.CodecContext.create("aac", "r")
    assert isinstance(decoder, AudioCodecContext)
    decoder.extradata = header
    frames = [frame for packet in [*packets, None] for frame in decoder.decode(packet)]
    return np.concatenate([frame.to_ndarray() for frame in frames], axis=1)


def through(encoder: aac.AacEncoder, sound: Samples, begins: int = 0) -> list[av.Packet[Any]]:
    """In turns of one and of three blocks."""
    packets, at = [], 0
    while at < sound.shape[1]:
        length = FRAME if at % 2 else 3 * FRAME
        packets += encoder.encode(np.ascontiguousarray(sound[:, at : at + length]), begins + at)
        at += length
    packets += encoder.flush()
    times = [packet.pts for packet in packets]
    assert times == list(range(begins - FRAME, begins - FRAME + FRAME * len(times), FRAME)), "one after the other"
    return packets


def test_what_two_channels_share_is_what_the_one_was() -> None:
    both, sound = stereo(), said()
    packets = through(aac.AacEncoder(both), np.repeat(sound, 2, axis=0), begins=5 * FRAME)
    assert all(packet.is_keyframe and packet.duration == FRAME for packet in packets[:-1])
    heard = decoded(packets, both.extradata)
    assert np.array_equal(heard[0], heard[1])

    one = aac._of_one_channel(128_000)
    frames = [aac._frame(sound[:, k : k + FRAME], "mono", k) for k in range(0, sound.shape[1], FRAME)]
    single = [packet for frame in [*frames, None] for packet in one.encode(frame)]
    sequences = {bytes(packet)[2] >> 6 for packet in single}
    assert len(sequences) > 1, "long windows and short ones"
    assert np.array_equal(heard[:1], decoded(single, one.extradata))
    # Nothing but its coding is between what was said and what is heard.
    rest = heard[:1, FRAME : FRAME + sound.shape[1]] - sound
    assert np.square(rest).mean() < np.square(sound).mean() / 300


def errors(heard: Samples, sound: Samples) -> npt.NDArray[np.float64]:
    """Mean square of what is heard beside the sound, block by block, of the worse channel."""
    rest = (heard[:, FRAME : FRAME + sound.shape[1]] - sound).astype(np.float64)
    worst: npt.NDArray[np.float64] = np.square(rest).reshape(2, -1, FRAME).mean(axis=2).max(axis=0)
    return worst


def usual(sound: Samples) -> npt.NDArray[np.float64]:
    """The errors of one encoder that does all of it."""
    alone = stereo()
    frames = [aac._frame(sound[:, k : k + FRAME].copy(), "stereo", k) for k in range(0, sound.shape[1], FRAME)]
    packets = [packet for frame in [*frames, None] for packet in alone.encode(frame)]
    return errors(decoded(packets, alone.extradata), sound)


@pytest.mark.parametrize("at", [0, 2, 60, BLOCKS - 1])
def test_from_the_first_difference_on_each_channel_is_its_own(at: int) -> None:
    both, sound = stereo(), np.repeat(said(), 2, axis=0)
    sound[1, at * FRAME + 100 :] *= 0.3
    sound[1, -10:] = 0.01
    heard = decoded(through(aac.AacEncoder(both), sound), both.extradata)
    there = slice(max(at - 3, 0), at + 10)
    # Where one encoder follows the other, nothing clicks: the new one only has to find out how many bits things take.
    assert errors(heard, sound)[there].max() < 3 * max(usual(sound)[there].max(), 1e-7)
    differ = (heard[0] != heard[1]).reshape(-1, FRAME).any(axis=1)
    assert not differ[: max(at - 3, 0)].any() and differ[at + 1 :].any()


def test_an_encoder_that_writes_something_else_costs_more_and_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    both, sound = stereo(), np.repeat(said(), 2, axis=0)
    known, seen = aac.paired, []

    def unlike(packet: bytes) -> bytes:
        seen.append(packet)
        if len(seen) > 40:
            raise aac.Unpairable
        return known(packet)

    monkeypatch.setattr(aac, "paired", unlike)
    heard = decoded(through(aac.AacEncoder(both), sound), both.extradata)
    assert len(seen) == 41
    assert errors(heard, sound)[30:].max() < 3 * usual(sound)[30:].max()


@pytest.mark.parametrize(
    "packet",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(bytes(40), id="no end"),
        pytest.param(b"\x00\x00\x00\x40", id="nothing but a header"),
        pytest.param(bytes([1 << 5]) + bytes(30) + b"\x07", id="two channels already"),
        pytest.param(bytes([6 << 5]) + bytes(30) + b"\x07", id="a fill element"),
        pytest.param(b"\x00\x01" + bytes(30) + b"\x07", id="a reserved bit"),
    ],
)
def test_other_packets_are_refused(packet: bytes) -> None:
    with pytest.raises(aac.Unpairable):
        aac.paired(packet)
