"""What the journal gets when little, or very much, happens."""

from __future__ import annotations

from pathlib import Path

from meet.recorder.journal.records import MAX_TRACK, Frame, Mute, Record, Session, Tick
from meet.recorder.journal.summary import Summary
from meet.recorder.journal.writer import JournalWriter
from meet.recorder.subscriber.depacketize import EncodedFrame
from meet.recorder.subscriber.recording import JournalSink, SteadyClock
from tests.unit.recorder import synthetic

START = 1_790_000_000_000_000


class Clock(SteadyClock):
    """Stands still until the test moves it."""

    time = START

    def now(self) -> int:
        return self.time


def opened(path: Path, clock: Clock, past: Summary) -> tuple[JournalSink, JournalWriter]:
    writer = JournalWriter(path, lambda: None, lambda error: None)
    return JournalSink(writer, clock, "EG_test", past), writer


def test_time_is_told_only_while_nothing_else_tells_it(tmp_path: Path) -> None:
    clock = Clock()
    sink, writer = opened(tmp_path / "journal", clock, Summary())
    sink.tick()
    clock.time += 150_000
    sink.tick()
    clock.time += 50_000
    sink.track_muted(1, True)
    clock.time += 50_000
    sink.tick()
    clock.time += 50_000
    sink.tick()
    writer.close()
    written: list[Record] = synthetic.read(tmp_path / "journal")
    assert written == [
        Session(START, "EG_test"),
        Tick(START + 150_000),
        Mute(START + 200_000, 1, True),
        Tick(START + 300_000),
    ]


def test_track_numbers_begin_anew_past_the_last_and_skip_those_in_use(tmp_path: Path) -> None:
    sink, writer = opened(tmp_path / "journal", Clock(), Summary(next_track=MAX_TRACK))

    def start(sid: str) -> int:
        about = {"codec": "opus", "identity": "ada", "name": "Ada", "source": "microphone"}
        return sink.track_started(sid=sid, media="audio", clock_rate=48_000, muted=False, **about)

    assert [start("a"), start("b"), start("c")] == [MAX_TRACK, 1, 2]
    sink.track_ended(MAX_TRACK)
    sink._next_track = MAX_TRACK + 1
    assert start("d") == 3
    writer.close()


def test_sound_with_the_number_of_an_earlier_picture_begins_nothing(tmp_path: Path) -> None:
    clock = Clock()
    sink, writer = opened(tmp_path / "journal", clock, Summary())

    def start(media: str, codec: str, source: str) -> int:
        about = {"sid": f"TR_{media}", "identity": "ada", "name": "Ada", "media": media, "codec": codec}
        return sink.track_started(clock_rate=90_000, muted=False, source=source, **about)

    picture = start("video", "vp8", "camera")
    sink.pause()
    sink.resume()
    sink.track_ended(picture)
    sink._next_track = picture  # after 65 535 others
    sound = start("audio", "opus", "microphone")
    sink.frame(sound, 960, EncodedFrame(b"spoken", True), gap=False, arrival=0.0)
    writer.close()
    assert sound == picture
    assert not sink.begun_at
    assert [r.payload for r in synthetic.read(tmp_path / "journal") if isinstance(r, Frame)] == [b"spoken"]
