"""Hours in which no recorder was there, or of which only a clock tells, do not become hours of a frozen picture."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from meet.recorder.composer.compose import compose
from meet.recorder.composer.result import Result
from meet.recorder.journal.records import (
    Absence,
    ClockReport,
    Frame,
    LayoutChange,
    Pause,
    Record,
    Resume,
    Session,
    Stop,
    Tick,
    TimeBase,
)
from meet.recorder.journal.records import Track as Joined
from meet.recorder.journal.summary import Summary, summarize
from meet.recorder.journal.writer import JournalWriter
from meet.recorder.subscriber.recording import ABSENT_US, JournalSink, SteadyClock
from meet.recorder.tracks.export import export
from meet.recorder.tracks.extract import extract
from tests.unit.recorder import synthetic
from tests.unit.recorder.composer.test_compose import SMALL, person
from tests.unit.recorder.synthetic import ZERO, meeting

S = 1_000_000
HOUR = 3600 * S


class Times:
    """The two clocks of a machine, µs."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.wall, self.monotonic = ZERO, 5 * HOUR
        monkeypatch.setattr(time, "time_ns", lambda: self.wall * 1000)
        monkeypatch.setattr(time, "monotonic_ns", lambda: self.monotonic * 1000)

    def pass_by(self, us: int) -> None:
        self.wall += us
        self.monotonic += us


@pytest.fixture
def times(monkeypatch: pytest.MonkeyPatch) -> Times:
    return Times(monkeypatch)


def past(clock: SteadyClock, boot: str = "a") -> Summary:
    return Summary(begin_at=ZERO, last_at=clock.now(), boot=boot, offset_us=clock.offset_us)


@pytest.mark.parametrize("step", [HOUR, -HOUR])
def test_setting_the_wall_clock_means_nothing(times: Times, step: int) -> None:
    dead = past(SteadyClock())
    times.pass_by(2 * S)
    times.wall += step
    assert SteadyClock.behind(dead, "a").now() == dead.last_at + 2 * S


def test_after_another_boot_only_the_wall_clock_is_there(times: Times) -> None:
    dead = past(SteadyClock())
    times.wall, times.monotonic = times.wall + 30 * S, 7 * S
    assert SteadyClock.behind(dead, "b").now() == dead.last_at + 30 * S
    times.wall -= HOUR
    assert SteadyClock.behind(dead, "b").now() == dead.last_at, "not back, either"
    assert SteadyClock.behind(replace(dead, boot=""), "").now() == dead.last_at, "of a system that has no boot ids"


def go_on(path: Path, dead: Summary, boot: str, then: Callable[[JournalSink], None]) -> list[Record]:
    """What another process writes."""
    written = JournalWriter(path, lambda: None, lambda error: None, dead)
    sink = JournalSink(written, SteadyClock.behind(dead, boot), "EG_x", dead, boot)
    then(sink)
    written.close()
    return synthetic.read(path)


@pytest.mark.parametrize(
    ("away", "boot", "cut"),
    [(ABSENT_US - S, "a", False), (ABSENT_US + S, "a", True), (10 * HOUR, "", True), (20 * S, "b", True)],
)
def test_a_long_absence_is_cut_out(tmp_path: Path, times: Times, away: int, boot: str, cut: bool) -> None:
    dead = past(SteadyClock())
    times.pass_by(away)

    def joining(sink: JournalSink) -> None:
        assert sink.recorded_us == dead.last_at - ZERO + (0 if cut else away)
        sink.layout("speaker")
        times.pass_by(S)
        sink.tick()
        sink.joined(1)
        sink.joined(1)
        assert not sink.paused
        times.pass_by(S)
        assert sink.recorded_us == dead.last_at - ZERO + (S if cut else away + 2 * S)

    written = [r for r in go_on(tmp_path, dead, boot, joining) if not isinstance(r, Session | TimeBase)]
    now = dead.last_at + away + S
    if cut:
        cuts: list[Record] = [Pause(dead.last_at), Resume(now), Absence(now, away + S)]
        assert written == [LayoutChange(dead.last_at, "speaker"), *cuts]
    else:
        assert written == [LayoutChange(now - S, "speaker"), Tick(now)]


def test_what_never_comes_back_ends_where_it_was(tmp_path: Path, times: Times) -> None:
    """Nor does a second process that finds nothing move the end."""
    dead = past(SteadyClock())
    times.pass_by(HOUR)
    go_on(tmp_path, dead, "a", lambda sink: None)
    again = summarize(tmp_path)
    assert again.paused_at == 0 and again.last_at == 0 and (again.boot, again.offset_us) == ("a", dead.offset_us)
    written = go_on(tmp_path, dead, "a", lambda sink: sink.stop(dead.last_at, "meeting ended"))
    assert not any(isinstance(r, Pause | Absence) for r in written) and written[-1].at == dead.last_at


def test_who_pauses_before_it_is_back_pauses_where_it_was(tmp_path: Path, times: Times) -> None:
    dead = past(SteadyClock())
    times.pass_by(HOUR)

    def pausing(sink: JournalSink) -> None:
        sink.pause()
        sink.joined(1)
        assert sink.paused

    written = go_on(tmp_path / "a", dead, "a", pausing)
    assert [r for r in written if isinstance(r, Pause | Resume | Absence)] == [Pause(dead.last_at)]
    paused = replace(dead, paused_at=dead.last_at)
    written = go_on(tmp_path / "b", paused, "a", lambda sink: sink.joined(1))
    assert not any(isinstance(r, Pause | Resume | Absence) for r in written), "it was paused before, too"


@pytest.fixture(scope="module")
def away() -> list[Record]:
    """A meeting whose recorder dies after two seconds; one that comes ten hours later finds the same people."""
    whole = meeting(person("ada", 5), 4.0)
    died = ZERO + 2 * S
    first = [r for r in whole if r.at <= died]
    back = [r for r in whole if r.at > died and not isinstance(r, Stop)]
    tracks = [r for r in whole if isinstance(r, Joined)]
    begun = died + 10 * HOUR
    again: list[Record] = [Session(begun, "EG_x"), TimeBase(died, "b", 7)]
    again += [Pause(first[-1].at), Resume(begun), Absence(begun, begun - first[-1].at)]
    again += [replace(track, at=begun, track=track.track + 10) for track in tracks]
    shown = {track.track for track in tracks if track.media == "video"}
    awaiting = set(shown)
    for record in back:
        if isinstance(record, Frame) and record.track in awaiting and not record.key:
            continue
        awaiting -= {record.track} if isinstance(record, Frame) else set()
        later = replace(record, at=record.at + 10 * HOUR)
        again.append(replace(later, track=later.track + 10) if isinstance(later, Frame | ClockReport) else later)
    return [*first, *again, Stop(ZERO + 4 * S + 10 * HOUR, "x")]


def test_the_file_has_no_hours_of_nothing(tmp_path: Path, away: list[Record]) -> None:
    result = compose(away, tmp_path / "out.mp4", SMALL, "grid")
    assert result.duration_s == pytest.approx(4.0, abs=0.1) and result.frames <= 125
    assert (result.pauses, result.paused_s, result.absences) == (0, 0.0, 1)
    assert result.absent_s == pytest.approx(36_000, abs=1)


def test_tracks_are_cut_in_the_same_place_and_say_why(tmp_path: Path, away: list[Record]) -> None:
    manifest = export(away, tmp_path)
    assert manifest["duration_s"] == pytest.approx(4.0, abs=0.1)
    assert [(cut["at_s"], cut["absent"]) for cut in manifest["cuts"]] == [(pytest.approx(2.0, abs=0.1), True)]
    made: Result = extract(away, tmp_path / "one", frozenset({"TR_1"}))
    assert (made.pauses, made.absences) == (0, 1) and made.duration_s < 5
