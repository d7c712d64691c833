"""VP9 and AV1 with three spatial layers, as Chromium 156 sent them: assembled, and decoded by what the composer uses.

The files hold four pictures: payload length (16 bit), RTP timestamp (32 bit), payload, and so on.
"""

from __future__ import annotations

import struct
from itertools import groupby
from pathlib import Path

import av
import pytest
from av.video.codeccontext import VideoCodecContext

from meet.recorder.composer.video import DECODERS
from meet.recorder.subscriber import av1, vp9
from meet.recorder.subscriber.depacketize import DEPACKETIZERS

HERE = Path(__file__).parent


def recorded(codec: str) -> list[list[bytes]]:
    """Payloads by picture."""
    data, at = (HERE / f"chromium_{codec}_l3t3_key.rtp").read_bytes(), 0
    packets = []
    while at < len(data):
        size, timestamp = struct.unpack_from("!HI", data, at)
        packets.append((timestamp, data[at + 6 : at + 6 + size]))
        at += 6 + size
    return [[payload for _, payload in group] for _, group in groupby(packets, lambda each: each[0])]


@pytest.mark.parametrize("codec", ["vp9", "av1"])
def test_pictures_are_whole(codec: str) -> None:
    decoder = av.CodecContext.create(DECODERS[codec], "r")
    assert isinstance(decoder, VideoCodecContext)
    decoder.thread_count = 1
    frames = [DEPACKETIZERS[codec](payloads) for payloads in recorded(codec)]
    assert [frame is not None and frame.key for frame in frames] == [True, False, False, False]
    pictures = [p for f in frames if f is not None for p in decoder.decode(av.Packet(f.payload))]
    last = (640, 360) if codec == "vp9" else (1280, 720)  # the encoder left the upper layer out
    assert [(p.width, p.height) for p in pictures] == [(1280, 720)] * 3 + [last]


@pytest.mark.parametrize("codec", ["vp9", "av1"])
def test_a_lost_packet_is_noticed_where_the_format_tells(codec: str) -> None:
    picture = next(p for p in recorded(codec) if len(p) >= 3)
    fragments = [i for i, payload in enumerate(picture) if _continues(codec, payload)]
    assert fragments
    for begins in (i for i in fragments if i - 1 not in fragments):
        assert DEPACKETIZERS[codec](picture[: begins - 1] + picture[begins:]) is None
        assert DEPACKETIZERS[codec](picture[begins:]) is None
    assert DEPACKETIZERS[codec]([]) is None
    assert DEPACKETIZERS[codec]([b""]) is None


def _continues(codec: str, payload: bytes) -> bool:
    return bool(payload[0] & 0x80) if codec == "av1" else not payload[0] & 0x08


@pytest.mark.parametrize(
    ("payload", "length"),
    [
        (b"\x0cdata", 1),
        (b"\x8c\x05data", 2),
        (b"\x8c\x85\x01data", 3),
        (b"\x2c\x00\x07data", 3),  # layers, and TL0PICIDX without the flexible mode
        (b"\x3c\x00data", 2),
        (b"\x7c\x00\x03\x02data", 4),  # flexible, predicted from two pictures
        (b"\x0e\x10\x01\x40\x00\xb4data", 6),  # structure with one size
        (b"\x0e\x08\x02\x00\x04\x01data", 6),  # structure with a group of two pictures, the second with one reference
        (b"", 0),
        (b"\x8c", 0),
        (b"\x0c", 0),
        (b"\x0e\x18\x01", 0),
        (b"\x5c\x03\x03", 0),
    ],
)
def test_vp9_descriptor(payload: bytes, length: int) -> None:
    assert vp9.descriptor_length(payload) == length


def test_one_layer_needs_no_superframe() -> None:
    assert vp9.picture([b"\x08one ", b"\x04two"]) == (b"one two", True)
    assert vp9.picture([b"\x4cx"]) == (b"x", False)
    two = vp9.picture([b"\x0cab", b"\x0cc"])
    assert two == (b"abc" + b"\xc1\x02\x01\xc1", True)


@pytest.mark.parametrize(
    ("payload", "found"),
    [
        (b"\x10whole", [b"whole"]),
        (b"\x20\x02abcd", [b"ab", b"cd"]),
        (b"\x00\x02ab\x01c", [b"ab", b"c"]),
        (b"\x00\x05ab", []),
        (b"\x00\x80\x80", []),
        (b"\x30\x01a", []),
        (b"\x10", []),
    ],
)
def test_av1_elements(payload: bytes, found: list[bytes]) -> None:
    assert av1.elements(payload) == found


def test_av1_units_get_sizes_and_lose_delimiters() -> None:
    # A delimiter, a sequence header in two fragments, a frame with an extension byte and its own size.
    found = av1.temporal_unit([b"\x68\x02\x12\x00\x08a", b"\xa0\x01b\x36\x00\x01c"])
    assert found == (b"\x12\x00" + b"\x0a\x02ab" + b"\x36\x00\x01c", True)
