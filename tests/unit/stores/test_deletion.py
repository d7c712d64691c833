from __future__ import annotations

from dataclasses import replace

import pytest

from meet.core.recording_errors import RecordingElsewhere, RecordingKept
from meet.stores.deletion import Deletion
from storage import StorageUnavailable
from storage.keys import index_key
from storage.names import FILES

from .conftest import GONE, HERE, House


def deletion(house: House) -> Deletion:
    return Deletion(house.stores, house.folder / "spool")


async def test_files_are_deleted_where_they_are(house: House) -> None:
    former, here = await house.record(), await house.record(HERE, into=house.current)
    unknown, wrong = await house.record(None), await house.record(HERE, into=house.current)
    everything = [former, here, unknown, wrong]
    assert await deletion(house).delete(everything) == {}
    for made in everything:
        assert not await house.has(house.former, made)
        assert not await house.has(house.current, made)


async def test_nothing_is_said_to_be_deleted_that_is_out_of_reach(house: House) -> None:
    gone, unknown, fine = await house.record(GONE, lost=True), await house.record(None, lost=True), await house.record()
    copied = await house.record(GONE, into=house.current)
    kept = await deletion(house).delete([gone, unknown, fine, copied])
    assert set(kept) == {gone.recording_id, unknown.recording_id, copied.recording_id}
    assert all(isinstance(why, RecordingElsewhere) for why in kept.values())
    assert await house.has(house.current, copied)


async def test_what_has_no_file_needs_no_store(house: House) -> None:
    failed = replace(await house.record(GONE, lost=True), status="failed")
    assert await deletion(house).delete([failed]) == {}


async def test_a_lost_file_can_be_deleted(house: House) -> None:
    assert await deletion(house).delete([await house.record(FILES, lost=True)]) == {}


async def test_old_copies_go_first_and_keep_the_recording_when_they_stay(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved, mine = await house.record(), await house.record(HERE, into=house.current)
    mover = house.mover()
    with mover.working():
        await mover.move(moved, remove=False)
    moved = (await house.data.recordings.of_room(moved.room_id))[0]
    assert (moved.store, moved.copies) == (HERE, (FILES,))

    async def away(keys: object) -> frozenset[str]:
        raise StorageUnavailable("away")

    with monkeypatch.context() as patch:
        patch.setattr(house.former, "delete", away)
        kept = await deletion(house).delete([moved, mine])
        assert isinstance(kept[moved.recording_id], RecordingKept) and len(kept) == 1
        assert await house.has(house.current, moved)
        with pytest.raises(StorageUnavailable):
            await deletion(house).delete([moved])
    assert await deletion(house).delete([moved]) == {}
    assert not await house.has(house.current, moved) and not await house.has(house.former, moved)


async def test_a_copy_in_a_store_that_is_not_known_keeps_the_recording(house: House) -> None:
    moved = await house.record(HERE, into=house.current, copies=(GONE,))
    kept = await deletion(house).delete([moved])
    assert isinstance(kept[moved.recording_id], RecordingElsewhere)
    assert await house.has(house.current, moved)


async def test_a_file_that_no_row_tells_of(house: House) -> None:
    made, other = await house.record(), await house.record()
    await deletion(house).discard(made.key, FILES)
    assert not await house.has(house.former, made)
    await deletion(house).discard(other.key, GONE)
    assert await house.has(house.former, other)


async def test_what_an_interrupted_move_left_here_goes_as_well(house: House) -> None:
    made = await house.record()
    for key in (made.key, index_key(made.key)):
        await house.put(house.current, key, b"copied, and then not written down")
    assert await deletion(house).delete([made]) == {}
    assert not await house.has(house.current, made) and not await house.has(house.former, made)
