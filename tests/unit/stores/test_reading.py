from __future__ import annotations

import asyncio

import pytest

from meet.core.recording_errors import RecordingElsewhere
from meet.stores.reading import RecordingFiles
from meet.stores.survey import Survey
from storage import BlobNotFound
from storage.names import FILES

from .conftest import GONE, HERE, House


def files(house: House) -> RecordingFiles:
    return RecordingFiles(house.stores, house.data.recordings, house.data.recording_places)


async def test_what_the_database_did_not_know_or_had_wrong_it_is_told(house: House) -> None:
    for believed in (None, HERE):
        made = await house.record(believed)
        assert (await files(house).find(made)).name == FILES
        assert await house.row(made) == (FILES, ())


async def test_a_file_that_is_out_of_reach_is_said_to_be(house: House) -> None:
    made = await house.record(GONE, lost=True)
    with pytest.raises(RecordingElsewhere, match=made.recording_id):
        await files(house).find(made)
    unknown = await house.record(None, lost=True)
    with pytest.raises(RecordingElsewhere):
        await files(house).find(unknown)
    lost = await house.record(HERE, lost=True)
    with pytest.raises(BlobNotFound):
        await files(house).find(lost)


async def test_what_was_copied_by_hand_is_played_but_not_believed_to_be_all(house: House) -> None:
    made = await house.record(GONE, into=house.current)
    assert (await files(house).find(made)).name == HERE
    assert await house.row(made) == (GONE, ())


async def test_a_recording_that_is_moved_while_it_is_looked_for(house: House) -> None:
    read = await house.record()
    mover = house.mover()
    with mover.working():
        assert await mover.move(read, remove=True) == "moved"
    assert not await house.has(house.former, read)
    assert (await files(house).find(read)).name == HERE
    assert await house.row(read) == (HERE, ())


async def test_recordings_from_before_are_looked_for_at_the_start(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    old = [await house.record(None) for _ in range(3)]
    here = await house.record(None, into=house.current)
    lost, gone = await house.record(None, lost=True), await house.record(GONE, lost=True)
    survey = Survey(house.stores, house.data.recording_places)
    await survey.run()
    assert [await house.row(each) for each in old] == [(FILES, ())] * 3
    assert await house.row(here) == (HERE, ())
    assert await house.row(lost) == (None, ()) and await house.row(gone) == (GONE, ())
    told = capsys.readouterr().out
    assert "recordings_found_in_stores" in told and "count=4" in told
    assert "recordings_out_of_reach" in told and GONE in told
    assert "recordings_in_no_known_store" in told
    assert "recordings_in_former_store" in told
    assert "blob_found_elsewhere" not in told, "a line for each would be a hundred thousand"


async def test_a_survey_ends_with_its_server(house: House) -> None:
    made = await house.record(None)
    survey = Survey(house.stores, house.data.recording_places)
    await survey.stop()
    await survey.start()
    await survey.stop()
    await survey.start()
    while await house.row(made) != (FILES, ()):
        await asyncio.sleep(0.01)
    await survey.stop()
