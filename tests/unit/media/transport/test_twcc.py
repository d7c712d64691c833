"""TWCC packets, read back by a decoder written from the draft."""

from __future__ import annotations

import struct

from meet.media.transport.twcc import TwccWriter


def decode(packet: bytes) -> tuple[int, int, dict[int, float]]:
    """(media ssrc, packet count field, {sequence: arrival in s})."""
    first, kind, words = struct.unpack_from("!BBH", packet)
    assert (first & 31, kind, len(packet)) == (15, 205, 4 * (words + 1))
    _, media, base, count, reference = struct.unpack_from("!IIHHI", packet, 4)
    symbols: list[int] = []
    at = 20
    while len(symbols) < count:
        (chunk,) = struct.unpack_from("!H", packet, at)
        at += 2
        assert chunk & 0xC000 == 0xC000
        symbols += [chunk >> shift & 3 for shift in range(12, -1, -2)]
    time_us = (reference >> 8) * 64_000
    arrivals = {}
    for offset, symbol in enumerate(symbols[:count]):
        if symbol == 0:
            continue
        (delta,) = struct.unpack_from("!B" if symbol == 1 else "!h", packet, at)
        at += symbol
        time_us += delta * 250
        arrivals[(base + offset) & 0xFFFF] = time_us / 1e6
    return media, count, arrivals


def close(a: dict[int, float], b: dict[int, float]) -> bool:
    return a.keys() == b.keys() and all(abs(a[k] - b[k]) <= 0.000_26 for k in a)


def test_arrivals_and_losses() -> None:
    writer = TwccWriter(1)
    sent = {10: 5.0, 11: 5.0005, 13: 5.010, 14: 5.2}
    for sequence, arrival in sent.items():
        writer.add(sequence, arrival)
    (packet,) = writer.flush(99)
    media, count, arrivals = decode(packet)
    assert (media, count) == (99, 5)
    assert close(arrivals, sent)
    assert writer.flush(99) == []


def test_reordering_and_wrap_around() -> None:
    writer = TwccWriter(1)
    sent = {65534: 1.0, 65535: 1.002, 1: 1.003, 0: 1.004}
    for sequence, arrival in sent.items():
        writer.add(sequence, arrival)
    _, count, arrivals = decode(writer.flush(5)[0])
    assert count == 4
    assert close(arrivals, sent)


def test_losses_between_two_packets_are_reported() -> None:
    writer = TwccWriter(1)
    writer.add(1, 1.0)
    writer.flush(5)
    writer.add(5, 1.1)
    _, count, arrivals = decode(writer.flush(5)[0])
    assert count == 4
    assert list(arrivals) == [5]


def test_feedback_counter_counts() -> None:
    writer = TwccWriter(1)
    counters = []
    for sequence in range(3):
        writer.add(sequence, 1.0 + sequence)
        counters.append(writer.flush(5)[0][19])
    assert counters == [0, 1, 2]


def test_a_long_span_is_split() -> None:
    writer = TwccWriter(1)
    writer.add(0, 1.0)
    writer.add(2000, 1.01)
    packets = writer.flush(5)
    assert [list(decode(p)[2]) for p in packets] == [[0], [2000]]


def test_feedback_fits_into_a_packet_whatever_the_order() -> None:
    """SRTCP takes 1352 bytes. In falling order every delta is negative and takes two."""
    writer = TwccWriter(1)
    for number in range(4096):
        writer.add(number, 10.0 - number / 1000)
    packets = writer.flush(9)
    assert max(map(len, packets)) <= 1352
    assert sum(decode(packet)[1] for packet in packets) == 4096
