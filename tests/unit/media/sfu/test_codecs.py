"""VP8 descriptors, key frames, and renumbering of pictures."""

from __future__ import annotations

import pytest

from meet.media.sfu import h264, vp8, vp9
from tests.unit.media import fakes


@pytest.mark.parametrize(
    ("payload", "length"),
    [
        (b"", 0),
        (b"\x10", 0),
        (b"\x10\x00rest", 1),
        (b"\x90\x00rest", 2),
        (b"\x90\x80\x05rest", 3),
        (b"\x90\x80\x85\x01rest", 4),
        (b"\x90\xc0\x85\x01\x07rest", 5),
        (b"\x90\xe0\x85\x01\x07\x20rest", 6),
        (b"\x90\xf0\x85\x01\x07\x20", 0),
    ],
)
def test_descriptor_length(payload: bytes, length: int) -> None:
    assert vp8.descriptor_length(payload) == length


def test_key_frames() -> None:
    for key, first, expected in ((True, True, True), (False, True, False), (True, False, False)):
        payload = fakes.vp8(5, 5, key=key, first=first)
        size = vp8.descriptor_length(payload)
        assert vp8.starts_keyframe(payload[:size], payload[size:]) is expected


def test_later_partitions_are_not_key_frames() -> None:
    assert not vp8.starts_keyframe(b"\x11", b"\x00")


def descriptor(picture: int, tl0: int) -> bytes:
    return fakes.vp8(picture, tl0)[:6]


def test_unswitched_numbers_are_the_same_object() -> None:
    numbers = vp8.PictureNumbers()
    original = descriptor(100, 1)
    assert numbers.map(original) is original


def test_switch_continues_both_numbers_and_wraps() -> None:
    numbers = vp8.PictureNumbers()
    numbers.switch(descriptor(0x7FFF, 255), descriptor(50, 9))
    mapped = numbers.map(descriptor(50, 9))
    assert vp8.picture_id(mapped) == (0, 15)
    assert vp8.tl0_index(mapped) == (4, 0)
    assert vp8.picture_id(numbers.map(descriptor(51, 10))) == (1, 15)
    numbers.switch(descriptor(51, 10), descriptor(300, 70))
    assert vp8.picture_id(numbers.map(descriptor(300, 70))) == (2, 15)
    assert vp8.tl0_index(numbers.map(descriptor(300, 70))) == (4, 2)


def test_seven_bit_ids_stay_seven_bits() -> None:
    numbers = vp8.PictureNumbers()
    numbers.switch(b"\x90\x80\x7e", b"\x90\x80\x10")
    assert vp8.picture_id(numbers.map(b"\x90\x80\x10")) == (0x7F, 7)
    assert vp8.picture_id(numbers.map(b"\x90\x80\x11")) == (0, 7)


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (b"\x65\x88", True),
        (b"\x67\x42", True),
        (b"\x61\x88", False),
        (b"\x7c\x85", True),
        (b"\x7c\x05", False),
        (b"\x7c\x81", False),
        (b"\x18\x00\x02\x67\x42\x00\x02\x68\xce", True),
        (b"\x18\x00\x02\x61\x42\x00\x02\x61\xce", False),
        (b"\x18\x00\x02\x61\x42\x00\x02\x65\xce", True),
        (b"\x65", False),
        (b"", False),
    ],
)
def test_h264_entry_points(payload: bytes, expected: bool) -> None:
    assert h264.starts_keyframe(payload) is expected


@pytest.mark.parametrize(
    ("payload", "key"),
    [
        (b"\x88\x81\x00\x82", True),  # picture id of 15 bits, begins a frame
        (b"\x88\x01\x82", True),  # of 7 bits
        (b"\x08\x82", True),  # none
        (b"\xa8\x01\x00\x82", True),  # lowest spatial layer
        (b"\xa8\x01\x02\x82", False),  # the second one
        (b"\xc8\x01\x82", False),  # predicted
        (b"\x80\x01\x82", False),  # in the middle of a frame
        (b"\x88", False),
        (b"\xa8\x01", False),
        (b"", False),
    ],
)
def test_vp9_key_frames(payload: bytes, key: bool) -> None:
    assert vp9.starts_keyframe(payload) is key
