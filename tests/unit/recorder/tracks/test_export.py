"""Tracks out of a journal as they were received, on one timeline."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import av
import pytest

from meet.recorder.journal.records import Mute, Person, Record, Track
from meet.recorder.tracks.export import export
from tests.unit.recorder import synthetic
from tests.unit.recorder.synthetic import ZERO, Source, meeting


def sources() -> list[Source]:
    return [
        Source(synthetic.video("VP8", 4), identity="ada"),
        Source(synthetic.sound(4), media="audio", codec="opus", identity="ada"),
        Source(synthetic.video("H264", 2), codec="H264", identity="bob/../x", joins=1.5, transit=0.2, ntp_skew_s=900),
        Source(synthetic.sound(2), media="audio", codec="opus", identity="bob/../x", joins=1.5, ntp_skew_s=900),
    ]


def test_every_track_becomes_a_file_without_transcoding(tmp_path: Path) -> None:
    extra: list[Record] = [Mute(ZERO + 2_000_000, 2, True), Person(ZERO, "ada", "Ada Lovelace")]
    manifest = export(meeting(sources(), 3.8, extra), tmp_path)
    assert json.loads((tmp_path / "manifest.json").read_text()) == manifest
    assert manifest["duration_s"] == 3.8
    assert {"identity": "ada", "name": "Ada Lovelace"} in manifest["participants"]
    tracks = manifest["tracks"]
    assert [track["file"] for track in tracks] == [
        "001-ada-camera.webm",
        "002-ada-microphone.webm",
        "003-bob_.._x-camera.mp4",
        "004-bob_.._x-microphone.webm",
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*(t["file"] for t in tracks), "manifest.json"])
    assert [track["codec"] for track in tracks] == ["vp8", "opus", "h264", "opus"]
    assert tracks[1]["mutes"] == [{"at_s": 2.0, "muted": True}]
    ada, _, bob, bob_sound = tracks
    assert abs(ada["offset_s"] - 0.02) < 0.01
    assert abs(bob["offset_s"] - bob_sound["offset_s"]) < 0.2, "before the first report: by arrival"
    for track, coded in zip(tracks, [s.coded for s in sources()], strict=True):
        with av.open(str(tmp_path / track["file"])) as container:
            stream = container.streams[0]
            packets = [packet for packet in container.demux(stream) if packet.size]
            assert len(packets) == track["frames"]
            assert stream.codec_context.name == track["codec"]
            if track["kind"] == "video":  # a nominal rate far from it stops players
                assert stream.average_rate is not None and 20 < stream.average_rate < 40
            if track["codec"] != "h264":  # there, start codes become lengths
                assert [bytes(packet) for packet in packets] == [c.payload for c in coded][: len(packets)]
            assert [packet.is_keyframe for packet in packets] == [c.key for c in coded][: len(packets)]
            times = [float(packet.pts * packet.time_base) for packet in packets if packet.pts is not None]
            assert all(b > a for a, b in itertools.pairwise(times))
            assert abs(times[-1] - track["duration_s"]) < 0.03
        with av.open(str(tmp_path / track["file"])) as container:
            decoded = sum(1 for _ in container.decode(container.streams[0]))
            assert decoded == track["frames"]


def test_a_track_begins_where_it_can_be_decoded_and_tells_its_gaps(tmp_path: Path) -> None:
    source = Source(synthetic.video("VP8", 4), drop=frozenset({0, 70}))
    manifest = export(meeting([source], 3.8), tmp_path)
    (track,) = manifest["tracks"]
    assert abs(track["offset_s"] - 1.02) < 0.01 and track["gaps"] == 2
    with av.open(str(tmp_path / track["file"])) as container:
        assert next(packet for packet in container.demux(video=0)).is_keyframe


def test_a_track_without_a_frame_has_no_file(tmp_path: Path) -> None:
    silent = Track(ZERO, 1, "TR_1", "video", "vp8", 90_000, "ada", "Ada", "camera", True)
    strange = Track(ZERO, 2, "TR_2", "video", "h266", 90_000, "ada", "Ada", "camera", True)
    assert export([*meeting([], 1.0, [silent, strange])], tmp_path)["tracks"] == []
    assert [path.name for path in tmp_path.iterdir()] == ["manifest.json"]


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    with pytest.raises(OSError):
        export(meeting(sources(), 1.0), tmp_path / "missing")
