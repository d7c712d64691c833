"""One channel is decoded as long as there is only one, and nobody hears it."""

from __future__ import annotations

import av
import numpy as np
import pytest

from meet.recorder.composer.opus import CHANNELS, RATE, OpusDecoder, Samples

PACKET = RATE // 50


def packets(layout: str, seconds: float, *, fec: bool = False) -> list[bytes]:
    """Hissing syllables; in stereo, other ones on each side."""
    encoder = av.CodecContext.create("libopus", "w")
    assert isinstance(encoder, av.AudioCodecContext)
    encoder.sample_rate, encoder.layout, encoder.format, encoder.bit_rate = RATE, layout, "flt", 48_000
    if fec:
        encoder.options = {"fec": "1", "packet_loss": "30", "application": "voip"}
    encoder.open()
    rng, made = np.random.default_rng(7), []
    for k in range(round(seconds * 50)):
        wave = rng.normal(0, 0.1, (1, PACKET * (2 if layout == "stereo" else 1))) * abs(np.sin(k / 9))
        frame = av.AudioFrame.from_ndarray(wave.astype(np.float32), format="flt", layout=layout)
        frame.sample_rate, frame.pts = RATE, k * PACKET
        made += [bytes(packet) for packet in encoder.encode(frame)]
    return made


def in_stereo() -> OpusDecoder:
    """One that decodes two channels from the beginning."""
    decoder = OpusDecoder()
    decoder._open(CHANNELS)
    return decoder


def test_one_channel_doubled_is_what_libopus_makes_of_it_in_stereo() -> None:
    one, two = OpusDecoder(), in_stereo()
    for payload in packets("mono", 1):
        sound = one.decode(payload)
        assert sound.shape == (CHANNELS, PACKET)
        assert np.array_equal(sound, two.decode(payload))


def test_what_was_lost_is_the_same_on_both_sides() -> None:
    """Where libopus makes something up in stereo, the sides have noise of their own; all is as loud to a decibel."""
    sides: list[Samples] = []
    wanted: list[Samples] = []
    for made, decoder in ((sides, OpusDecoder()), (wanted, in_stereo())):
        for k, payload in enumerate(packets("mono", 1, fec=True)):
            if k % 10 == 5:
                made.append(decoder.conceal(PACKET))
            elif k % 10 == 8:
                made.append(decoder.recover(payload, PACKET))
            made.append(decoder.decode(payload))
    heard = np.concatenate(sides, axis=1)
    assert np.array_equal(heard[0], heard[1])
    assert np.square(heard).sum() == pytest.approx(np.square(np.concatenate(wanted, axis=1)).sum(), rel=0.25)


@pytest.mark.parametrize("known", [0, 3, 200])
@pytest.mark.parametrize("lost", [False, True])
def test_from_the_first_packet_in_stereo_on_both_channels_are_there(known: int, lost: bool) -> None:
    one, two = OpusDecoder(), in_stereo()
    for payload in packets("mono", 4)[:known]:
        one.decode(payload)
        two.decode(payload)
    apart = 0.0
    for k, payload in enumerate(packets("stereo", 0.5)):
        if lost and not k:
            heard, wanted = one.recover(payload, PACKET), two.recover(payload, PACKET)
            assert np.abs(heard - wanted).max() < 0.01
        heard, wanted = one.decode(payload), two.decode(payload)
        assert np.abs(heard - wanted).max() < 0.01  # of which the loudest are 0.4
        apart = max(apart, float(np.abs(heard[0] - heard[1]).max()))
    assert apart > 0.1
    for payload in packets("mono", 0.2):
        assert np.array_equal(one.decode(payload), two.decode(payload))
