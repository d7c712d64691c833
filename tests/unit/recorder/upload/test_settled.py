from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from meet.recorder.composer.opus import RATE
from meet.recorder.composer.output import Output
from meet.recorder.composer.profile import Profile
from meet.recorder.upload.settled import Settled

FPS = 10
HEAD = 1024
"""The muxers come back to something in here."""


@pytest.mark.parametrize(
    ("container", "codecs"), [("mp4", ("libx264", "aac")), ("webm", ("libvpx", "libopus"))], ids=["mp4", "webm"]
)
def test_what_is_settled_is_never_touched_again(tmp_path: Path, container: str, codecs: tuple[str, str]) -> None:
    path = tmp_path / "composite.mp4"
    profile = Profile(160, 90, Fraction(FPS), 1_500_000, video_codec=codecs[0], audio_codec=codecs[1])
    settled = Settled(path, container)
    assert settled.bytes() == 0
    output = Output(path, profile)
    noise = np.random.default_rng(1)
    seen: list[tuple[int, bytes]] = []
    samples = 0
    for number in range(12 * FPS):
        picture = noise.integers(0, 255, (135, 160), dtype=np.uint8)
        output.video(av.VideoFrame.from_ndarray(picture, format="yuv420p"), number)
        while samples < (number + 1) * RATE // FPS:
            output.audio(np.zeros((2, output.block), dtype=np.float32))
            samples += output.block
        end = settled.bytes()
        if end and (not seen or seen[-1][0] != end):
            seen.append((end, path.read_bytes()[HEAD:end]))
    output.close()
    whole = path.read_bytes()
    assert len(seen) >= 4
    for end, before in seen:
        assert whole[HEAD:end] == before
    assert seen[-1][0] > len(whole) // 2
    assert seen[-1][0] <= settled.bytes() <= len(whole)


def test_a_shorter_file_is_another_one(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"\0\0\0\x10mdat12345678" * 3)
    settled = Settled(path, "mp4")
    assert settled.bytes() == 48
    path.write_bytes(b"\0\0\0\x10mdat12345678\0\0\0\x10mda")
    assert settled.bytes() == 0


def test_what_another_process_has_left_is_final_when_something_is_behind_it(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"\0\0\0\x10mdat12345678" * 3)
    settled = Settled(path, "mp4", left=48)
    assert settled.bytes() == 0
    path.write_bytes(b"\0\0\0\x10mdat12345678" * 3 + b"\0")
    assert settled.bytes() == 48
    path.write_bytes(b"\0\0\0\x10mdat12345678" * 2 + b"\0")  # the end was cut off, to be another one
    assert Settled(path, "mp4", left=48).bytes() == 32


def test_whole_pages_of_an_ogg_file_are_final(tmp_path: Path) -> None:
    path = tmp_path / "composite.mp4"
    output, settled = Output(path, Profile.of("H264_720P_30", "audio", "ogg")), Settled(path, "ogg")
    seen = []
    for number in range(600):
        output.audio(np.zeros((2, output.block), dtype=np.float32))
        if number % 25 == 0 and (end := settled.bytes()):
            seen.append(path.read_bytes()[:end])
    output.close()
    whole = path.read_bytes()
    assert len(set(seen)) >= 8 and all(whole.startswith(before) for before in seen)
    assert settled.bytes() == len(whole)
    path.write_bytes(whole[:-3])
    assert 0 < Settled(path, "ogg").bytes() < len(whole) - 3


@pytest.mark.parametrize(
    "head", [b"", b"\0\0\0\x07mdat", b"\0\0\0\0mdat1234", b"\0\0\0\x01mdat\0\0", b"\0\0\0\x11mdat12345678"]
)
def test_a_box_without_an_end_is_not_counted(tmp_path: Path, head: bytes) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"\0\0\0\x10mdat12345678" + head)
    assert Settled(path, "mp4").bytes() == 16


def test_a_cluster_of_unknown_size_is_not_counted(tmp_path: Path) -> None:
    path = tmp_path / "f"
    segment = bytes.fromhex("18538067 01ffffffffffffff")
    cluster = bytes.fromhex("1f43b675 84 01020304")
    path.write_bytes(segment + cluster + bytes.fromhex("1f43b675 ff 01020304"))
    assert Settled(path, "webm").bytes() == len(segment + cluster)
