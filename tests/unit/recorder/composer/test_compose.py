"""Journals in, MP4s out, judged by decoding them."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path
from statistics import median

import av
import numpy as np
import numpy.typing as npt
import pytest

from meet.recorder.composer.compose import Composer, compose
from meet.recorder.composer.output import Output
from meet.recorder.composer.profile import Profile
from meet.recorder.composer.result import Aborted, Result
from meet.recorder.journal.records import Begin, LayoutChange, Mute, Person, Record, Session, Speakers, Stop, TrackEnd
from tests.support import media
from tests.unit.recorder import synthetic
from tests.unit.recorder.synthetic import ZERO, Source, meeting

SMALL = Profile.of(
    {
        "video": {
            "width": 640,
            "height": 360,
            "framerate": 30,
            "bitrate": 1000,
            "keyFrameInterval": 2,
            "depth": 24,
            "codec": "H264_MAIN",
        },
        "audio": {"bitrate": 64, "frequency": 48000, "codec": "AAC"},
    }
)
LEFT = (slice(None), slice(0, 40))
RIGHT = (slice(None), slice(40, 80))


def person(identity: str, seconds: float, *, codec: str = "VP8", hue: int = 90, **transit: float) -> list[Source]:
    shared = {"identity": identity, **transit}
    return [
        Source(synthetic.video(codec, seconds, hue=hue), codec=codec, **shared),  # type: ignore[arg-type]
        Source(synthetic.sound(seconds), media="audio", codec="opus", **shared),  # type: ignore[arg-type]
    ]


def make(path: Path, records: list[Record], layout: str = "grid") -> tuple[Result, media.Decoded]:
    result = compose(records, path, SMALL, layout)
    return result, media.decode(path)


@pytest.mark.parametrize(("codec", "beeping"), [("VP8", "bob"), ("H264", "ada")])
def test_two_people_move_and_sound_in_step(tmp_path: Path, codec: str, beeping: str) -> None:
    """Each has another network and another wall clock; who beeps flashes at the same time."""
    people = {
        "ada": person("ada", 5, codec=codec, transit=0.03, jitter=0.04),
        "bob": person("bob", 5, codec=codec, transit=0.12, jitter=0.02, ntp_skew_s=3600.0, hue=160),
    }
    sources = [s for name, both in people.items() for s in both if s.media == "video" or name == beeping]
    directory = tmp_path / "journal"
    synthetic.write(directory, meeting(sources, 4.6))
    result, decoded = make(tmp_path / "out.mp4", synthetic.read(directory))
    assert result.frames == 138 and result.ended_reason == "stop_requested" and not result.limit
    assert len(decoded.frame_times) == 138
    assert {round(step * 30) for step in decoded.frame_times[1:] - decoded.frame_times[:-1]} == {1}
    assert abs(decoded.video_s - 4.6) < 0.02 and abs(decoded.audio_s - 4.6) < 0.05
    assert (decoded.width, decoded.height, decoded.video_codec, decoded.audio_codec) == (640, 360, "h264", "aac")
    for side in (LEFT, RIGHT):
        assert media.moving_share(decoded, side) > 0.5
    offsets = media.av_offsets(decoded, LEFT if beeping == "ada" else RIGHT)
    assert len(offsets) >= 4
    assert abs(median(offsets)) <= 0.04 and max(map(abs, offsets)) <= 0.08, offsets


def test_sound_and_picture_agree_without_sender_reports(tmp_path: Path) -> None:
    sources = [
        Source(synthetic.video("VP8", 4), transit=0.03, reports_from=None),
        Source(synthetic.sound(4), media="audio", codec="opus", transit=0.02, reports_from=None),
    ]
    _, decoded = make(tmp_path / "out.mp4", meeting(sources, 3.8))
    assert abs(median(media.av_offsets(decoded))) <= 0.06


def test_late_reports_are_slewed_in(tmp_path: Path) -> None:
    """The video needs 150 ms longer than the sound; only reports after 1 s tell."""
    sources = [
        Source(synthetic.video("VP8", 9), transit=0.17, reports_from=1.0),
        Source(synthetic.sound(9), media="audio", codec="opus", transit=0.02, reports_from=1.0),
    ]
    records = meeting(sources, 8.8)
    _, decoded = make(tmp_path / "out.mp4", records)
    offsets = media.av_offsets(decoded)
    assert abs(offsets[-1]) < abs(offsets[0])
    assert abs(offsets[-1]) <= 0.08, offsets
    assert {round(step * 30) for step in decoded.frame_times[1:] - decoded.frame_times[:-1]} == {1}


def test_joining_leaving_muting(tmp_path: Path) -> None:
    sources = [*person("ada", 6), *person("bob", 4, hue=160, joins=1.0)]
    extra: list[Record] = [
        TrackEnd(ZERO + 4_000_000, 3),
        TrackEnd(ZERO + 4_000_000, 4),
        Mute(ZERO + 5_000_000, 1, True),
        Mute(ZERO + 5_000_000, 2, True),
    ]
    _, decoded = make(tmp_path / "out.mp4", meeting(sources, 5.8, extra))
    alone, together, muted = (decoded.luma[int(30 * t)] for t in (0.5, 2.5, 5.5))
    assert (alone[:, 0] > 25).mean() > 0.9, "one tile fills the picture"
    assert (together[:9] < 25).all() and (together[20:24] > 25).mean() > 0.9, "two tiles lie side by side"
    assert (muted[2, 1:-1] == muted[2, 1]).all() and muted[2, 1] > 25, "a placeholder"
    still = decoded.luma[int(30 * 5.3) : int(30 * 5.7)].astype(int)
    assert abs(still[1:] - still[:-1]).max() <= 12, "a placeholder does not move"
    silent = decoded.samples[int(48_000 * 5.2) : int(48_000 * 5.7)]
    assert abs(silent).max() < 0.01
    assert abs(decoded.samples[(48_000 * 3) : int(48_000 * 3.1)]).max() > 0.3


def test_lost_frames_freeze_the_tile_until_the_next_key_frame(tmp_path: Path) -> None:
    source = Source(synthetic.video("VP8", 4), drop=frozenset({40}))
    _, decoded = make(tmp_path / "out.mp4", meeting([source], 3.8))
    frozen = decoded.luma[43:58].astype(int)
    assert abs(frozen[1:] - frozen[:-1]).mean() < 0.3
    moving = decoded.luma[62:88].astype(int)
    assert abs(moving[1:] - moving[:-1]).mean() > 1
    assert len(decoded.frame_times) == 114


def test_a_resumed_journal_continues_the_same_people(tmp_path: Path) -> None:
    """The process died at 2 s and was back at 3 s: one file, the gap frozen and silent, no second tile."""
    first = [r for r in meeting(person("ada", 2), 2.0) if not isinstance(r, Stop)]
    again = [
        r
        for number, source in enumerate(person("ada", 3, joins=3.0), 11)
        for r in sorted(source.records(number), key=lambda r: r.at)
    ]
    records = [*first, Session(ZERO + 3_000_000, "EG_test"), *sorted(again, key=lambda r: r.at)]
    records = [r for r in records if r.at <= ZERO + 5_900_000]
    result, decoded = make(tmp_path / "out.mp4", records)
    assert result.ended_reason == "" and abs(result.duration_s - 5.9) < 0.1
    assert (decoded.luma[int(30 * 4.5)][:, 0] > 25).mean() > 0.9, "still one tile"
    gap = decoded.luma[int(30 * 2.3) : int(30 * 2.9)].astype(int)
    assert abs(gap[1:] - gap[:-1]).mean() < 0.3
    assert abs(decoded.samples[int(48_000 * 2.3) : int(48_000 * 2.9)]).max() < 0.01
    assert len([f for f in media.flashes(decoded) if f > 3]) >= 2


def test_a_journal_without_media_still_makes_a_file(tmp_path: Path) -> None:
    result, decoded = make(tmp_path / "out.mp4", meeting([], 1.0))
    assert result.frames == len(decoded.frame_times) == 30
    assert abs(decoded.samples).max() < 0.001


def test_stopped_at_once_still_makes_a_file(tmp_path: Path) -> None:
    result, decoded = make(tmp_path / "out.mp4", [Session(ZERO, "EG_test"), Begin(ZERO), Stop(ZERO - 5, "stopped")])
    assert result.frames == len(decoded.frame_times) == 1


def test_the_speaker_is_on_stage(tmp_path: Path) -> None:
    sources = [*person("ada", 5), *person("bob", 5, hue=160)]
    extra: list[Record] = [Speakers(ZERO + 2_000_000, ["bob"]), LayoutChange(ZERO + 4_000_000, "single-speaker")]
    told: list[dict[str, tuple[int, int]]] = []
    path = tmp_path / "out.mp4"
    compose(meeting(sources, 4.8, extra), path, SMALL, "speaker", on_tiles=told.append)
    assert told[0]["TR_1"][0] > 300
    assert {"TR_1": (128, 72), "TR_3": (512, 288)} in told
    assert told[-1]["TR_1"] == (0, 0) and told[-1]["TR_3"] == (640, 360)
    assert len(media.decode(path).frame_times) == 144


def test_ready_is_told_once_and_abort_is_heard(tmp_path: Path) -> None:
    ready: list[bool] = []
    compose(meeting([], 1.0), tmp_path / "a.mp4", SMALL, "grid", on_ready=lambda: ready.append(True))
    assert ready == [True]
    abort = threading.Event()
    abort.set()
    with pytest.raises(Aborted):
        compose(meeting([], 1.0), tmp_path / "b.mp4", SMALL, "grid", abort=abort)


def test_an_unknown_layout_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="layout"):
        compose([], tmp_path / "a.mp4", SMALL, "mosaic")
    assert not (tmp_path / "a.mp4").exists()


def pictures(records: list[Record], until: float) -> list[npt.NDArray[np.uint8]]:
    """The composed picture once a second, before it is encoded."""
    shots: list[npt.NDArray[np.uint8]] = []

    class Shots(Output):
        def video(self, picture: av.VideoFrame, number: int) -> None:
            if number % 30 == 29 and number / 30 < until:
                shots.append(picture.to_ndarray().astype(np.uint8))
            super().video(picture, number)

    with tempfile.TemporaryDirectory() as folder:  # never /dev/null: an output replaces what is at its path
        composer = Composer(Path(folder) / "first.mp4", SMALL, "grid", None, None)
        composer._output.abort()
        composer._output = Shots(Path(folder) / "second.mp4", SMALL)
        composer.run(records, None)
    return shots


def test_names_people_and_layouts_are_the_same_after_a_crash(tmp_path: Path) -> None:
    """The journal tells everything that is drawn: composing it again from its beginning draws it again."""
    extra: list[Record] = [
        Person(ZERO, "ada", "Ada Lovelace"),
        Person(ZERO + 500_000, "quiet", "Who Has No Camera"),
        Person(ZERO + 1_500_000, "ada", "Countess"),
        LayoutChange(ZERO + 2_500_000, "speaker"),
    ]
    records = meeting(person("ada", 4), 3.8, extra)
    synthetic.write(tmp_path, [r for r in records if not isinstance(r, Stop)])
    whole, again = pictures(records, 3.0), pictures(synthetic.read(tmp_path), 3.0)
    assert len(whole) == len(again) == 3
    assert all((a == b).all() for a, b in zip(whole, again, strict=True))
    assert not (whole[0] == whole[1]).all() and not (whole[1] == whole[2]).all()


def boxes(path: Path) -> dict[str, int]:
    """The top-level boxes of an MP4 and their sizes (ISO 14496-12 4.2)."""
    data, at = path.read_bytes(), 0
    found: dict[str, int] = {}
    while at < len(data):
        size, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8].decode()
        size = int.from_bytes(data[at + 8 : at + 16], "big") if size == 1 else size
        found[kind] = found.get(kind, 0) + size
        at += size
    return found


def test_a_finished_file_has_one_small_index(tmp_path: Path) -> None:
    """What a player must read before it starts: at this rate, under 2 MB per hour (six hours start within a second)."""
    path = tmp_path / "out.mp4"
    compose(meeting([], 20.0), path, SMALL, "grid")
    found = boxes(path)
    assert found.keys() == {"ftyp", "free", "mdat", "moov"}, "no fragments are left"
    assert sum(found.values()) == path.stat().st_size
    assert found["moov"] * 180 < 2_000_000
