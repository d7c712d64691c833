"""One track as the whole recording, whatever happened to its connection."""

from __future__ import annotations

import itertools
from pathlib import Path

import av
import pytest

from meet.recorder import finish
from meet.recorder.journal.records import Pause, Record, Resume
from meet.recorder.tracks.extract import NothingReceived, extract
from meet.recorder.tracks.file import UnknownCodec
from tests.unit.recorder import synthetic
from tests.unit.recorder.synthetic import ZERO, Source, meeting


def picture(codec: str = "VP8", **options: object) -> Source:
    return Source(synthetic.video(codec, 4), codec=codec, identity="ada", **options)  # type: ignore[arg-type]


def sound() -> Source:
    return Source(synthetic.sound(4), media="audio", codec="opus", identity="ada")


def times(path: Path) -> list[float]:
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(container.streams[0]) if packet.size]
        return [float(packet.pts * packet.time_base) for packet in packets if packet.pts is not None]


@pytest.mark.parametrize(
    ("source", "number", "ending", "codec"),
    [(picture(), 1, "webm", "vp8"), (picture("H264"), 1, "mp4", "h264"), (sound(), 1, "ogg", "opus")],
    ids=["vp8", "h264", "opus"],
)
def test_each_codec_goes_into_its_own_container(
    tmp_path: Path, source: Source, number: int, ending: str, codec: str
) -> None:
    result = extract(meeting([source], 3.8), tmp_path / "track", frozenset({f"TR_{number}"}))
    [path] = tmp_path.iterdir()
    assert path.name == f"track.{ending}"
    with av.open(str(path)) as container:
        assert container.streams[0].codec_context.name == codec
        assert sum(1 for _ in container.decode(container.streams[0])) == result.frames
    facts = finish.inspect(path)
    assert abs(facts.duration_s - result.duration_s) < 0.1 and abs(result.duration_s - 3.97) < 0.05
    assert (result.ended_reason, result.limit) == ("stop_requested", False)


def test_other_tracks_are_left_out(tmp_path: Path) -> None:
    result = extract(meeting([picture(), sound()], 2.0), tmp_path / "track", frozenset({"TR_2"}))
    assert [path.name for path in tmp_path.iterdir()] == ["track.ogg"]
    assert result.frames == len(times(tmp_path / "track.ogg"))


def test_a_pause_takes_no_time_in_the_file(tmp_path: Path) -> None:
    pause: list[Record] = [Pause(ZERO + 1_000_000), Resume(ZERO + 2_500_000)]
    records = [
        record
        for record in meeting([picture()], 3.8, pause)
        if not ZERO + 1_000_000 < record.at < ZERO + 2_500_000 or isinstance(record, Pause | Resume)
    ]
    result = extract(records, tmp_path / "track", frozenset({"TR_1"}))
    assert (result.pauses, result.paused_s) == (1, 1.5)
    at = times(tmp_path / "track.webm")
    assert all(b > a for a, b in itertools.pairwise(at))
    assert 1.7 < at[-1] < 2.6
    assert max(b - a for a, b in itertools.pairwise(at)) < 0.7, "it went on with the next key frame"


def test_nothing_received(tmp_path: Path) -> None:
    with pytest.raises(NothingReceived):
        extract(meeting([picture()], 1.0), tmp_path / "track", frozenset({"TR_9"}))


def test_an_unknown_codec_is_told(tmp_path: Path) -> None:
    strange = Source(synthetic.video("VP8", 1), codec="h266")
    with pytest.raises(UnknownCodec):
        extract(meeting([strange], 0.9), tmp_path / "track", frozenset({"TR_1"}))
