"""Presets and options objects."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from meet.recorder.composer.compose import compose
from meet.recorder.composer.encoder import SPEEDS
from meet.recorder.composer.output import Output
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
def test_all_eight_presets(tmp_path: Path, name: str, size: tuple[int, int], fps: int) -> None:
    profile = Profile.of(name)
    assert (profile.width, profile.height) == size and profile.fps == fps
    assert len(PRESETS) == 8
    path = tmp_path / "out.mp4"
    compose([*meeting([], 0.2)], path, profile, "grid")
    with av.open(str(path)) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        assert (video.codec_context.name, video.profile, audio.codec_context.name) == ("h264", "Main", "aac")
        assert (video.width, video.height) == size and video.average_rate == fps
        assert sum(1 for _ in container.decode(video)) == fps // 5


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


@pytest.mark.parametrize("sound", ["AAC", "OPUS", "AC_MP3"])
@pytest.mark.parametrize("codec", ["H264_HIGH", "VP8"])
def test_what_no_encoder_takes_becomes_the_most_that_it_does(tmp_path: Path, codec: str, sound: str) -> None:
    """The contract sets no upper bounds."""
    much = {"bitrate": 1e12, "keyFrameInterval": 1e12}
    audio = {"bitrate": 1e6, "frequency": 10_000_000, "codec": sound}
    profile = Profile.of({"video": {**VIDEO, **much, "codec": codec}, "audio": audio})
    assert compose(meeting([], 0.5), tmp_path / "out.mp4", profile, "grid").frames == 13


def test_numbers_without_end_are_refused() -> None:
    with pytest.raises(EncodingUnsupported, match="incomplete"):
        Profile.of({"video": {**VIDEO, "bitrate": float("inf")}, "audio": AUDIO})


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


@pytest.mark.parametrize("audio", ["DEFAULT_AC", "OPUS", "AAC", "AC_MP3"])
def test_vp8_goes_with_opus_into_webm(tmp_path: Path, audio: str) -> None:
    """WebM holds no other sound, and no other container with VP8 plays everywhere."""
    profile = Profile.of(
        {"video": {**VIDEO, "codec": "VP8", "keyFrameInterval": 1}, "audio": {**AUDIO, "codec": audio}}
    )
    assert (profile.container, profile.content_type) == ("webm", "video/webm")
    path = tmp_path / "out.mp4"
    compose(meeting([], 3.0), path, profile, "grid")
    assert path.read_bytes()[:4] == b"\x1aE\xdf\xa3"
    with av.open(str(path)) as container:
        video, sound = container.streams.video[0], container.streams.audio[0]
        assert (video.codec_context.name, sound.codec_context.name, sound.rate) == ("vp8", "opus", 48_000)
        assert (video.width, video.height) == (640, 480)
        packets = [packet for packet in container.demux(video) if packet.size]
        assert len(packets) == 75
        assert [k for k, packet in enumerate(packets) if packet.is_keyframe] == [0, 25, 50]


def test_the_keyframe_interval_and_the_bit_rate_are_kept(tmp_path: Path) -> None:
    profile = Profile.of({"video": {**VIDEO, "bitrate": 300, "keyFrameInterval": 0.8}, "audio": AUDIO})
    path, rng = tmp_path / "out.mp4", np.random.default_rng(1)
    texture = rng.integers(60, 180, (90, 200), np.uint8).repeat(8, axis=0).repeat(8, axis=1)
    output = Output(path, profile)
    for number in range(100):
        grain = rng.integers(0, 24, (720, 640), np.uint8)
        data = texture[:, 3 * number : 3 * number + 640] + grain
        output.video(av.VideoFrame.from_ndarray(data, format="yuv420p"), number)
    output.close()
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    assert [k for k, packet in enumerate(packets) if packet.is_keyframe] == [0, 20, 40, 60, 80]
    assert sum(packet.size for packet in packets) * 8 / 4 < 1.4 * 300_000


@pytest.mark.parametrize(
    ("codec", "asked", "made"), [("AAC", 47_999, 48_000), ("OPUS", 22_050, 24_000), ("AAC", 1, 8_000)]
)
def test_a_rate_that_the_codec_lacks_becomes_the_next_one(codec: str, asked: int, made: int) -> None:
    assert Profile.of({"video": VIDEO, "audio": {**AUDIO, "codec": codec, "frequency": asked}}).audio_rate == made


@pytest.mark.parametrize("codec", ["H264_BASELINE", "H264_MAIN", "H264_HIGH", "VP8"])
def test_encoders_of_every_speed_continue_one_stream(tmp_path: Path, codec: str) -> None:
    profile = Profile.of({"video": {**VIDEO, "codec": codec}, "audio": AUDIO})
    path = tmp_path / "out.mp4"
    output = Output(path, profile)
    for number in range(60):
        if number % 15 == 14:
            assert output.change_speed((number // 15 + 1) % SPEEDS)
        luma = np.full((720, 640), 40 + 2 * number, np.uint8)
        output.video(av.VideoFrame.from_ndarray(luma, format="yuv420p"), number)
    output.close()
    with av.open(str(path)) as container:
        seen = [int(frame.to_ndarray()[100, 100]) for frame in container.decode(video=0)]
    assert len(seen) == 60 and max(abs(v - (40 + 2 * k)) for k, v in enumerate(seen)) <= 3


@pytest.mark.parametrize(
    ("encoding", "complaint"),
    [
        ("H264_4K_30", "unknown encoding preset"),
        ({"video": {**VIDEO, "codec": "AV1"}, "audio": AUDIO}, "video codec AV1"),
        ({"video": VIDEO, "audio": {**AUDIO, "codec": "FLAC"}}, "audio codec FLAC"),
        ({"video": {**VIDEO, "width": 9000}, "audio": AUDIO}, "9000x480"),
        ({"video": {**VIDEO, "framerate": 500}, "audio": AUDIO}, "500 frames per second"),
        ({"video": VIDEO}, "incomplete"),
    ],
)
def test_what_is_not_built_in_says_so(encoding: Any, complaint: str) -> None:
    with pytest.raises(EncodingUnsupported, match=complaint):
        Profile.of(encoding)
