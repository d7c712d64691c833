"""Presets and options objects."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest

from meet.recorder.composer.compose import compose
from meet.recorder.composer.profile import PRESETS, EncodingUnsupported, Profile
from tests.unit.recorder.synthetic import meeting

VIDEO: dict[str, Any] = {
    "width": 640,
    "height": 480,
    "framerate": 25,
    "bitrate": 800,
    "keyFrameInterval": 4,
    "depth": 24,
    "codec": "H264_HIGH",
}
AUDIO: dict[str, Any] = {"bitrate": 96, "frequency": 44100, "codec": "AAC"}


@pytest.mark.parametrize(
    ("name", "size", "fps"),
    [
        (f"{turn}H264_{lines}P_{fps}", size if not turn else size[::-1], fps)
        for turn in ("", "PORTRAIT_")
        for lines, size in ((720, (1280, 720)), (1080, (1920, 1080)))
        for fps in (30, 60)
    ],
)
def test_all_eight_presets(name: str, size: tuple[int, int], fps: int) -> None:
    profile = Profile.of(name)
    assert (profile.width, profile.height) == size and profile.fps == fps
    assert len(PRESETS) == 8


@pytest.mark.parametrize(
    ("codec", "expected"),
    [("DEFAULT_VC", "Main"), ("H264_BASELINE", "Constrained Baseline"), ("H264_MAIN", "Main"), ("H264_HIGH", "High")],
)
def test_options_reach_the_file(tmp_path: Path, codec: str, expected: str) -> None:
    profile = Profile.of({"video": {**VIDEO, "codec": codec}, "audio": AUDIO})
    path = tmp_path / "out.mp4"
    result = compose(meeting([], 2.0), path, profile, "grid")
    assert result.frames == 50
    with av.open(str(path)) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        assert (video.width, video.height, video.average_rate, video.profile) == (640, 480, Fraction(25), expected)
        assert (audio.rate, audio.codec_context.name) == (44_100, "aac")
        assert sum(frame.samples for frame in container.decode(audio)) == pytest.approx(88_200, abs=2100)


@pytest.mark.parametrize(
    ("codec", "asked_hz", "name", "hz"),
    [("DEFAULT_AC", 48_000, "aac", 48_000), ("OPUS", 44_100, "opus", 48_000), ("AC_MP3", 44_100, "mp3float", 44_100)],
)
def test_every_sound_of_the_contract_is_made(tmp_path: Path, codec: str, asked_hz: int, name: str, hz: int) -> None:
    profile = Profile.of({"video": VIDEO, "audio": {**AUDIO, "codec": codec, "frequency": asked_hz}})
    path = tmp_path / "out.mp4"
    compose(meeting([], 2.0), path, profile, "grid")
    with av.open(str(path)) as container:
        audio = container.streams.audio[0]
        assert (audio.codec_context.name, audio.rate) == (name, hz)
        assert sum(frame.samples for frame in container.decode(audio)) == pytest.approx(2 * hz, abs=2100)


@pytest.mark.parametrize(
    ("encoding", "complaint"),
    [
        ("H264_4K_30", "unknown encoding preset"),
        ({"video": {**VIDEO, "codec": "VP8"}, "audio": AUDIO}, "video codec VP8"),
        ({"video": VIDEO, "audio": {**AUDIO, "codec": "FLAC"}}, "audio codec FLAC"),
        ({"video": VIDEO, "audio": {**AUDIO, "codec": "OPUS", "frequency": 22_050}}, "22050 Hz"),
        ({"video": VIDEO, "audio": {**AUDIO, "frequency": 47999}}, "47999 Hz"),
        ({"video": {**VIDEO, "width": 9000}, "audio": AUDIO}, "9000x480"),
        ({"video": {**VIDEO, "framerate": 500}, "audio": AUDIO}, "500 frames per second"),
        ({"video": VIDEO}, "incomplete"),
    ],
)
def test_what_is_not_built_in_says_so(encoding: Any, complaint: str) -> None:
    with pytest.raises(EncodingUnsupported, match=complaint):
        Profile.of(encoding)
