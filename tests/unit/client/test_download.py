"""Downloads: cut off, continued, changed in between, and never half."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from meet.client import ConnectionFailed, DownloadFailed, NotFound
from tests.unit.client.conftest import async_client, client, problem

RECORDING = "a-1--EG_1--2"
FILE = bytes(range(256)) * 4096  # 1 MiB
ETAG = '"v1"'


class Origin:
    """Serves `file` with ranges; each answer stops after as many bytes as `cuts` says, as long as it says any."""

    def __init__(self, file: bytes = FILE, etag: str = ETAG, cuts: tuple[int, ...] = ()) -> None:
        self.file, self.etag = file, etag
        self.cuts = list(cuts)
        self.ranges: list[str | None] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        wanted = request.headers.get("Range")
        self.ranges.append(wanted)
        assert request.headers["Accept-Encoding"] == "identity"
        size, first = len(self.file), 0
        if wanted is not None and request.headers["If-Range"] == self.etag:
            first = int(wanted.removeprefix("bytes=").removesuffix("-"))
            if first >= size:
                return problem(416, headers={"Content-Range": f"bytes */{size}"})
        headers = {"ETag": self.etag, "Content-Length": str(size - first)}
        if first:
            headers["Content-Range"] = f"bytes {first}-{size - 1}/{size}"
        return httpx.Response(206 if first else 200, headers=headers, stream=self._body(first))

    def _body(self, first: int) -> _Body:
        cut = self.cuts.pop(0) if self.cuts else None
        return _Body(self.file[first:], cut)


class _Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    def __init__(self, data: bytes, cut: int | None) -> None:
        self._data, self._cut = data, cut

    def __iter__(self) -> Iterator[bytes]:
        end = len(self._data) if self._cut is None else self._cut
        for start in range(0, end, 100_000):
            yield self._data[start : min(start + 100_000, end)]
        if self._cut is not None:
            raise httpx.RemoteProtocolError("peer closed connection")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self:
            yield chunk


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "a.mp4"


def left_in(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()}


def test_a_whole_file(target: Path) -> None:
    reports: list[tuple[int, int | None]] = []
    origin = Origin()
    saved = client(origin).recordings.download(RECORDING, target, progress=lambda *report: reports.append(report))
    assert saved == target
    assert target.read_bytes() == FILE
    assert left_in(target.parent) == {"a.mp4"}
    assert reports[0] == (0, len(FILE))
    assert reports[-1] == (len(FILE), len(FILE))
    assert reports == sorted(reports)
    assert origin.ranges == [None]


def test_a_cut_connection_goes_on_where_it_ended(target: Path, pauses: list[float]) -> None:
    origin = Origin(cuts=(600_000, 300_000))
    reports: list[int] = []
    client(origin).recordings.download(RECORDING, target, progress=lambda done, _: reports.append(done))
    assert target.read_bytes() == FILE
    assert len(origin.ranges) == 3
    assert all(wanted is not None for wanted in origin.ranges[1:])
    assert reports == sorted(reports), "no byte was fetched twice"


async def test_it_goes_on_with_asyncio_too(target: Path, pauses: list[float]) -> None:
    origin = Origin(cuts=(600_000,))
    async with async_client(origin) as api:
        await api.recordings.download(RECORDING, target)
    assert target.read_bytes() == FILE
    assert len(origin.ranges) == 2


def test_the_next_call_goes_on(target: Path, pauses: list[float]) -> None:
    with pytest.raises(ConnectionFailed):
        client(Origin(cuts=(600_000, 0, 0, 0))).recordings.download(RECORDING, target)
    part = target.with_name("a.mp4.part")
    kept = part.stat().st_size
    assert kept > 0
    assert not target.exists()
    origin = Origin()
    client(origin).recordings.download(RECORDING, target)
    assert origin.ranges == [f"bytes={kept}-"]
    assert target.read_bytes() == FILE
    assert left_in(target.parent) == {"a.mp4"}


def test_a_file_that_changed_is_fetched_from_the_start(target: Path, pauses: list[float]) -> None:
    with pytest.raises(ConnectionFailed):
        client(Origin(cuts=(600_000, 0, 0, 0))).recordings.download(RECORDING, target)
    newer = Origin(file=FILE[::-1], etag='"v2"')
    client(newer).recordings.download(RECORDING, target)
    assert target.read_bytes() == FILE[::-1]


def test_what_was_complete_already_only_gets_its_name(target: Path) -> None:
    target.with_name("a.mp4.part").write_bytes(FILE)
    target.with_name("a.mp4.part.etag").write_text(ETAG)
    origin = Origin()
    client(origin).recordings.download(RECORDING, target)
    assert target.read_bytes() == FILE
    assert origin.ranges == [f"bytes={len(FILE)}-"]


def test_a_part_that_is_too_long_is_dropped(target: Path) -> None:
    target.with_name("a.mp4.part").write_bytes(FILE + b"x")
    target.with_name("a.mp4.part.etag").write_text(ETAG)
    client(Origin()).recordings.download(RECORDING, target)
    assert target.read_bytes() == FILE


def test_a_part_of_an_unknown_file_is_not_continued(target: Path) -> None:
    target.with_name("a.mp4.part").write_bytes(b"something else")
    origin = Origin()
    client(origin).recordings.download(RECORDING, target)
    assert origin.ranges == [None]
    assert target.read_bytes() == FILE


def test_without_a_strong_etag_everything_is_fetched_again(target: Path, pauses: list[float]) -> None:
    origin = Origin(etag='W/"v1"', cuts=(600_000,))
    client(origin).recordings.download(RECORDING, target)
    assert origin.ranges == [None, None]
    assert target.read_bytes() == FILE


def test_another_size_than_promised_is_no_file(target: Path) -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"Content-Length": "10", "ETag": ETAG}, stream=_Body(b"short", None))

    with pytest.raises(DownloadFailed, match="5 bytes arrived instead of 10"):
        client(handle).recordings.download(RECORDING, target)
    assert left_in(target.parent) == set()


def test_another_range_than_asked_for_is_no_file(target: Path) -> None:
    target.with_name("a.mp4.part").write_bytes(b"12345")
    target.with_name("a.mp4.part.etag").write_text(ETAG)

    def handle(request: httpx.Request) -> httpx.Response:
        return httpx.Response(206, headers={"Content-Range": "bytes 3-9/10"}, content=b"4567890")

    with pytest.raises(DownloadFailed, match="another range"):
        client(handle).recordings.download(RECORDING, target)
    assert left_in(target.parent) == set()


def test_an_error_leaves_nothing(target: Path) -> None:
    with pytest.raises(NotFound, match="Recording 'a' not found"):
        client(lambda _: problem(404, "Recording Error", "Recording 'a' not found")).recordings.download("a", target)
    assert left_in(target.parent) == set()


def test_an_interrupted_program_leaves_what_it_has(target: Path) -> None:
    def stop(done: int, _: int | None) -> None:
        if done > 300_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        client(Origin()).recordings.download(RECORDING, target, progress=stop)
    assert left_in(target.parent) == {"a.mp4.part", "a.mp4.part.etag"}
    assert target.with_name("a.mp4.part").stat().st_size > 300_000


def test_an_archive_of_several(target: Path) -> None:
    seen: list[str] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(str(request.url))
        return httpx.Response(200, stream=_Body(b"zip", None))

    client(handle).recordings.download_zip(["a", "b"], target)
    assert target.read_bytes() == b"zip"
    assert seen == ["http://meet.test/api/v1/recordings/download?recordingIds=a%2Cb"]
