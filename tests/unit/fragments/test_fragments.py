"""The fragments of a file that the recorder has written, as players see them."""

from __future__ import annotations

import io
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import av
import pytest

from meet.fragments.boxes import Malformed, box, find, inside
from meet.fragments.index import FragmentIndex
from meet.fragments.playlist import playlist
from meet.fragments.runs import NotFragmented
from meet.fragments.stream import MOST, header, length

from .movie import FPS, make

SECONDS = 11


@pytest.fixture(scope="module")
def movie(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("movie") / "a.mp4", SECONDS)


@pytest.fixture(scope="module")
def index(movie: Path) -> FragmentIndex:
    return FragmentIndex.of(movie)


def packets(source: Path | bytes) -> list[tuple[str, int | None, bytes]]:
    """(type, pts, payload) of everything in a file."""
    with av.open(io.BytesIO(source) if isinstance(source, bytes) else str(source), "r") as container:
        return [(packet.stream.type, packet.pts, bytes(packet)) for packet in container.demux() if packet.size]


def test_fragments_are_found_from_key_frame_to_key_frame(index: FragmentIndex, movie: Path) -> None:
    assert [ticks / index.timescale for _, ticks in index.fragments] == [2.0] * 5 + [1.0]
    assert index.duration_s == SECONDS
    assert index.size == movie.stat().st_size
    assert index.first + length(index) < index.size  # the ordinary index is behind them


def test_an_index_is_read_as_it_was_written(index: FragmentIndex) -> None:
    assert FragmentIndex.from_bytes(index.to_bytes()) == index


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"format":2}', b'{"format":1,"size":"many"}', b"\xff"])
def test_a_damaged_index_is_none(data: bytes) -> None:
    with pytest.raises(NotFragmented):
        FragmentIndex.from_bytes(data)


def test_the_stream_holds_what_the_file_holds(index: FragmentIndex, movie: Path) -> None:
    stream = header(index) + movie.read_bytes()[index.first : index.first + length(index)]
    assert Counter(packets(stream)) == Counter(packets(movie))
    with av.open(io.BytesIO(stream), "r") as container:
        assert container.duration == SECONDS * av.time_base
        container.seek(7 * av.time_base)
        frame = next(container.decode(video=0))
        assert frame.key_frame
        assert frame.time == 4.0  # of the fragment with the sound that is heard at the picture of 6.0


@pytest.mark.parametrize("kind", ["video", "audio"])
def test_seeking_in_the_stream_does_not_read_what_is_before(index: FragmentIndex, movie: Path, kind: str) -> None:
    """Whichever track a player seeks by (Chromium: libav, right after the beginning)."""
    stream = header(index) + movie.read_bytes()[index.first : index.first + length(index)]
    with av.open(io.BytesIO(stream), "r") as container:
        track = container.streams.get({kind: 0})[0]
        assert track.time_base is not None
        container.seek(round(9 / track.time_base), stream=track)
        found = [packet for packet in container.demux() if packet.pts is not None]
        times = [float((packet.pts or 0) * (packet.time_base or 0)) for packet in found]
        assert 5.9 < min(times) <= 9.0


def test_every_segment_of_the_playlist_plays_on_its_own(index: FragmentIndex, movie: Path) -> None:
    whole = movie.read_bytes()
    text = playlist(index, "media")
    [(size, offset)] = re.findall(r'#EXT-X-MAP:URI="media",BYTERANGE="(\d+)@(\d+)"', text)
    init = whole[int(offset) : int(offset) + int(size)]
    segments = re.findall(r"#EXTINF:([\d.]+),\n#EXT-X-BYTERANGE:(\d+)@(\d+)\nmedia\n", text)
    assert [float(seconds) for seconds, _, _ in segments] == [4.0, 4.0, 3.0]
    assert "#EXT-X-TARGETDURATION:4\n" in text
    assert text.endswith("#EXT-X-ENDLIST\n")
    begin = 0.0
    for seconds, size, offset in segments:
        part = whole[int(offset) : int(offset) + int(size)]
        with av.open(io.BytesIO(init + part), "r") as container:
            frames = list(container.decode(video=0))
        assert frames[0].key_frame
        assert frames[0].time == begin
        assert len(frames) == float(seconds) * FPS
        begin += float(seconds)


def test_fragments_without_a_key_frame_belong_to_the_one_before(tmp_path: Path) -> None:
    index = FragmentIndex.of(make(tmp_path / "a.mp4", 11, keyframe_s=7))  # fragments of 3 s
    assert [ticks / index.timescale for _, ticks in index.fragments] == [7.0, 4.0]


def test_a_restless_picture_does_not_make_many(tmp_path: Path) -> None:
    index = FragmentIndex.of(make(tmp_path / "a.mp4", 6, restless=True))
    assert 3 < len(index.fragments) <= 6
    assert index.duration_s == 6


def test_a_webm_has_none(tmp_path: Path) -> None:
    with pytest.raises(NotFragmented):
        FragmentIndex.of(make(tmp_path / "a.webm", 1, codec="libvpx"))


def test_files_of_other_kinds_have_none(movie: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with (
        av.open(str(movie), "r") as source,
        av.open(str(path), "w", options={"movflags": "hybrid_fragmented"}) as target,
    ):
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = stream
                target.mux(packet)
    with pytest.raises(NotFragmented):  # its first header has samples: as recordings were before
        FragmentIndex.of(path)
    for content in (b"", b"text", box(b"mdat"), box(b"mdat", bytes(20)), movie.read_bytes()[:5000]):
        path.write_bytes(content)
        with pytest.raises(NotFragmented):
            FragmentIndex.of(path)


def test_a_very_long_recording_has_coarser_references(index: FragmentIndex) -> None:
    long = replace(index, fragments=((100, 2 * index.timescale),) * (MOST + 10))
    front = header(long)
    at = next(box.body for box in inside(front) if box.kind == b"sidx")
    assert int.from_bytes(front[at + 30 : at + 32]) == (MOST + 10 + 1) // 2
    assert int.from_bytes(front[at + 32 : at + 36]) == 200
    assert length(long) == 100 * (MOST + 10)
    movie = find(find(front, b"moov"), b"mvex", b"mehd")
    assert int.from_bytes(movie[4:12]) == 2 * (MOST + 10) * 1000


def test_boxes_without_an_end_are_refused() -> None:
    with pytest.raises(Malformed):
        list(inside(box(b"free", bytes(4)) + b"\0\0\0\x20mdat"))
    with pytest.raises(Malformed):
        list(inside(b"\0\0\0\x04mdat"))
    assert [found.kind for found in inside(b"\0\0\0\0mdat123")] == [b"mdat"]  # to the end
