from __future__ import annotations

from meet.media.room import SpeakerLevel
from meet.media.room.speakers import Speakers
from meet.media.sfu.levels import AudioLevels


def test_only_changes_are_told() -> None:
    speakers = Speakers()
    assert speakers.update({"a": 0.5, "b": 0.0}) == [SpeakerLevel("a", 0.5, True)]
    assert speakers.update({"a": 0.52, "b": 0.0}) == []
    assert speakers.update({"a": 0.8, "b": 0.0}) == [SpeakerLevel("a", 0.8, True)]
    assert speakers.update({"a": 0.0}) == [SpeakerLevel("a", 0.0, False)]


def test_a_leaver_stops_speaking() -> None:
    speakers = Speakers()
    speakers.update({"a": 0.5})
    assert speakers.update({}) == [SpeakerLevel("a", 0.0, False)]


def test_levels_need_a_share_of_loud_packets() -> None:
    levels = AudioLevels()
    for value in [20] * 10 + [127] * 15:
        levels.add(value)
    assert abs(levels.take() - 0.1) < 1e-9
    for value in [20] * 9 + [127] * 16:
        levels.add(value)
    assert levels.take() == 0.0
    assert levels.take() == 0.0
