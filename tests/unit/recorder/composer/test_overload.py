"""A machine that is too slow for a while, on a fake clock: less picture, all of the sound, then everything again."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from meet.recorder.composer.compose import Composer
from meet.recorder.composer.output import Output
from meet.recorder.composer.overload import LADDER, Overload, Rung
from meet.recorder.composer.profile import Profile
from meet.recorder.composer.result import Result
from meet.recorder.journal.records import Record
from tests.support import media
from tests.unit.recorder import synthetic
from tests.unit.recorder.synthetic import ZERO, Source, meeting

S = 1_000_000
TINY = Profile.of(
    {
        "video": {
            "width": 160,
            "height": 80,
            "framerate": 30,
            "bitrate": 100,
            "keyFrameInterval": 2,
            "depth": 24,
            "codec": "H264_MAIN",
        },
        "audio": {"bitrate": 64, "frequency": 48000, "codec": "AAC"},
    }
)


class Machine:
    """Time that passes only by waiting for records and by encoding; slow until a moment."""

    def __init__(self, costs_us: tuple[int, int, int], until: float) -> None:
        self.now = ZERO
        self.costs, self.until = costs_us, ZERO + round(until * S)
        self.speeds: list[int] = []
        self.lag: list[float] = []

    def encode(self, speed: int) -> None:
        self.speeds.append(speed)
        self.now += self.costs[speed] if self.now < self.until else 2_000

    def arriving(self, records: list[Record]) -> Iterator[Record]:
        for record in records:
            self.now = max(self.now, record.at)
            self.lag.append((self.now - record.at) / S)
            yield record


def record(path: Path, machine: Machine, seconds: int) -> Result:
    class SlowOutput(Output):
        speed = 0

        def video(self, picture: av.VideoFrame, number: int) -> None:
            machine.encode(self.speed)
            super().video(picture, number)

        def change_speed(self, speed: int) -> bool:
            self.speed = speed
            return super().change_speed(speed)

    sources = [
        Source(synthetic.video("VP8", seconds, 160, 80, fps=10)),
        Source(synthetic.sound(seconds), media="audio", codec="opus"),
    ]
    composer = Composer(path, TINY, "grid", None, None, live=lambda: machine.now)
    composer._output.abort()
    composer._output = SlowOutput(path, TINY)
    return composer.run(machine.arriving(meeting(sources, seconds)), None)


@pytest.mark.parametrize(
    ("costs_us", "speeds"),
    [((45_000, 45_000, 45_000), {0}), ((110_000, 90_000, 30_000), {0, 1, 2})],
    ids=["fewer pictures", "a cheaper encoder too"],
)
def test_the_picture_gives_way_and_comes_back(tmp_path: Path, costs_us: tuple[int, int, int], speeds: set[int]) -> None:
    machine = Machine(costs_us, until=20)
    result = record(tmp_path / "out.mp4", machine, 90)
    assert set(machine.speeds) == speeds
    assert max(machine.lag) < 8, "it does not fall behind without end"
    assert result.left_out > 100 and result.frames + result.left_out == 90 * 30
    decoded = media.decode(tmp_path / "out.mp4")
    steps = np.rint(np.diff(decoded.frame_times) * 30).astype(int)
    assert steps.min() == 1 and steps.max() <= max(rung.step for rung in LADDER)
    assert (steps[:20] == 1).all() and (steps[-150:] == 1).all(), "all of it before and after"
    assert abs(decoded.video_s - 90) < 0.1 and abs(decoded.audio_s - 90) < 0.05
    assert len(media.beeps(decoded)) >= 89, "sound is never shed"
    assert machine.lag[-1] < 0.5


def test_a_machine_that_keeps_up_makes_everything(tmp_path: Path) -> None:
    machine = Machine((10_000,) * 3, until=1e6)
    result = record(tmp_path / "out.mp4", machine, 5)
    assert (result.frames, result.left_out) == (150, 0)
    assert 80 <= result.repeated <= 110, "a camera of 10 pictures per second"


def test_catching_up_after_a_restart_is_no_overload() -> None:
    """An hour behind, composing three times as fast as the meeting goes on."""
    now = [ZERO + 3600 * S]
    overload = Overload(lambda: now[0])
    for second in range(1, 1200):
        now[0] += S
        assert not overload.handled(ZERO + 3 * second * S)
    assert overload.rung == Rung(1, 0)


def test_attempts_to_come_back_become_rarer() -> None:
    """A machine that can only just do the second rung."""
    now, media_at = ZERO, ZERO
    told: list[bool] = []
    overload = Overload(lambda: now, on_busy=told.append)
    overload.handled(media_at)
    changes = []
    for second in range(600):
        now += S
        media_at = min(now, media_at + round(S * (0.5 if overload.rung.step == 1 else 1.1)))
        if overload.handled(media_at) and overload.rung.step == 1:
            changes.append(second)
    assert 2 <= len(changes) <= 7
    assert told[:-1] == [True, False] * (len(told) // 2), "of every turn once, whatever the rung"
    assert told.count(False) == len(changes)
    Overload(lambda: now, 2, told.append)
    assert told[-1], "an earlier process was too busy, and so is this one until it has seen otherwise"
    waits = [b - a for a, b in itertools.pairwise(changes)]
    assert waits == sorted(waits)
