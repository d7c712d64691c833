"""Journals that were kept: found, composed again, and deleted with their recording."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from meet.cli.root import main
from meet.recorder import finish, state
from meet.recorder.journal.records import LayoutChange
from meet.recorder.state import EgressState
from meet.recorder.tracks.kept import KeptJournal, NotKept, forget
from tests.support import media
from tests.unit.recorder import synthetic
from tests.unit.recorder.synthetic import ZERO, Source, meeting

RECORDING = "standup--EG_abcdefgh--0123456789"
KEY = "recordings/standup/standup--0123456789.mp4"


def keep(data_dir: Path, status: str = "complete") -> Path:
    """The spool entry of a finished recording of two people, begun as a grid."""
    folder = data_dir / "spool" / "EG_abcdefgh"
    sources = [
        Source(synthetic.video("VP8", 2), identity="ada"),
        Source(synthetic.sound(2), media="audio", codec="opus", identity="ada"),
        Source(synthetic.video("VP8", 2, hue=160), identity="bob"),
    ]
    records = meeting(sources, 1.8, [LayoutChange(ZERO + 1_000_000, "single-speaker")])
    synthetic.write(folder / "journal", records)
    request = {"egress_id": "EG_abcdefgh", "room_name": "standup", "layout": "grid", "key": KEY, "created_ms": 1}
    (folder / "request.json").write_text(json.dumps({**request, "encoding": "H264_720P_30"}))
    first = EgressState.from_request(json.loads((folder / "request.json").read_text()))
    state.write(folder / "state.json", first if status == "starting" else first.advance(status))
    return folder


def test_recompose_in_the_layouts_of_the_recording(tmp_path: Path) -> None:
    keep(tmp_path)
    output = tmp_path / "again.mp4"
    result = CliRunner().invoke(main, ["recompose", RECORDING, "--data-dir", str(tmp_path), "--output", str(output)])
    assert result.exit_code == 0, result.output
    assert "1.8 s" in result.output
    again = CliRunner().invoke(main, ["recompose", RECORDING, "--data-dir", str(tmp_path), "--output", str(output)])
    assert again.exit_code == 1 and "is there already" in again.output
    decoded = media.decode(output)
    assert (decoded.width, decoded.height) == (1280, 720)
    assert (decoded.luma[15][:, 5] < 25).mean() > 0.4, "two tiles beside each other"
    assert (decoded.luma[-5][:, 5] > 25).mean() > 0.9, "then one"


def test_recompose_in_another_layout_and_encoding(tmp_path: Path) -> None:
    keep(tmp_path)
    output = tmp_path / "again.mp4"
    options = ["--layout", "grid", "--encoding", "PORTRAIT_H264_720P_30", "--output", str(output)]
    result = CliRunner().invoke(main, ["recompose", "EG_abcdefgh", "--data-dir", str(tmp_path), *options])
    assert result.exit_code == 0, result.output
    decoded = media.decode(output)
    assert (decoded.width, decoded.height, len(decoded.frame_times)) == (720, 1280, 54)
    assert abs(decoded.luma[30].astype(int) - decoded.luma[50]).mean() < 20, "no change of layout"


SMALL = {
    "width": 320,
    "height": 180,
    "framerate": 10,
    "codec": "VP8",
    "bitrate": 200,
    "keyFrameInterval": 2,
    "depth": 24,
}
WEBM: dict[str, dict[str, Any]] = {"video": SMALL, "audio": {"codec": "OPUS", "bitrate": 32, "frequency": 48000}}


def test_recompose_with_options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(tmp_path)
    monkeypatch.chdir(tmp_path)
    Path("webm.json").write_text(json.dumps(WEBM, indent=2))
    result = CliRunner().invoke(main, ["recompose", RECORDING, "--data-dir", str(tmp_path), "--encoding", "@webm.json"])
    assert result.exit_code == 0 and "EG_abcdefgh.webm: 1.8 s" in result.output, result.output
    decoded = media.decode(tmp_path / "EG_abcdefgh.webm")
    assert (decoded.video_codec, decoded.audio_codec) == ("vp8", "opus")
    assert (decoded.width, decoded.height, len(decoded.frame_times)) == (320, 180, 18)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"video": WEBM["video"]}, "Both video and audio configuration must be provided"),
        ({**WEBM, "audio": {**WEBM["audio"], "bitrate": -1}}, "audio.bitrate: "),
        ({**WEBM, "video": {**SMALL, "codec": "AV1"}}, "video.codec: "),
        ({**WEBM, "video": {**SMALL, "width": 0.4}}, "a picture of 0x180 is not supported"),
    ],
)
def test_wrong_options_are_a_wrong_call(tmp_path: Path, options: dict[str, Any], told: str) -> None:
    keep(tmp_path)
    call = ["recompose", RECORDING, "--data-dir", str(tmp_path), "--encoding", json.dumps(options)]
    result = CliRunner().invoke(main, call)
    assert result.exit_code == 2 and told in result.output, result.output


def test_recompose_the_sound_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(tmp_path)
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["recompose", RECORDING, "--data-dir", str(tmp_path), "--audio-only"])
    assert result.exit_code == 0 and "EG_abcdefgh.m4a: 1.8 s" in result.output, result.output
    sound = media.decode_sound(tmp_path / "EG_abcdefgh.m4a")
    assert len(media.beeps(sound)) == 2 and abs(sound.audio_s - 1.8) < 0.03


@pytest.mark.parametrize(
    ("only", "container", "ending"), [("audio", "ogg", ".ogg"), ("audio", None, ".m4a"), ("video", None, ".mp4")]
)
def test_what_was_not_recorded_is_not_made(tmp_path: Path, only: str, container: str | None, ending: str) -> None:
    folder = keep(tmp_path)
    known = state.read(folder / "state.json")
    assert known is not None
    state.write(folder / "state.json", replace(known, only=only, container=container))
    kept = KeptJournal.find(tmp_path / "spool", RECORDING)
    assert kept.profile().ending == ending
    again = kept.profile("H264_1080P_30")
    assert (again.picture, again.sound, again.ogg) == (only == "video", only == "audio", False)
    if only == "video":
        with pytest.raises(NotKept, match="no sound"):
            kept.profile(audio_only=True)


def test_an_unknown_encoding_is_a_wrong_call(tmp_path: Path) -> None:
    keep(tmp_path)
    result = CliRunner().invoke(main, ["recompose", RECORDING, "--data-dir", str(tmp_path), "--encoding", "H264_4K"])
    assert result.exit_code == 2 and "H264_4K" in result.output


def test_tracks(tmp_path: Path) -> None:
    keep(tmp_path)
    output = tmp_path / "tracks"
    result = CliRunner().invoke(main, ["tracks", RECORDING, "--data-dir", str(tmp_path), "--output", str(output)])
    assert result.exit_code == 0, result.output
    manifest = json.loads((output / "manifest.json").read_text())
    assert [track["identity"] for track in manifest["tracks"]] == ["ada", "ada", "bob"]
    assert all((output / track["file"]).stat().st_size > 1000 for track in manifest["tracks"])
    again = CliRunner().invoke(main, ["tracks", RECORDING, "--data-dir", str(tmp_path), "--output", str(output)])
    assert again.exit_code == 1 and "is not empty" in again.output


@pytest.mark.parametrize("recording", ["EG_nobody", "standup", "EG_/../..", ""])
def test_what_was_not_recorded_here_is_said(tmp_path: Path, recording: str) -> None:
    keep(tmp_path)
    with pytest.raises(NotKept, match="spool"):
        KeptJournal.find(tmp_path / "spool", recording)


def test_unfinished_and_not_kept_are_said(tmp_path: Path) -> None:
    folder = keep(tmp_path, "starting")
    with pytest.raises(NotKept, match="not finished"):
        KeptJournal.find(tmp_path / "spool", RECORDING)
    state.write(
        folder / "state.json",
        EgressState.from_request(json.loads((folder / "request.json").read_text())).advance("complete"),
    )
    finish.discard(folder, keep_journal=True)
    assert KeptJournal.find(tmp_path / "spool", RECORDING).layout == "grid"
    finish.discard(folder)
    with pytest.raises(NotKept, match="MEET_RECORDING_KEEP_TRACKS"):
        KeptJournal.find(tmp_path / "spool", RECORDING)


async def test_a_journal_is_deleted_with_its_recording(tmp_path: Path) -> None:
    folder = keep(tmp_path)
    for name, content in (("EG_aaaaaaaa", "[]"), ("EG_bbbbbbbb", '{"key": []}'), ("EG_cccccccc", "[" * 100_000)):
        (tmp_path / "spool" / name / "journal").mkdir(parents=True)
        (tmp_path / "spool" / name / "request.json").write_text(content)
    await forget(tmp_path / "spool", ["recordings/other.mp4"])
    assert (folder / "journal").is_dir()
    await forget(tmp_path / "spool", [KEY])
    assert not (folder / "journal").exists() and (folder / "state.json").exists()


async def test_a_journal_that_is_being_written_is_left_alone(tmp_path: Path) -> None:
    folder = keep(tmp_path, "ending")
    await forget(tmp_path / "spool", [KEY])
    assert (folder / "journal").is_dir()
