from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import pytest

from meet.core.model.recording import Recording
from meet.stores.copying import NotCopied
from meet.stores.deletion import Deletion
from meet.stores.moving import AlreadyMoving, Load, Mover
from storage import BlobNotFound, StorageError
from storage.filesystem import FilesystemStore
from storage.keys import index_key
from storage.names import FILES

from .conftest import GONE, HERE, House


@pytest.fixture
async def mover(house: House) -> Any:
    """One that has begun to work."""
    mover = house.mover()
    with mover.working():
        yield mover


async def content(store: FilesystemStore, made: Recording) -> bytes:
    async with store.open(made.key) as chunks:
        return b"".join([chunk async for chunk in chunks])


async def test_a_move_leaves_a_copy_that_a_later_one_removes(house: House, mover: Mover) -> None:
    made, other = await house.record(), await house.record(None)
    before = await content(house.former, made)
    await house.measured(made, hashlib.sha256(before).hexdigest())
    assert await mover.sources() == [None, FILES]
    assert await mover.load([None, FILES]) == {None: Load(1, other.size or 0), FILES: Load(1, len(before))}
    reached: list[float] = []
    assert await mover.move(made, remove=False, reached=reached.append) == "moved"
    assert reached[-1] == 1.0
    assert await house.row(made) == (HERE, (FILES,))
    assert await content(house.current, made) == before == await content(house.former, made)
    assert await mover.move(other, remove=True) == "moved"
    assert await house.row(other) == (HERE, ())
    assert not await house.has(house.former, other)
    assert [await mover.remove_copies(each) async for each in mover.copies()] == [1]
    assert await house.row(made) == (HERE, ())
    assert not await house.has(house.former, made) and await house.has(house.current, made)
    assert [each async for each in mover.pending(await mover.sources())] == []
    assert sorted(path.name for path in (house.folder / "moving").iterdir()) == ["lock"]


async def test_out_of_a_bucket_it_goes_by_way_of_the_disk(house: House, mover: Mover) -> None:
    class Bucket:
        """A store whose files are not to be had by name."""

        def __init__(self, store: FilesystemStore) -> None:
            self.head, self.open, self.delete, self.close = store.head, store.open, store.delete, store.close

    bucket: Any = Bucket(FilesystemStore(house.folder / "bucket"))
    house.stores._opened[GONE] = bucket
    made = await house.record(GONE, into=FilesystemStore(house.folder / "bucket"))
    full = house.mover(reserve=1 << 62)
    with pytest.raises(NotCopied, match="no room"):
        await full.move(made, remove=True)
    reached: list[float] = []
    assert await mover.move(made, remove=True, reached=reached.append) == "moved"
    assert reached[0] == pytest.approx(0.5) and reached[-1] == 1.0
    assert await house.row(made) == (HERE, ())
    assert await house.has(house.current, made)
    with pytest.raises(BlobNotFound):
        await bucket.head(made.key)


async def test_what_is_not_what_was_recorded_stays_where_it_is(house: House, mover: Mover) -> None:
    shorter, other = await house.record(), await house.record()
    await house.put(house.former, shorter.key, b"cut")
    with pytest.raises(NotCopied, match="3 bytes"):
        await mover.move(shorter, remove=True)
    await house.measured(other, "00" * 32)
    with pytest.raises(NotCopied, match="SHA-256"):
        await mover.move(other, remove=True)
    lost, unknown = await house.record(lost=True), await house.record(None, lost=True)
    for made, reason in ((lost, "lost"), (unknown, "none of the stores")):
        with pytest.raises(NotCopied, match=reason):
            await mover.move(made, remove=True)
    gone = await house.record(GONE, lost=True)
    with pytest.raises(NotCopied, match="MEET_S3_FORMER_STORES"):
        await mover.move(gone, remove=True)
    for made, store in ((shorter, FILES), (other, FILES), (lost, FILES), (unknown, None), (gone, GONE)):
        assert await house.row(made) == (store, ())


async def test_a_deletion_meanwhile_leaves_nothing_here(
    house: House, mover: Mover, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, real = await house.record(), house.current.put_file

    async def slow(key: str, *rest: Any, **more: Any) -> Any:
        stored = await real(key, *rest, **more)
        if key == made.key:
            assert await house.data.recordings.begin_delete([made.recording_id], 1)
        return stored

    monkeypatch.setattr(house.current, "put_file", slow)
    assert await mover.move(made, remove=True) == "overtaken"
    assert not await house.has(house.current, made)
    assert await house.has(house.former, made), "the deletion removes it there"
    [hidden] = await house.data.recordings.unfinished_deletes()
    assert hidden.store == FILES


async def test_who_was_overtaken_by_another_move_removes_nothing(house: House, mover: Mover) -> None:
    read = await house.record()
    assert await mover.move(read, remove=False) == "moved"
    assert await mover.move(read, remove=True) == "overtaken"
    assert await house.has(house.current, read)
    assert await house.row(read) == (HERE, (FILES,))


async def test_one_store_under_two_names_is_not_emptied(house: House, mover: Mover) -> None:
    """An endpoint got another name: removing the old copy would remove the only one."""
    house.stores._opened[GONE] = FilesystemStore(house.folder / "here")
    made = await house.record(GONE, into=house.current)
    before = await content(house.current, made)
    assert await mover.move(made, remove=True) == "taken over"
    left = await house.record(HERE, into=house.current, copies=(GONE,))
    assert await mover.remove_copies(left) == 1
    assert await house.row(made) == await house.row(left) == (HERE, ())
    assert await content(house.current, made) == before
    assert await house.has(house.current, left)
    lost = await house.record(GONE, lost=True)
    with pytest.raises(NotCopied, match="lost"):
        await mover.move(lost, remove=True)


async def test_old_copies_stay_until_the_moved_file_is_well(house: House, mover: Mover) -> None:
    lost = await house.record(HERE, lost=True, copies=(FILES,))
    cut = await house.record(HERE, into=house.current, copies=(FILES,))
    elsewhere = await house.record(FILES, copies=(HERE,))
    unknown = await house.record(HERE, into=house.current, copies=(GONE,))
    await house.put(house.current, cut.key, b"cut")
    for made, reason in ((lost, "lost"), (cut, "3 bytes"), (elsewhere, "move it first"), (unknown, GONE)):
        with pytest.raises(NotCopied, match=reason):
            await mover.remove_copies(made)
        assert await house.row(made) == (made.store, made.copies)


async def test_giving_up_a_store_takes_what_there_is(house: House, mover: Mover) -> None:
    copied, lost = await house.record(GONE, into=house.current), await house.record(GONE, lost=True)
    still, damaged = await house.record(GONE), await house.record(GONE, into=house.current)
    await house.measured(damaged, "00" * 32)
    assert await mover.forget(copied) == "taken over"
    assert await mover.forget(still) == "taken over"
    assert await mover.forget(lost) == "given up"
    with pytest.raises(NotCopied, match="SHA-256"):
        await mover.forget(damaged)
    assert [await house.row(each) for each in (copied, still, lost, damaged)] == [
        (HERE, ()),
        (FILES, ()),
        (HERE, ()),
        (GONE, ()),
    ]


async def test_one_at_a_time(house: House, mover: Mover) -> None:
    with pytest.raises(AlreadyMoving), house.mover().working():
        raise AssertionError("it is not alone")


async def test_copies_in_a_store_that_is_gone_are_given_up(house: House, mover: Mover) -> None:
    """Else nobody could ever delete those recordings."""
    made = await house.record(HERE, into=house.current, copies=(GONE, FILES))
    for key in (made.key, index_key(made.key)):
        await house.put(house.former, key, b"a copy")
    await house.record(HERE, into=house.current, copies=(FILES,))
    assert await mover.forget_copies(GONE) == 1
    assert await mover.forget_copies(FILES) == 1, "of the one that is not there"
    assert await house.row(made) == (HERE, (FILES,))
    assert await Deletion(house.stores, house.folder / "spool").delete([replace(made, copies=(FILES,))]) == {}


async def test_giving_up_a_store_takes_an_old_copy_in_one_that_is_not_listed(house: House, mover: Mover) -> None:
    beside = "s3://beside:9000/meetings"
    house.stores._opened[beside] = FilesystemStore(house.folder / "beside")
    made = await house.record(GONE, into=FilesystemStore(house.folder / "beside"), copies=(beside,))
    assert await mover.forget(made) == "taken over"
    assert await house.row(made) == (beside, ())


async def test_back_to_where_it_was(house: House, mover: Mover) -> None:
    """The old copy is replaced, and is one no more."""
    made = await house.record(copies=(HERE,))
    await house.put(house.current, made.key, b"the old copy")
    assert await mover.move(made, remove=True) == "moved"
    assert await house.row(made) == (HERE, ())
    assert await house.has(house.current, made) and not await house.has(house.former, made)


async def test_a_deletion_in_the_middle_of_the_copying_ends_only_that_move(
    house: House, mover: Mover, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, failing = await house.record(), await house.record()

    async def cut(key: str, *_rest: Any, **_more: Any) -> Any:
        if key.startswith(made.key):
            await house.data.recordings.begin_delete([made.recording_id], 1)
        raise StorageError("cannot be read")

    monkeypatch.setattr(house.current, "put_file", cut)
    monkeypatch.setattr(mover, "_here_too", {FILES: False})
    assert await mover.move(made, remove=True) == "overtaken"
    with pytest.raises(StorageError, match="cannot be read"):
        await mover.move(failing, remove=True)


async def test_what_a_killed_call_left_on_the_disk_goes_at_the_next(house: House) -> None:
    scratch = house.folder / "moving"
    scratch.mkdir()
    for name in ("EG_1.part", "EG_1.index", "EG_1.upload"):
        (scratch / name).write_bytes(b"left")
    with house.mover().working():
        assert sorted(path.name for path in scratch.iterdir()) == ["EG_1.upload", "lock"]


async def test_what_was_brought_here_by_hand_is_taken_over(house: House, mover: Mover) -> None:
    made, other = await house.record(into=house.current), await house.record(lost=True)
    assert await mover.move(made, remove=True) == "taken over"
    assert await house.row(made) == (HERE, ())
    await house.put(house.current, other.key, b"something else")
    with pytest.raises(NotCopied, match="what is here has 14 bytes"):
        await mover.move(other, remove=True)
