"""Packets of one timestamp to one frame."""

from __future__ import annotations

from meet.recorder.subscriber.depacketize import h264, opus, vp8

START = b"\x00\x00\x00\x01"


def test_vp8_strips_the_descriptor_and_sees_key_frames() -> None:
    assert vp8([b"\x10\x00head", b"\x00tail"]) == (b"\x00headtail", True)
    assert vp8([b"\x90\x80\x81\x02\x01rest"]) == (b"\x01rest", False)


def test_vp8_without_its_first_packet_is_nothing() -> None:
    assert vp8([b"\x00tail"]) is None
    assert vp8([b""]) is None


def test_h264_aggregate_and_fragments_become_annex_b() -> None:
    sps, pps = b"\x67sps", b"\x68pps"
    aggregate = b"\x78" + b"".join(len(unit).to_bytes(2, "big") + unit for unit in (sps, pps))
    fragments = [b"\x7c\x85idr-", b"\x7c\x05mid-", b"\x7c\x45end"]
    frame = h264([aggregate, *fragments])
    assert frame is not None
    assert frame.payload == START + sps + START + pps + START + b"\x65idr-mid-end"
    assert frame.key


def test_h264_slices_are_not_key_and_torn_fragments_are_refused() -> None:
    assert h264([b"\x41slice"]) == (START + b"\x41slice", False)
    assert h264([b"\x7c\x05mid"]) is None
    assert h264([b"\x7c\x85start"]) is None
    assert h264([b"\x1f\x00"]) is None


def test_opus_is_passed_on() -> None:
    assert opus([b"\xf8abc"]) == (b"\xf8abc", True)
    assert opus([b""]) is None
