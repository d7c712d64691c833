"""Tracks that come beside others, and what is seen and heard of those that go."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from meet.recorder.composer.compose import compose
from meet.recorder.journal.records import Frame, Mute, Pause, Person, Record, Resume, Session, Speakers, TrackEnd
from tests.support import media
from tests.unit.recorder import synthetic
from tests.unit.recorder.composer.test_compose import SMALL, make, person
from tests.unit.recorder.synthetic import ZERO, Source, meeting


def beeps(decoded: media.Decoded, near: float) -> bool:
    """Somebody's beep of 0.1 s begins about then."""
    part = decoded.samples[int(48_000 * (near + 0.03)) : int(48_000 * (near + 0.08))]
    return float(np.abs(part).max()) > 0.25


def test_a_second_microphone_does_not_silence_the_first(tmp_path: Path) -> None:
    first = Source(synthetic.sound(5), media="audio", codec="opus")
    second = Source(synthetic.sound(3), media="audio", codec="opus", joins=1.5)
    _, decoded = make(tmp_path / "out.mp4", meeting([first, second], 4.8))
    assert [t for t in (1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0) if not beeps(decoded, t)] == []


def test_the_newest_of_two_cameras_is_seen_until_it_ends(tmp_path: Path) -> None:
    """Both are somebody's camera; they flash at different times."""
    cameras = [Source(synthetic.video("VP8", 6)), Source(synthetic.video("VP8", 2, hue=160), joins=1.5)]
    _, decoded = make(tmp_path / "out.mp4", meeting(cameras, 5.8, [TrackEnd(ZERO + 3_500_000, 2)]))
    flashing = [t for t in (1.0, 2.0, 2.5, 3.0, 5.0) if decoded.luma[round(30 * (t + 0.05))].mean() > 180]
    assert flashing == [1.0, 2.5, 5.0]


@pytest.mark.parametrize("leaves", [True, False])
def test_somebody_is_seen_and_heard_until_the_end(tmp_path: Path, leaves: bool) -> None:
    """The last flash and beep are captured 140 ms before it, later than the picture that is drawn when it is known."""
    sources = [*person("ada", 5), *person("bob", 3.1, hue=160, joins=0.9)]
    end = ZERO + 4_040_000
    extra: list[Record] = [Person(ZERO, "ada", "Ada"), Person(ZERO + 900_000, "bob", "Bob"), Mute(end, 3, True)]
    if leaves:
        extra[2:] = [TrackEnd(end, 3), TrackEnd(end, 4), Person(end, "bob", "Bob", present=False)]
    _, decoded = make(tmp_path / "out.mp4", meeting(sources, 4.9, extra))
    last = decoded.luma[round(30 * 3.97)]
    assert last[16:20, 50:75].mean() > 180, "the flash"
    assert (last[:9] < 25).all(), "two tiles"
    assert beeps(decoded, 3.9)
    after = decoded.luma[round(30 * 4.2)]
    if leaves:
        assert (after[:, 0] > 25).mean() > 0.9, "one tile fills the picture"
    else:
        assert np.ptp(after[17:19, 42:50]) <= 8 < np.ptp(after[17:19, 2:38]), "a placeholder"


def test_somebody_who_is_back_at_once_stays(tmp_path: Path) -> None:
    """Leaving and coming are told in the same moment, before either is drawn."""
    extra: list[Record] = [
        Person(ZERO, "ada", "Ada"),
        Person(ZERO + 2_000_000, "ada", "Ada", present=False),
        Person(ZERO + 2_010_000, "ada", "Ada"),
    ]
    _, decoded = make(tmp_path / "out.mp4", meeting([], 4.0, extra))
    assert (np.abs(decoded.luma[30].astype(int) - decoded.luma[105]).max() <= 12).all(), "the same tile"
    assert decoded.luma[105].max() > 100


def test_what_the_network_held_back_is_heard(tmp_path: Path) -> None:
    """Everything from 1.9 to 3.4 s arrives at once: later than it is drawn, but in time to be mixed."""
    source = Source(synthetic.sound(5), media="audio", codec="opus")
    records = meeting([source], 4.8)
    late, held = ZERO + 3_400_000, ZERO + 1_900_000
    delayed = [replace(r, at=late) if isinstance(r, Frame) and held < r.at < late else r for r in records]
    _, decoded = make(tmp_path / "out.mp4", sorted(delayed, key=lambda record: record.at))
    assert [t for t in (1.0, 2.0, 3.0, 4.0) if not beeps(decoded, t)] == []


@pytest.mark.parametrize("what", ["another process", "a pause", "few pictures"])
def test_who_has_gone_is_heard_to_the_end(tmp_path: Path, what: str) -> None:
    """Sound is mixed two seconds later than the end of its track is seen."""
    end = ZERO + 2_150_000
    extra: dict[str, list[Record]] = {
        "another process": [Session(end + 50_000, "EG_test")],
        "a pause": [Pause(end + 50_000), Resume(end + 5_000_000)],
        "few pictures": [],
    }
    fps = 1 if what == "few pictures" else 30
    records = meeting(
        [Source(synthetic.sound(2.14), media="audio", codec="opus")], 12, [TrackEnd(end, 1), *extra[what]]
    )
    compose(records, tmp_path / "out.mp4", replace(SMALL, fps=Fraction(fps)), "grid")
    decoded = media.decode(tmp_path / "out.mp4")
    assert beeps(decoded, 1.0) and beeps(decoded, 2.0)


def test_who_was_hidden_is_seen_moving_without_another_key_frame(tmp_path: Path) -> None:
    """One stream each, so no other layer brings a key frame; two are never seen before they speak."""
    coded = synthetic.video("VP8", 5.5, keys_s=1000)
    cameras = [Source(coded, identity=name) for name in ("ada", "bob", "eve")]
    turns = ((0.2, "ada"), (1.7, "eve"), (3.4, "ada"))
    heard: list[Record] = [Speakers(ZERO + round(at * 1e6), [name]) for at, name in turns]
    _, decoded = make(tmp_path / "out.mp4", meeting(cameras, 5.3, heard), "single-speaker")
    assert [t for t in (1.0, 2.0, 3.0, 4.0, 5.0) if decoded.luma[round(30 * (t + 0.05))].mean() < 180] == []
    moving = np.abs(np.diff(decoded.luma.astype(int), axis=0)).max(axis=(1, 2)) > 20
    assert all(moving[k : k + 15].any() for k in range(0, 140, 15))
