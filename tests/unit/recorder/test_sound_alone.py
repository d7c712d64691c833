"""Recordings that are sound alone, or pictures alone: made, gone on with after a crash, paused."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import pytest

from meet.fragments.index import FragmentIndex
from meet.recorder.composer.compose import compose
from meet.recorder.composer.profile import EncodingUnsupported, Profile
from meet.recorder.composer.result import Mismatch, Result
from meet.recorder.composer.seam import START
from meet.recorder.finish import inspect
from meet.recorder.journal.records import LayoutChange, Pause, Record, Resume
from meet.recorder.pieces import Pieces, boot_id
from tests.support import media
from tests.unit.recorder.composer.test_compose import person
from tests.unit.recorder.composer.test_profile import AUDIO
from tests.unit.recorder.composer.test_profile import VIDEO as OF_25
from tests.unit.recorder.synthetic import ZERO, meeting

SECONDS = 12.5
VIDEO = {**OF_25, "width": 320, "height": 180, "framerate": 30, "keyFrameInterval": 1}
H264 = {"video": VIDEO, "audio": AUDIO}
PRESET = "H264_720P_30"
VP8 = {"video": {**VIDEO, "codec": "VP8"}, "audio": {**AUDIO, "codec": "OPUS"}}
OPUS = {"video": VIDEO, "audio": {**AUDIO, "codec": "OPUS"}}
MP3 = {"video": VIDEO, "audio": {**AUDIO, "codec": "AC_MP3"}}
KINDS: list[tuple[Any, str | None, str, str, str]] = [
    (PRESET, None, "audio/mp4", ".m4a", "aac"),
    (OPUS, None, "audio/mp4", ".m4a", "opus"),
    (MP3, None, "audio/mp4", ".m4a", "mp3float"),
    (VP8, None, "audio/webm", ".webm", "opus"),
    (PRESET, "ogg", "audio/ogg", ".ogg", "opus"),
]


@pytest.fixture(scope="module")
def records() -> list[Record]:
    """Two cameras, which stop soon, and one microphone."""
    bob = person("bob", 5, transit=0.1, ntp_skew_s=5.0, hue=160)[:1]
    camera = person("ada", 5, transit=0.03, jitter=0.04)[:1]
    return meeting([*camera, *person("ada", 13, transit=0.03, jitter=0.04)[1:], *bob], SECONDS)


def sound(path: Path) -> tuple[npt.NDArray[np.float32], int, list[float]]:
    """(samples, rate, when the beeps begin in seconds of the file)."""
    decoded = media.decode_sound(path)
    loud = np.flatnonzero(np.abs(decoded.samples) > 0.2) / decoded.sample_rate + decoded.audio_start
    beeps = [float(at) for k, at in enumerate(loud) if k == 0 or at - loud[k - 1] > 0.5]
    return decoded.samples, decoded.sample_rate, beeps


@pytest.mark.parametrize(("encoding", "container", "media_type", "ending", "codec"), KINDS)
def test_sound_alone(
    tmp_path: Path,
    records: list[Record],
    encoding: Any,
    container: str | None,
    media_type: str,
    ending: str,
    codec: str,
) -> None:
    """Every beep at its time, for as long as the meeting; of the cameras nothing, not even a layout."""
    profile, path = Profile.of(encoding, "audio", container), tmp_path / "out.mp4"
    assert (profile.content_type, profile.ending) == (media_type, ending)
    sizes: list[object] = []
    result = compose([*records[:900], LayoutChange(records[900].at, "speaker"), *records[900:]], path, profile, "grid",
                     on_tiles=sizes.append)  # fmt: skip
    assert result == Result(SECONDS, 0, "stop_requested", False, 0) and not sizes
    data, rate, beeps = sound(path)
    assert abs(len(data) / rate - SECONDS) < 0.06 and abs(inspect(path).duration_s - SECONDS) < 0.06
    assert len(beeps) == 13 and all(abs(at - k - 0.03) < 0.05 for k, at in enumerate(beeps)), beeps
    assert media.decode_sound(path).audio_codec == codec
    if media_type == "audio/mp4":  # players find their way in it as in any other
        index = FragmentIndex.of(path)
        assert len(index.fragments) in (4, 5) and abs(index.duration_s - SECONDS) < 0.06


@pytest.mark.parametrize(("encoding", "container"), [kind[:2] for kind in (KINDS[0], *KINDS[3:])])
def test_sound_alone_goes_on_after_a_crash(
    tmp_path: Path, records: list[Record], encoding: Any, container: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed twice; the joined file sounds like the one that was made in one go. Another file is gone on with."""
    profile = Profile.of(encoding, "audio", container)
    spool, whole = tmp_path / "spool", tmp_path / "whole.mp4"
    expected = _killed(spool, records, whole, profile, START, 9.0)
    first = Pieces(spool, profile)
    seam = first.seal()
    assert 60 < seam.ticks < 220 and seam.sample > 2 * profile.audio_rate and not seam.drawn
    shutil.copy(first.path, tmp_path / "on.mp4")
    left = first.path.read_bytes()
    assert compose(records, tmp_path / "on.mp4", profile, "grid", seam=seam) == expected
    differs = 600 if container is None and encoding is VP8 else 44
    assert (tmp_path / "on.mp4").read_bytes()[differs : len(left)] == left[differs:]
    monkeypatch.setattr(Pieces, "_cut", lambda self: False)
    seam = first.set_aside()
    _killed(spool, records, tmp_path / "second.mp4", profile, seam, 12.4, "composite.next.mp4")
    pieces = Pieces(spool, profile)
    later = pieces.seal()
    assert later.ticks > seam.ticks and len(list(spool.glob("*piece*"))) == 2
    result = compose(records, pieces.writing(), profile, "grid", seam=later)
    pieces.finish(result)
    assert result == expected and pieces.made() == result
    (one, rate, beeps), (other, _, others) = sound(whole), sound(pieces.path)
    # Ogg alone tells where in its last packet the sound ends; joined, that packet is heard to its end.
    assert abs(len(one) - len(other)) < (rate // 50 if container == "ogg" else 1)
    assert np.allclose(beeps, others, atol=0.001)
    one, other = one[: len(other)], other[: len(one)]
    assert np.sqrt(np.mean((one - other) ** 2)) < 0.02
    # A click at a seam would be a jump that the other file does not have.
    quiet = np.abs(one) < 0.1
    assert np.abs(np.diff(other))[quiet[1:]].max() < np.abs(np.diff(one))[quiet[1:]].max() + 0.05


def _killed(
    spool: Path, records: list[Record], whole: Path, profile: Profile, seam: Any, at: float, name: str = "composite.mp4"
) -> Result:
    spool.mkdir(exist_ok=True)

    def until_killed() -> Iterator[Record]:
        killed = False
        for record in records:
            if not killed and record.at > ZERO + at * 1_000_000:
                killed = True
                shutil.copy(whole, spool / name)
                (spool / "composite.boot").write_text(boot_id())
            yield record

    return compose(until_killed(), whole, profile, "grid", seam=seam)


def test_pieces_with_a_picture_do_not_fit(tmp_path: Path, records: list[Record]) -> None:
    """Nor does a journal that ends before them."""
    profile, spool = Profile.of(PRESET, "audio"), tmp_path / "spool"
    _killed(spool, records, tmp_path / "whole.mp4", profile, START, 11.0)
    shutil.copytree(spool, tmp_path / "other")
    with pytest.raises(Mismatch):
        compose(records[:300], spool / "composite.mp4", profile, "grid", seam=Pieces(spool, profile).seal())
    assert Pieces(tmp_path / "other", Profile.of(PRESET)).seal() is START


def test_pauses_are_cut_out_of_sound_alone(tmp_path: Path, records: list[Record]) -> None:
    pauses: list[Record] = [Pause(ZERO + 2_500_000), Resume(ZERO + 4_500_000)]
    kept = [r for r in records if not (2_500_000 < r.at - ZERO < 4_500_000)]
    path = tmp_path / "out.m4a"
    result = compose(sorted([*kept, *pauses], key=lambda r: r.at), path, Profile.of(PRESET, "audio"), "grid")
    assert (result.duration_s, result.pauses, result.paused_s) == (SECONDS - 2, 1, 2.0)
    _, _, beeps = sound(path)
    assert np.allclose(beeps, np.arange(11) + 0.035, atol=0.05), beeps


def test_pictures_alone(tmp_path: Path, records: list[Record]) -> None:
    """The same pictures as with sound, also gone on with after a crash."""
    both, alone = Profile.of(H264), Profile.of(H264, "video")
    assert (alone.content_type, Profile.of(VP8, "video").content_type) == ("video/mp4", "video/webm")
    compose(records, tmp_path / "both.mp4", both, "grid")
    spool, whole = tmp_path / "spool", tmp_path / "whole.mp4"
    expected = _killed(spool, records, whole, alone, START, 8.0)
    pieces = Pieces(spool, alone)
    seam = pieces.seal()
    assert seam.ticks > 60 and seam.sample == 0
    result = compose(records, pieces.writing(), alone, "grid", seam=seam)
    pieces.finish(result)
    # A picture that stands still at the seam is drawn anew.
    assert replace(result, repeated=0) == replace(expected, repeated=0) and result.frames == SECONDS * alone.fps
    assert abs(result.repeated - expected.repeated) <= 1
    with av.open(str(pieces.path)) as file:
        assert [stream.type for stream in file.streams] == ["video"]
    pictures = [_luma(path) for path in (tmp_path / "both.mp4", whole, pieces.path)]
    for other in pictures[1:]:
        assert np.abs(pictures[0] - other).mean(axis=(1, 2)).max() < 2


def _luma(path: Path) -> npt.NDArray[np.int64]:
    with av.open(str(path)) as file:
        return np.stack([frame.to_ndarray()[:180:4, ::4].astype(np.int64) for frame in file.decode(video=0)])


def test_an_ogg_file_holds_no_picture() -> None:
    with pytest.raises(EncodingUnsupported, match="sound alone"):
        Profile.of(PRESET, None, "ogg")
