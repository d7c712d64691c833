"""What follows from deaths, and what is left of a journal."""

from __future__ import annotations

import itertools
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from meet.config import Settings
from meet.recorder.composer.profile import Profile
from meet.recorder.composing import Composing
from meet.recorder.finish import DamagedComposite
from meet.recorder.finishing import Finishing
from meet.recorder.journal.records import ClockReport, Frame, Mute, Record, Session, Tick, Track, TrackEnd
from meet.recorder.quarantine.admit import admitted
from meet.recorder.quarantine.ledger import Ledger
from meet.recorder.quarantine.note import Left, Note, forgive, place
from meet.recorder.quarantine.watch import Quarantine
from meet.recorder.standing import Standing
from meet.recorder.state import EgressState

lives = itertools.count(1)


def left(track: int = 0, rtp: int = 0, *, at: int = 1, inside: bool = False, live: bool = False) -> Left:
    return Left(next(lives), live, at, track, rtp, inside)


def after(*deaths: Left) -> Ledger:
    ledger = Ledger()
    for death in deaths:
        ledger.count(death)
    return ledger


def test_one_death_may_be_chance_and_two_are_not() -> None:
    assert after(left(1, 5, inside=True)).refused == []
    assert after(left(1, 5, inside=True), left(1, 6, inside=True)).refused == []
    assert after(*(left(1, 5, inside=True) for _ in range(2))).refused == [(1, 5)]
    assert after(*(left(1, 5, inside=True) for _ in range(3))).refused == [(1, 5)]
    assert after(*(left(1, 5) for _ in range(2))).refused == []
    assert after(*(left(1, 5) for _ in range(3))).refused == [(1, 5)], "it may have damaged what was used behind it"


def test_a_death_is_counted_once() -> None:
    death = left(1, 5, inside=True)
    ledger = after(death, death)
    assert len(ledger.deaths) == 1 and ledger.refused == []


def test_a_composer_that_keeps_dying_lets_the_meeting_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not after(*(left(live=True) for _ in range(4))).journal_only
    ledger = after(*(left(live=True) for _ in range(5)))
    assert ledger.journal_only
    ledger.count(left())
    assert ledger.journal_only, "until the end"
    assert not after(*(left(at=k) for k in range(9))).journal_only, "there is no meeting to be let alone"
    now = itertools.count(0, 4 * 60 * 10**9)
    monkeypatch.setattr(time, "time_ns", lambda: next(now))
    assert not after(*(left(live=True) for _ in range(9))).journal_only, "not so often"


def test_who_gets_no_farther_is_given_time_and_then_up() -> None:
    ledger = after(left(at=5))
    pauses, afresh = [], []
    while not ledger.hopeless:
        ledger.count(left(at=5))
        pauses.append(ledger.pause_s)
        afresh.append(ledger.afresh)
    assert pauses == [0, 0, 2, 4, 8, 16, 32, 60, 60, 60, 60]
    assert sum(afresh) == 1
    for _ in range(11):
        ledger.count(left(at=6))
    assert not ledger.hopeless, "farther than before"
    for _ in range(2):
        ledger.count(left(1, 5, at=6, inside=True))
    assert ledger.barren == 0, "a decoder was to blame, and will not be any more"


def test_it_is_kept_beside_the_journal(tmp_path: Path) -> None:
    assert Ledger.read(tmp_path) == Ledger()
    ledger = after(*(left(1, -5, inside=True, live=True) for _ in range(80)))
    ledger.write(tmp_path)
    assert Ledger.read(tmp_path) == ledger
    assert len(ledger.deaths) == 64 and ledger.journal_only
    (tmp_path / "quarantine.json").write_text('{"refused": 5}')
    assert Ledger.read(tmp_path) == Ledger()


def test_a_process_knows_what_the_last_one_died_of(tmp_path: Path) -> None:
    spool = tmp_path / "EG_x"
    (spool / "journal").mkdir(parents=True)
    for _ in range(2):
        quarantine = Quarantine(spool)
        assert quarantine.ledger.refused == []
        note = quarantine.take_over()
        note.begin(live=True)
        note.enter(1, 9)
    quarantine = Quarantine(spool)
    assert quarantine.ledger.refused == [(1, 9)]
    assert Quarantine(spool).ledger.refused == [(1, 9)], "whoever has not taken over leaves everything as it was"
    assert quarantine.take_over() is quarantine.take_over()
    assert quarantine.ledger == Ledger.read(spool / "journal")
    assert quarantine.facts() == {"frames_quarantined": 1, "tracks_given_up": 0}
    assert "decoder: 1" in (quarantine.words() or "")
    assert len(Quarantine(spool).ledger.deaths) == 2, "and who was idle has died of nothing"
    quarantine.close()
    assert not place(spool).exists()


def test_who_was_killed_on_purpose_has_died_of_nothing(tmp_path: Path) -> None:
    spool = tmp_path / "EG_x"
    (spool / "journal").mkdir(parents=True)
    note = Quarantine(spool).take_over()
    note.begin(live=True)
    note.enter(1, 9)
    forgive(spool)
    assert Quarantine(spool).ledger.deaths == []
    forgive(tmp_path / "nowhere" / "EG_y")


def test_what_no_decoder_died_of_is_not_said_to_be_one(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path)
    quarantine.ledger = after(*(left(1, 5) for _ in range(3)))
    assert quarantine.words() == "frames left out because composing fails: 1"
    for _ in range(2):
        quarantine.ledger.count(left(1, 6, inside=True))
    assert quarantine.words() == (
        "frames left out because they crash or hang their decoder: 1; frames left out because composing fails: 1"
    )
    quarantine.ledger.write(tmp_path)
    assert Ledger.read(tmp_path).behind == 1


async def test_an_error_while_drawing_is_no_decoders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = tmp_path / "EG_x"
    (spool / "journal").mkdir(parents=True)
    (spool / "request.json").write_text("{}")

    def compose(*_: object, note: Note, **__: object) -> None:
        note.enter(1, 9)
        raise ZeroDivisionError

    monkeypatch.setattr("meet.recorder.composing.compose", compose)
    for _ in range(3):
        composing = Composing(spool, Profile.of("H264_720P_30"), on_ready=print, on_tiles=print)
        assert composing.quarantine.words() is None
        with pytest.raises(ZeroDivisionError):
            await composing.finished()
    composing = Composing(spool, Profile.of("H264_720P_30"), on_ready=print, on_tiles=print)
    assert composing.quarantine.words() == "frames left out because composing fails: 1"
    composing.quarantine.close()


def test_waiting_to_make_a_damaged_file_anew_is_no_composing(tmp_path: Path) -> None:
    """Whoever is killed meanwhile has not died of it."""
    spool = tmp_path / "EG_x"
    (spool / "journal").mkdir(parents=True)
    (spool / "composite.mp4").write_bytes(b"not an MP4")
    profile = Profile.of("H264_720P_30")
    standing = Standing(spool / "state.json", EgressState("EG_x", "a", "ending", "grid", "", "a.mp4"), print, print)
    composing: Any = SimpleNamespace(quarantine=Quarantine(spool), path=spool / "composite.mp4")
    composing.quarantine.take_over()
    with pytest.raises(DamagedComposite):
        Finishing(Settings.load(data_dir=tmp_path), spool, profile, standing, composing)._inspect()
    assert Quarantine(spool).ledger.deaths == []
    composing.quarantine.close()


def track(number: int, sid: str = "TR_1") -> Track:
    return Track(0, number, sid, "video", "VP8", 90_000, "ada", "Ada", "camera", False)


def frame(number: int, rtp: int) -> Frame:
    return Frame(rtp, number, rtp, rtp % 4 == 0, False, b"x")


def test_what_is_refused_is_lost_and_the_next_frame_says_so() -> None:
    records: list[Record] = [track(1), track(2), *(frame(k % 2 + 1, k) for k in range(8))]
    assert admitted(records, ()) is records
    kept = list(admitted(records, [(1, 2)]))
    expected = [record for record in records if record != frame(1, 2)]
    expected[expected.index(frame(1, 4))] = Frame(4, 1, 4, True, True, b"x")
    assert kept == expected


def test_a_track_that_has_had_too_much_is_over_under_every_number() -> None:
    told: list[tuple[str, str]] = []
    voice = Track(0, 9, "TR_9", "audio", "opus", 48_000, "ada", "Ada", "microphone", False)
    records: list[Record] = [
        *(voice, track(1), frame(1, 1), frame(1, 2), frame(1, 3), frame(1, 4), Session(5, "EG_x"), track(2)),
        *(frame(2, 6), frame(2, 7), Tick(8), ClockReport(9, 2, 1, 1), Mute(10, 2, True), frame(9, 11)),
        *(track(3, "TR_2"), frame(3, 12), TrackEnd(13, 2), TrackEnd(14, 9)),
    ]
    refused = [(1, 2), (1, 3), (2, 7)]
    kept = list(admitted(records, refused, lambda *place: told.append(place)))
    assert told == [("ada", "camera")]
    assert kept == [
        *(voice, track(1), frame(1, 1), Frame(4, 1, 4, True, True, b"x"), Session(5, "EG_x"), track(2), frame(2, 6)),
        *(TrackEnd(7, 1), TrackEnd(7, 2), Tick(8), frame(9, 11), TrackEnd(14, 9)),
    ]
