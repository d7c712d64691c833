"""Time that is no part of the file: journals with pauses, composed, continued after a crash, exported."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import av
import numpy as np
import numpy.typing as npt
import pytest

from meet.recorder.composer.compose import compose
from meet.recorder.journal import records as journal
from meet.recorder.journal.context import Known
from meet.recorder.journal.records import Begin, Frame, Pause, Record, Resume, Session, Stop, Tick, Track
from meet.recorder.journal.summary import Summary, summarize
from meet.recorder.journal.writer import JournalWriter
from meet.recorder.pieces import Pieces, boot_id
from meet.recorder.subscriber.depacketize import EncodedFrame
from meet.recorder.subscriber.recording import JournalSink, SteadyClock
from meet.recorder.tracks.export import export
from meet.recorder.tracks.extract import extract
from tests.support import media
from tests.unit.recorder import synthetic
from tests.unit.recorder.composer.test_compose import SMALL, person
from tests.unit.recorder.synthetic import ZERO, meeting


def at(seconds: float) -> int:
    return ZERO + round(seconds * 1e6)


def paused(records: list[Record], *pauses: tuple[float, float]) -> list[Record]:
    """What a sink would have written of them: no media, and then from key frames on."""
    kept: list[Record] = []
    videos = {r.track for r in records if isinstance(r, Track) and r.media == "video"}
    awaiting: set[int] = set()
    marks = sorted([Pause(at(a)) for a, _ in pauses] + [Resume(at(b)) for _, b in pauses], key=lambda r: r.at)
    pausing = False
    for record in records:
        while marks and marks[0].at <= record.at:
            pausing = isinstance(marks[0], Pause)
            awaiting = videos.copy()
            kept.append(marks.pop(0))
        if pausing and isinstance(record, Frame | journal.ClockReport | Tick):
            continue
        if isinstance(record, Frame) and record.track in awaiting:
            if not record.key:
                continue
            awaiting.discard(record.track)
        kept.append(record)
    return kept


@pytest.fixture(scope="module")
def records() -> list[Record]:
    """Paused twice; flashes and beeps are at full seconds of the meeting."""
    return paused(meeting(person("ada", 9, transit=0.03, jitter=0.02), 8.5), (1.5, 2.8), (5.0, 6.5))


def test_the_file_has_no_paused_time(tmp_path: Path, records: list[Record]) -> None:
    result = compose(records, tmp_path / "out.mp4", SMALL, "grid")
    assert (result.duration_s, result.frames) == (5.7, 171)
    assert (result.pauses, result.paused_s) == (2, 2.8)
    decoded = media.decode(tmp_path / "out.mp4")
    assert {round(step * 30) for step in np.diff(decoded.frame_times)} == {1}
    assert abs(decoded.audio_s - 5.7) < 0.05
    # 2.8 to 5.0 lies at 1.5 to 3.7, and all from 6.5 on behind that: so 3 and 4, then 7 and 8.
    expected = [1.0, 1.7, 2.7, 4.2, 5.2]
    assert [t for t in media.beeps(decoded) if t > 0.5] == pytest.approx(expected, abs=0.07)
    assert [round(t, 1) for t in media.flashes(decoded) if t > 0.5] == pytest.approx(expected, abs=0.11)
    offsets = media.av_offsets(decoded)
    assert abs(median(offsets)) <= 0.04 and max(map(abs, offsets)) <= 0.12, offsets


def test_stopped_while_paused_ends_at_the_pause(tmp_path: Path) -> None:
    records = paused(meeting(person("ada", 4), 3.8), (2.0, 99.0))
    result = compose([r for r in records if r.at < at(99)], tmp_path / "out.mp4", SMALL, "grid")
    assert (result.duration_s, result.pauses, result.paused_s) == (2.0, 1, 1.8)
    assert len(media.decode(tmp_path / "out.mp4").frame_times) == 60
    manifest = export(records, tmp_path)
    assert (manifest["duration_s"], manifest["cuts"]) == (2.0, [{"at_s": 2.0, "paused_s": 1.8}])
    sound = next(r.sid for r in records if isinstance(r, Track) and r.media == "audio")
    track = extract(records, tmp_path / "one", frozenset({sound}))
    assert (track.pauses, track.paused_s) == (1, 1.8)


@pytest.mark.parametrize(
    ("ending", "paused_s"),
    [
        ([Stop(at(5), "x")], 3.0),
        ([Pause(at(3)), Pause(at(4))], 2.0),  # nobody came back after a crash: as long as the journal knows
        ([Pause(at(3)), Session(at(4), "EG_test"), Stop(at(4.5), "x", True)], 2.5),
        ([], 0.0),
        ([Stop(at(2), "x")], 0.0),
    ],
)
def test_a_pause_that_lasts_to_the_end_counts(tmp_path: Path, ending: list[Record], paused_s: float) -> None:
    began: list[Record] = [Session(ZERO, "EG_test"), Begin(at(0)), Pause(at(1)), Resume(at(1.5)), Pause(at(2))]
    result = compose([*began, *ending], tmp_path / "out.mp4", SMALL, "grid")
    assert (result.duration_s, result.pauses, result.paused_s) == (1.5, 1 + bool(paused_s), 0.5 + paused_s)
    manifest = export([*began, *ending], tmp_path)
    assert manifest["duration_s"] == 1.5
    assert [cut["paused_s"] for cut in manifest["cuts"]] == ([0.5, paused_s] if paused_s else [0.5])


def test_paused_before_the_first_picture(tmp_path: Path) -> None:
    marks: list[Record] = [Pause(at(0.1)), Begin(at(0.7)), Resume(at(3)), Tick(at(4)), Stop(at(4), "x")]
    records = [Session(ZERO, "EG_test"), *marks]
    assert compose(records, tmp_path / "out.mp4", SMALL, "grid").duration_s == 1.0


def test_a_crash_while_paused(tmp_path: Path, records: list[Record]) -> None:
    """Another process takes over in the second pause; its piece begins before the first."""
    whole = compose(records, tmp_path / "whole.mp4", SMALL, "grid")
    spool = tmp_path / "spool"
    spool.mkdir()
    first = [r for r in records if r.at < at(5.6)]
    again = [Session(at(5.6), "EG_test"), *(r for r in records if r.at >= at(5.6))]

    def until_killed() -> Iterator[Record]:
        yield from first
        shutil.copy(tmp_path / "dying.mp4", spool / "composite.mp4")

    compose(until_killed(), tmp_path / "dying.mp4", SMALL, "grid")
    (spool / "composite.boot").write_text(boot_id())
    pieces = Pieces(spool, SMALL)
    seam = pieces.seal()
    assert 30 <= seam.ticks < 111
    result = compose([*first, *again], pieces.writing(), SMALL, "grid", seam=seam)
    pieces.finish(result)
    assert result == whole
    one, other = media.decode(tmp_path / "whole.mp4"), media.decode(spool / "composite.mp4")
    assert one.luma.shape == other.luma.shape
    assert np.abs(one.luma.astype(int) - other.luma.astype(int)).mean(axis=(1, 2)).max() < 2
    assert media.beeps(one) == pytest.approx(media.beeps(other), abs=0.003)


def test_tracks_have_the_same_cuts(tmp_path: Path, records: list[Record]) -> None:
    manifest = export(records, tmp_path)
    assert manifest["cuts"] == [{"at_s": 1.5, "paused_s": 1.3}, {"at_s": 3.7, "paused_s": 1.5}]
    assert manifest["duration_s"] == 5.7
    for track in manifest["tracks"]:
        assert track["offset_s"] + track["duration_s"] == pytest.approx(5.7, abs=0.3)
    sound = next(track for track in manifest["tracks"] if track["kind"] == "audio")
    times = packet_times(tmp_path / sound["file"])
    assert np.diff(times).max() < 0.2, "no hole where the pause was"
    assert times[-1] == pytest.approx(sound["duration_s"], abs=0.05)


def packet_times(path: Path) -> npt.NDArray[np.float64]:
    with av.open(str(path)) as container:
        packets = container.demux(container.streams.audio[0])
        return np.array([float(p.pts * p.time_base) for p in packets if p.pts is not None and p.time_base])


def test_a_sink_keeps_the_media_out(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path / "journal", lambda: None, lambda error: None)
    sink = JournalSink(writer, SteadyClock(), "EG_test", Summary())
    start = {"clock_rate": 90_000, "identity": "ada", "name": "Ada", "muted": False}
    video = sink.track_started(sid="TR_V", media="video", codec="vp8", source="camera", **start)  # type: ignore[arg-type]
    audio = sink.track_started(sid="TR_A", media="audio", codec="opus", source="microphone", **start)  # type: ignore[arg-type]
    key, delta = EncodedFrame(b"key", True), EncodedFrame(b"delta", False)

    def send(payload: EncodedFrame, number: int = video) -> None:
        sink.frame(number, 1, payload, False, 0.0)

    send(key)
    sink.pause()
    sink.pause()
    assert sink.paused
    stood = sink.recorded_us
    for frame in (key, delta):
        send(frame)
    send(key, audio)
    sink.tick()
    sink.sender_report(video, 1, 1)
    sink.people({"bob": "Bob"})
    assert sink.recorded_us == stood
    sink.resume()
    sink.resume()
    send(delta)
    send(key, audio)
    send(key)
    send(delta)
    writer.close()
    written = synthetic.read(tmp_path / "journal")
    kinds = [type(r).__name__ + (r.payload.decode() if isinstance(r, Frame) else "") for r in written]
    assert kinds == [
        *("Session", "Track", "Track", "Begin", "Framekey"),
        *("Pause", "Person", "Resume"),
        *("Framekey", "Framekey", "Framedelta"),
    ]
    past = summarize(tmp_path / "journal")
    assert past.paused_at == 0 and past.paused_us == written[7].at - written[5].at
    open_ended = Summary(begin_at=ZERO)
    open_ended.take(Pause(at(3)))
    following = JournalSink(writer, SteadyClock(), "EG_test", open_ended)
    assert following.paused and following.recorded_us == 3_000_000, "a process that comes while it is paused"


def test_a_pause_said_again_is_no_news() -> None:
    known = Known()
    assert known.take(Pause(5)) and not known.take(Pause(6)), "or everything else would be told again with it"
    assert known.paused_at == 5


def test_older_readers_pass_over_what_they_do_not_know() -> None:
    for record in (Pause(5), Resume(6)):
        body = journal.encode(record)[journal.HEAD.size :]
        assert journal.decode(body) == record
        assert journal.decode(bytes([200]) + body[1:]) is None


def test_a_pause_before_time_zero_is_no_part_of_anything(tmp_path: Path) -> None:
    marks: list[Record] = [Pause(at(-5)), Resume(at(-1)), Begin(at(0)), Pause(at(2)), Resume(at(3)), Stop(at(4), "x")]
    past = Summary()
    for mark in marks:
        past.take(mark)
    assert (past.paused_us, past.paused_at) == (1_000_000, 0)
    manifest = export(marks, tmp_path)
    assert manifest["duration_s"] == 3.0 and manifest["cuts"] == [{"at_s": 2.0, "paused_s": 1.0}]
    assert compose(marks, tmp_path / "out.mp4", SMALL, "grid").paused_s == 1.0


def test_a_sink_counts_from_time_zero_on(tmp_path: Path) -> None:
    class Clock(SteadyClock):
        def now(self) -> int:
            return now

    now = at(0)
    writer = JournalWriter(tmp_path / "journal", lambda: None, lambda error: None)
    sink = JournalSink(writer, Clock(), "EG_test", Summary())
    sink.pause()
    now = at(5)
    sink.resume()
    sink.begin()
    now = at(7)
    assert sink.recorded_us == 2_000_000
    sink.pause()
    for _ in range(10):
        now += 300_000
        sink.tick()
    assert sink.recorded_us == 2_000_000
    writer.close()
    past = summarize(tmp_path / "journal")
    assert (past.paused_at, past.ended_paused_us(past.last_at)) == (at(7), 2_400_000), "known to a second after a crash"
