"""AAC of two channels, at the price of one for as long as both are the same: until somebody sends stereo.

FFmpeg's encoder looks for the quantizers of each channel by itself, whatever they have in common. So one channel is
encoded, and each of its packets (a single_channel_element, ISO/IEC 14496-3 4.4.2.1) is written again as a
channel_pair_element of which it is the sum, with a difference of nothing: joint stereo, 4.6.8.1, l = m + s and
r = m - s. No coefficient is touched. It is half the work, and all bits are spent on what there is to hear.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, Final

import av
import numpy as np
import structlog
from av.audio.codeccontext import AudioCodecContext
from av.codec.context import Flags

from meet.recorder.composer.opus import RATE, Samples

log = structlog.get_logger(__name__)

OPTIONS: Final = {"aac_coder": "twoloop"}
"""The "fast" coder needs a half to a third of the time, but cuts off what is loud and tonal: of 440 Hz at -1 dB a third
is lost and the rest distorted."""

_FRAME: Final = 1024
_PAST: Final = 8
"""Blocks that the other encoder is given before it goes on: its windows then overlap with those before."""
_EIGHT_SHORT: Final = 2
_SCE, _CPE, _END = 0, 1, 7
_ALL_JOINT: Final = 2


class Unpairable(Exception):
    """A packet has more in it than one channel."""


class _Bits:
    """Reads from the first bit on."""

    def __init__(self, data: bytes) -> None:
        self.left = len(data) * 8
        self._value = int.from_bytes(data, "big")

    def take(self, count: int) -> int:
        self.left -= count
        return self._value >> self.left & (1 << count) - 1


def paired(packet: bytes) -> bytes:
    """The raw_data_block of one channel as one of two that are the same.

    Without perceptual noise substitution in it: noise is not put into the other channel by joint stereo. Raises
    Unpairable when it does not begin with a single_channel_element, or is not whole. That nothing else comes behind the
    element is taken for granted: it is so with FFmpeg's encoder that does not write its name (`_of_one_channel`).
    """
    if len(packet) < 4 or not packet[-1]:
        raise Unpairable  # the last byte has the end in it
    bits = _Bits(packet)
    tag, gain = bits.take(7), bits.take(8)
    info_at = bits.left
    sequence = bits.take(3)
    bits.take(1)
    if sequence == _EIGHT_SHORT:
        bands, grouping = bits.take(4), bits.take(7)
        groups, width = 8 - grouping.bit_count(), 3
        predicted = 0
    else:
        bands, predicted = bits.take(6), bits.take(1)
        groups, width = 1, 5
    info_bits = info_at - bits.left
    rest = bits.take(bits.left)
    padding = (rest & -rest).bit_length() - 1  # what ends the block is ones
    if tag >> 4 != _SCE or sequence > 3 or predicted or not rest or rest >> padding & 7 != _END:
        raise Unpairable
    body_bits = info_at - info_bits - padding - 3
    written = [
        (_CPE, 3),
        (tag & 15, 4),
        (1, 1),  # common_window
        (int.from_bytes(packet, "big") >> info_at - info_bits & (1 << info_bits) - 1, info_bits),
        (_ALL_JOINT, 2),
        (gain, 8),
        (rest >> padding + 3, body_bits),
        (gain, 8),
        *_nothing(bands, width) * groups,
        (0, 3),  # no pulses, no temporal noise shaping, no gain control
        (_END, 3),
    ]
    value = length = 0
    for part, count in written:
        value, length = value << count | part, length + count
    spare = -length % 8
    return (value << spare).to_bytes((length + spare) // 8, "big")


def _nothing(bands: int, width: int) -> list[tuple[int, int]]:
    """section_data of one group without coefficients: codebook 0, and for how many bands."""
    if not bands:
        return []
    escape = (1 << width) - 1
    whole, last = divmod(bands, escape)
    return [(0, 4), *[(escape, width)] * whole, (last, width)]


class AacEncoder:
    """Encodes two channels of 48 kHz. `both` is the open encoder of the file's stream; nobody else uses it."""

    def __init__(self, both: AudioCodecContext) -> None:
        self._both = both
        self._one: AudioCodecContext | None = _of_one_channel(both.bit_rate or 0)
        self._past: deque[tuple[Samples, int]] = deque(maxlen=_PAST)
        self._next = -_FRAME
        """The first sample that no packet has been made of."""

    def encode(self, sound: Samples, position: int) -> list[av.Packet[Any]]:
        """What is ready with these samples, which begin at `position`; pts are in samples."""
        ready = []
        if self._one is not None:
            if np.array_equal(sound[0], sound[1]):
                self._past.append((sound, position))
                return self._as_one(self._one, _frame(sound[:1], "mono", position))
            ready = self._change()
        return ready + self._kept(self._both.encode(_frame(sound, "stereo", position)))

    def flush(self) -> list[av.Packet[Any]]:
        """What is left."""
        ready = self._as_one(self._one, None) if self._one is not None else []
        return ready if self._one is not None else ready + self._kept(self._both.encode(None))

    def _as_one(self, one: AudioCodecContext, frame: av.AudioFrame | None) -> list[av.Packet[Any]]:
        try:
            return self._kept([_paired(packet) for packet in one.encode(frame)])
        except Unpairable:  # an encoder of another kind than those known: dearer, and nothing is lost
            log.warning("sound_unpairable")
            return self._change()

    def _change(self) -> list[av.Packet[Any]]:
        """From now on, each channel by itself."""
        self._one = None
        past = [_frame(sound, "stereo", position) for sound, position in self._past]
        packets = [packet for frame in past for packet in self._both.encode(frame)]
        self._past.clear()
        return self._kept(packets)

    def _kept(self, packets: Sequence[av.Packet[Any]]) -> list[av.Packet[Any]]:
        kept = [packet for packet in packets if packet.pts is not None and packet.pts >= self._next]
        if kept:
            self._next = (kept[-1].pts or 0) + _FRAME
        return kept


def _frame(sound: Samples, layout: str, position: int) -> av.AudioFrame:
    frame = av.AudioFrame.from_ndarray(sound, format="fltp", layout=layout)
    frame.sample_rate, frame.time_base, frame.pts = RATE, Fraction(1, RATE), position
    return frame


def _of_one_channel(bit_rate: int) -> AudioCodecContext:
    encoder = av.CodecContext.create("aac", "w")
    assert isinstance(encoder, AudioCodecContext)
    encoder.sample_rate, encoder.layout, encoder.format, encoder.bit_rate = RATE, "mono", "fltp", bit_rate
    encoder.options = OPTIONS | {"aac_pns": "0", "aac_tns": "0"}
    encoder.flags |= Flags.bitexact  # no name of the encoder in the packets
    encoder.open()
    return encoder


def _paired(packet: av.Packet[Any]) -> av.Packet[Any]:
    made: av.Packet[Any] = av.Packet(paired(bytes(packet)))
    made.pts, made.dts, made.duration, made.time_base = packet.pts, packet.dts, packet.duration, packet.time_base
    made.is_keyframe = True
    return made
