from __future__ import annotations

import io
import zipfile
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from zipstream import ZipStream

from meet.http.zip import ZipEntry, ZipEntryError, unique_names, zip_chunks, zip_length, zip_response

WHEN = datetime(2026, 7, 1, 10, 20, 31, tzinfo=UTC)


def of(*chunks: bytes) -> Callable[[], AbstractAsyncContextManager[AsyncIterator[bytes]]]:
    @asynccontextmanager
    async def opener() -> AsyncIterator[AsyncIterator[bytes]]:
        async def produce() -> AsyncIterator[bytes]:
            for chunk in chunks:
                yield chunk

        yield produce()

    return opener


def entry(name: str, data: bytes, modified: datetime | None = WHEN) -> ZipEntry:
    middle = len(data) // 3
    return ZipEntry(name, len(data), of(data[:middle], data[middle:]), modified)


async def archive(*entries: ZipEntry) -> bytes:
    async with aclosing(zip_chunks(entries)) as chunks:
        return b"".join([chunk async for chunk in chunks])


async def test_an_archive_reads_back() -> None:
    contents = {"a.mp4": b"abc" * 1000, "Übung 会議.mp4": b"\x00" * 77, "empty.mp4": b""}
    entries = [entry(name, data) for name, data in contents.items()]
    data = await archive(*entries)
    assert len(data) == zip_length(entries)
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        assert opened.testzip() is None
        assert {name: opened.read(name) for name in opened.namelist()} == contents
        info = opened.getinfo("a.mp4")
        assert info.compress_type == zipfile.ZIP_STORED
        assert info.flag_bits == 0x0808
        assert info.date_time == (2026, 7, 1, 10, 20, 30)


async def test_the_empty_archive_is_valid() -> None:
    data = await archive()
    assert len(data) == zip_length([])
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        assert opened.namelist() == []
        assert opened.testzip() is None


async def test_the_same_entries_give_the_same_bytes() -> None:
    first = await archive(entry("a", b"x"), entry("b", b"y", None))
    assert first == await archive(entry("a", b"x"), entry("b", b"y", None))


@settings(max_examples=40)
@given(st.dictionaries(st.text(alphabet="aé会/ .", min_size=1, max_size=8), st.binary(max_size=300), max_size=5))
async def test_any_archive_has_its_announced_length_and_contents(contents: dict[str, bytes]) -> None:
    entries = [entry(name, data) for name, data in zip(unique_names(contents), contents.values(), strict=True)]
    data = await archive(*entries)
    assert len(data) == zip_length(entries)
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        assert opened.testzip() is None
        assert [opened.read(info) for info in opened.infolist()] == list(contents.values())


async def test_contents_agree_with_zipstream() -> None:
    contents = {"a.mp4": b"abc" * 999, "é.mp4": b"\xff" * 5}
    oracle = ZipStream(sized=True)
    for name, data in contents.items():
        oracle.add(data, name)
    theirs = zipfile.ZipFile(io.BytesIO(b"".join(oracle)))
    ours = zipfile.ZipFile(io.BytesIO(await archive(*[entry(name, data) for name, data in contents.items()])))
    with theirs, ours:
        assert [(i.filename, i.CRC, i.file_size, i.compress_type) for i in ours.infolist()] == [
            (i.filename, i.CRC, i.file_size, i.compress_type) for i in theirs.infolist()
        ]


def test_announced_length_of_large_entries_agrees_with_zipstream_up_to_its_own_headers() -> None:
    def ours(size: int) -> int:
        return zip_length([ZipEntry("a", size, of())])

    def theirs(size: int) -> int:
        oracle = ZipStream(sized=True)
        oracle.add(iter(()), "a", size=size)
        return len(oracle)

    step = 3 * 1024**3
    assert ours(6 * 1024**3 + step) - ours(6 * 1024**3) == theirs(6 * 1024**3 + step) - theirs(6 * 1024**3) == step


@pytest.mark.parametrize("chunks", [(b"ab",), (b"ab", b"cd"), ()])
async def test_a_source_of_another_size_is_an_error(chunks: tuple[bytes, ...]) -> None:
    with pytest.raises(ZipEntryError, match="3 bytes"):
        await archive(ZipEntry("a", 3, of(*chunks)))


async def test_entries_are_opened_one_by_one_and_closed() -> None:
    now_open: set[str] = set()
    most = 0

    def tracked(name: str) -> Callable[[], AbstractAsyncContextManager[AsyncIterator[bytes]]]:
        @asynccontextmanager
        async def opener() -> AsyncIterator[AsyncIterator[bytes]]:
            nonlocal most
            now_open.add(name)
            most = max(most, len(now_open))
            try:
                async with of(b"a", b"b")() as chunks:
                    yield chunks
            finally:
                now_open.discard(name)

        return opener

    entries = [ZipEntry(name, 2, tracked(name)) for name in "abc"]
    await archive(*entries)
    assert most == 1
    async with zip_response(entries)._source() as chunks:  # type: ignore[misc]
        while not now_open:
            await anext(chunks)
    assert not now_open


async def test_duplicate_names_are_refused() -> None:
    with pytest.raises(ValueError, match="distinct"):
        await archive(entry("a", b""), entry("a", b""))


@pytest.mark.parametrize(
    ("moment", "shown"),
    [
        (None, (1980, 1, 1, 0, 0, 0)),
        (datetime(1970, 1, 1, tzinfo=UTC), (1980, 1, 1, 0, 0, 0)),
        (datetime(2200, 1, 1, tzinfo=UTC), (2107, 12, 31, 23, 59, 58)),
        (datetime(2026, 1, 1, 0, 30, tzinfo=timezone(timedelta(hours=1))), (2025, 12, 31, 23, 30, 0)),
    ],
)
async def test_timestamps_fit_the_format(moment: datetime | None, shown: tuple[int, ...]) -> None:
    with zipfile.ZipFile(io.BytesIO(await archive(entry("a", b"x", moment)))) as opened:
        assert opened.getinfo("a").date_time == shown


def test_unique_names() -> None:
    assert unique_names(["a.mp4", "a.mp4", "A.MP4", "a (2).mp4"]) == [
        "a.mp4",
        "a (2).mp4",
        "A (3).MP4",
        "a (2) (2).mp4",
    ]
    assert unique_names(["../etc/passwd", "x\\y", "", "..", ".mp4", ".mp4"]) == [
        ".._etc_passwd",
        "x_y",
        "file",
        "file (2)",
        ".mp4",
        ".mp4 (2)",
    ]
    assert unique_names(["e\u0301.mp4", "\u00e9.mp4"]) == ["é.mp4", "é (2).mp4"]


@given(st.lists(st.text(max_size=6), max_size=8))
def test_names_are_always_distinct_flat_and_encodable(names: list[str]) -> None:
    result = unique_names(names)
    assert len({name.casefold() for name in result}) == len(names)
    assert all(name and "/" not in name and "\\" not in name and name.encode() for name in result)


def test_the_response_announces_a_download() -> None:
    response = zip_response([entry("a", b"abc")], "recordings.zip")
    assert response.headers["Content-Disposition"] == 'attachment; filename="recordings.zip"'
    assert response.headers["content-length"] == str(zip_length([entry("a", b"abc")]))
