from __future__ import annotations

import asyncio
import errno
import gc
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from storage import BlobNotFound, InvalidKey, StorageError, StorageMisconfigured, StorageUnavailable, localfile
from storage.filesystem import FilesystemStore
from storage.patience import Patience

DATA = bytes(range(256)) * 1000


@pytest.fixture
def store(tmp_path: Path) -> FilesystemStore:
    return FilesystemStore(tmp_path / "root", chunk_size=10_000)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source.mp4"
    path.write_bytes(DATA)
    return path


async def read(store: FilesystemStore, key: str, start: int = 0, end: int | None = None) -> bytes:
    async with store.open(key, start, end) as chunks:
        return b"".join([chunk async for chunk in chunks])


def descriptors() -> int:
    gc.collect()  # what earlier tests have left goes at any moment otherwise
    return len(list(Path("/proc/self/fd").iterdir()))


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(40):
        while not condition():
            await asyncio.sleep(0.01)


async def test_check_makes_the_folder_and_reports_one_that_cannot_be(tmp_path: Path) -> None:
    await FilesystemStore(tmp_path / "new" / "root").check()
    assert (tmp_path / "new" / "root").is_dir()
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageMisconfigured, match="is not writable: Not a directory"):
        await FilesystemStore(tmp_path / "file" / "root").check()


async def test_check_sweeps_what_a_killed_process_left(store: FilesystemStore) -> None:
    await store.check()
    old, fresh = store.root / ".incoming" / "1-old", store.root / ".incoming" / "2-new"
    for path in (old, fresh):
        path.write_bytes(b"half")
    os.utime(old, (1, 1))
    await store.check()
    assert not old.exists()
    assert fresh.exists()


async def test_a_failed_store_leaves_neither_blob_nor_temporary_file(
    store: FilesystemStore, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_source: int, target: int, _size: int) -> None:
        os.write(target, b"part")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(localfile, "_copy", full)
    with pytest.raises(StorageUnavailable, match="No space left on device"):
        await store.put_file("r/a.mp4", source, "video/mp4")
    assert [path for path in store.root.rglob("*") if path.is_file()] == []
    with pytest.raises(BlobNotFound):
        await store.head("r/a.mp4")


async def test_a_source_that_grows_while_it_is_stored_is_refused(
    store: FilesystemStore, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = localfile._copy

    def grow(reader: int, writer: int, size: int) -> None:
        copy(reader, writer, size)
        with source.open("ab") as file:
            file.write(b"more")

    monkeypatch.setattr(localfile, "_copy", grow)
    with pytest.raises(StorageError, match="changed size"):
        await store.put_file("a.mp4", source, "video/mp4")
    with pytest.raises(BlobNotFound):
        await store.head("a.mp4")


async def test_the_copy_works_where_the_kernel_cannot_do_it(
    store: FilesystemStore, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unsupported(*_arguments: object) -> int:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "copy_file_range", unsupported)
    await store.put_file("a.mp4", source, "video/mp4")
    assert await read(store, "a.mp4") == DATA


async def test_a_final_file_is_shared_not_copied(store: FilesystemStore, source: Path) -> None:
    info = await store.put_file("r/a.mp4", source, "video/mp4", final=True)
    assert (store.root / "r" / "a.mp4").samefile(source)
    again = await store.put_file("r/a.mp4", source, "video/mp4", final=True)  # tried again after a crash
    assert again == info
    source.unlink()
    assert await store.head("r/a.mp4") == info
    assert await read(store, "r/a.mp4") == DATA
    assert list((store.root / ".incoming").iterdir()) == []


async def test_a_final_file_is_copied_where_it_cannot_be_shared(
    store: FilesystemStore, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def elsewhere(*_arguments: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", elsewhere)
    await store.put_file("a.mp4", source, "video/mp4", final=True)
    assert not (store.root / "a.mp4").samefile(source)
    assert await read(store, "a.mp4") == DATA


async def test_a_link_that_fails_is_not_blamed_on_the_source(
    store: FilesystemStore, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(src: Path, dst: Path) -> None:
        raise OSError(28, "No space left on device", str(src), None, str(dst))

    monkeypatch.setattr(os, "link", full)
    with pytest.raises(StorageUnavailable, match="No space left"):
        await store.put_file("a.mp4", source, "video/mp4", final=True)


async def test_a_missing_source_is_not_blamed_on_the_store(store: FilesystemStore, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be read") as caught:
        await store.put_file("a.mp4", tmp_path / "absent", "video/mp4")
    assert type(caught.value) is StorageError


async def test_delete_prunes_empty_folders_but_no_others(store: FilesystemStore, source: Path) -> None:
    for key in ("s/r1/a.mp4", "s/r2/b.mp4"):
        await store.put_file(key, source, "video/mp4")
    await store.delete(["s/r1/a.mp4", "s/never/was.mp4"])
    assert not (store.root / "s" / "r1").exists()
    assert (await store.head("s/r2/b.mp4")).size == len(DATA)


async def test_a_folder_is_not_a_blob(store: FilesystemStore, source: Path) -> None:
    await store.put_file("s/r/a.mp4", source, "video/mp4")
    for key in ("s/r", "s/r/a.mp4/x"):
        with pytest.raises(BlobNotFound):
            await store.head(key)
        with pytest.raises(BlobNotFound):
            await read(store, key)


async def test_traversal_never_reaches_the_disk(store: FilesystemStore, source: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidKey):
        await read(store, "../source.mp4")
    stored = await store.put_file("a.mp4", source, "video/mp4")
    with pytest.raises(InvalidKey):
        await store.delete(["a.mp4", "../source.mp4"])
    assert await store.head("a.mp4") == stored
    with pytest.raises(InvalidKey):
        await store.put_file("../copy.mp4", source, "video/mp4")
    assert source.exists()
    assert not (tmp_path / "copy.mp4").exists()


async def test_an_open_blob_is_read_to_its_end_though_it_is_replaced(store: FilesystemStore, source: Path) -> None:
    before = await store.put_file("a.mp4", source, "video/mp4")
    async with store.open("a.mp4") as chunks:
        first = await anext(chunks)
        source.write_bytes(b"other")
        after = await store.put_file("a.mp4", source, "video/mp4")
        rest = b"".join([chunk async for chunk in chunks])
    assert first + rest == DATA
    assert before.etag != after.etag


async def test_a_blob_truncated_by_force_is_an_error_not_a_short_read(store: FilesystemStore, source: Path) -> None:
    await store.put_file("a.mp4", source, "video/mp4")
    with pytest.raises(StorageUnavailable, match="ended early"):
        async with store.open("a.mp4") as chunks:
            await anext(chunks)
            os.truncate(store.root / "a.mp4", 10_000)
            async for _ in chunks:
                pass


async def test_cold_data_is_read_in_a_thread(
    store: FilesystemStore, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.put_file("a.mp4", source, "video/mp4")
    threads: set[int] = set()
    cold = localfile.read_cold

    def spy(fd: int, size: int, offset: int) -> bytes:
        threads.add(threading.get_ident())
        return cold(fd, size, offset)

    monkeypatch.setattr(localfile, "read_cold", spy)
    monkeypatch.setattr(localfile, "resident", lambda *_: False)
    assert await read(store, "a.mp4", 5, 200_000) == DATA[5:200_001]
    assert threads
    assert threading.get_ident() not in threads


async def test_a_reader_cancelled_in_a_cold_read_closes_the_file_when_the_thread_is_done(
    store: FilesystemStore, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.put_file("a.mp4", source, "video/mp4")
    entered, proceed = threading.Event(), threading.Event()

    def stuck(fd: int, size: int, offset: int) -> bytes:
        entered.set()
        proceed.wait(10)
        return os.pread(fd, size, offset)  # EBADF if it had been closed

    monkeypatch.setattr(localfile, "read_cold", stuck)
    monkeypatch.setattr(localfile, "resident", lambda *_: False)
    task = asyncio.create_task(read(store, "a.mp4"))
    await asyncio.to_thread(entered.wait, 10)
    opened = descriptors()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert descriptors() == opened
    proceed.set()
    await until(lambda: descriptors() == opened - 1)


async def test_descriptors_are_closed_after_every_way_out(store: FilesystemStore, source: Path) -> None:
    await store.put_file("a.mp4", source, "video/mp4")
    before = descriptors()
    await read(store, "a.mp4")
    async with store.open("a.mp4") as chunks:
        await anext(chunks)
    for start, etag in ((0, '"x"'), (len(DATA), None)):
        with pytest.raises(StorageError):
            async with store.open("a.mp4", start, if_match=etag):
                pass
    await until(lambda: descriptors() <= before)


def test_a_file_read_once_leaves_the_page_cache_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, content = tmp_path / "f", os.urandom(2_500)
    path.write_bytes(content)
    dropped: list[tuple[int, int]] = []

    def advise(_fd: int, offset: int, length: int, what: int) -> None:
        if what == os.POSIX_FADV_DONTNEED:
            dropped.append((offset, length))

    monkeypatch.setattr(localfile, "_PASSING", 1_000)
    monkeypatch.setattr(localfile, "resident", lambda _fd, first, last: (first, last) == (1_000, 1_999))
    monkeypatch.setattr(os, "posix_fadvise", advise)
    assert b"".join(localfile.read_once(path)) == content
    assert dropped == [(0, 1_000), (2_000, 500)]


async def test_what_cannot_be_deleted_is_told_apart(
    store: FilesystemStore, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b", "c"):
        await store.put_file(f"s/{name}.mp4", source, "video/mp4")
    real = Path.unlink

    def unlink(path: Path, missing_ok: bool = False) -> None:
        if path.name == "b.mp4":
            raise PermissionError(errno.EPERM, "Operation not permitted", str(path))
        real(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", unlink)
    assert await store.delete(["s/a.mp4", "s/b.mp4", "s/c.mp4"]) == {"s/b.mp4"}
    assert (await store.head("s/b.mp4")).size
    with pytest.raises(StorageMisconfigured, match="not permitted"):
        await store.delete(["s/b.mp4"])


HANGING = Patience(answer=0.2, body=0.2)


@pytest.fixture
def back(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """A network mount that hangs until this is set: every call that would ask its server."""
    back = threading.Event()
    real_open, real_stat, real_unlink = os.open, Path.stat, Path.unlink

    def wait() -> None:
        assert threading.current_thread() is not threading.main_thread()
        assert back.wait(30)

    def hanging_open(path: Path, flags: int, *mode: int) -> int:
        wait()
        return real_open(path, flags, *mode)

    def hanging_stat(path: Path) -> os.stat_result:
        wait()
        return real_stat(path)

    def hanging_unlink(path: Path, missing_ok: bool = False) -> None:
        wait()
        real_unlink(path, missing_ok)

    monkeypatch.setattr(os, "open", hanging_open)
    monkeypatch.setattr(Path, "stat", hanging_stat)
    monkeypatch.setattr(Path, "unlink", hanging_unlink)
    yield back
    back.set()


async def test_a_mount_that_hangs_keeps_nobody(
    tmp_path: Path, source: Path, back: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FilesystemStore(tmp_path / "root", patience=HANGING)
    back.set()
    await store.put_file("a.mp4", source, "video/mp4")
    before = descriptors()
    back.clear()
    for asked in (store.head("a.mp4"), read(store, "a.mp4"), store.delete(["a.mp4", "b.mp4"]), store.check()):
        with pytest.raises(StorageUnavailable, match="does not answer"):
            await asked
    back.set()
    await until(lambda: descriptors() <= before)  # what was opened for nobody is closed
    await store.check()


async def test_many_requests_to_a_mount_that_hangs(tmp_path: Path, back: threading.Event) -> None:
    """No thread of anybody else's is kept, and no more of its own than there are."""
    store = FilesystemStore(tmp_path / "root", patience=HANGING)
    running = threading.active_count()
    answers = await asyncio.gather(*(store.head("a.mp4") for _ in range(100)), return_exceptions=True)
    assert {type(answer) for answer in answers} == {StorageUnavailable}
    assert threading.active_count() <= running + 16
    assert await asyncio.to_thread(lambda: "free") == "free"
    began = store._threads._unfinished
    with pytest.raises(StorageUnavailable):
        await store.head("a.mp4")  # at once: nothing more is queued
    assert store._threads._unfinished == began
    back.set()
    await until(lambda: store._threads._unfinished == 0)
    with pytest.raises(BlobNotFound):
        await store.head("a.mp4")


async def test_reading_from_a_mount_that_falls_silent(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FilesystemStore(tmp_path / "root", chunk_size=10_000, patience=HANGING)
    await store.put_file("a.mp4", source, "video/mp4")
    before, silent, back = descriptors(), threading.Event(), threading.Event()
    real = localfile.read_cold

    def read_cold(fd: int, size: int, offset: int) -> bytes:
        assert not silent.is_set() or back.wait(30)
        return real(fd, size, offset)

    monkeypatch.setattr(localfile, "read_cold", read_cold)
    monkeypatch.setattr(localfile, "resident", lambda *_: False)
    with pytest.raises(StorageUnavailable, match="does not answer"):
        async with store.open("a.mp4") as chunks:
            assert await anext(chunks) == DATA[:10_000]
            silent.set()
            await anext(chunks)
    assert descriptors() == before + 1  # the thread still reads from it
    back.set()
    await until(lambda: descriptors() <= before)


async def test_an_error_of_the_disk_is_not_its_silence(store: FilesystemStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def timed_out(_path: Path) -> os.stat_result:
        raise OSError(errno.ETIMEDOUT, "Connection timed out")  # what a soft NFS mount says

    monkeypatch.setattr(Path, "stat", timed_out)
    with pytest.raises(StorageUnavailable, match="failed: Connection timed out"):
        await store.head("a.mp4")
