"""Kept journals make way for recordings that run."""

from __future__ import annotations

from pathlib import Path

import pytest

from meet.recorder import state
from meet.recorder.control.admission import Admission, NoRoom
from meet.recorder.state import EgressState
from meet.recorder.tracks.relief import relieve


def kept(spool: Path, number: int, status: str) -> Path:
    """The journal of a recording that ended at `number` ms."""
    folder = spool / f"EG_{number:08}"
    journal = folder / "journal"
    journal.mkdir(parents=True)
    (journal / "000001.seg").write_bytes(bytes(1000))
    request = {"egress_id": folder.name, "room_name": "r", "layout": "grid", "key": "k.mp4", "encoding": "H264_720P_30"}
    first = EgressState.from_request(request)
    state.write(
        folder / "state.json",
        first if status == "starting" else first.advance(status, updated_at_ms=number, ended_at_ms=number),
    )
    return journal


def test_the_oldest_goes_first_and_no_more_than_needed(tmp_path: Path) -> None:
    newest, oldest, middle = (kept(tmp_path, number, "complete") for number in (30, 10, 20))
    assert relieve(tmp_path, lambda: oldest.exists())
    assert not oldest.exists() and middle.exists() and newest.exists()
    assert relieve(tmp_path, lambda: middle.exists())
    assert newest.exists()


def test_as_long_as_there_is_room_nobody_looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked once a second for every recording, and there may be hundreds of kept ones."""
    journal = kept(tmp_path, 10, "complete")
    monkeypatch.setattr(state, "read", lambda path: pytest.fail(f"{path} was read"))
    assert relieve(tmp_path, lambda: False)
    assert journal.exists()


@pytest.mark.parametrize("status", ["starting", "ending", "failed"])
def test_a_journal_that_is_all_there_is_stays(tmp_path: Path, status: str) -> None:
    only = kept(tmp_path, 10, status)
    assert not relieve(tmp_path, lambda: True)
    assert only.exists()


async def test_a_start_is_refused_when_that_was_not_enough(tmp_path: Path) -> None:
    journal = kept(tmp_path, 10, "limit_reached")
    with pytest.raises(NoRoom, match="free disk space"):
        await Admission(tmp_path, min_free_bytes=1 << 60).check()
    assert not journal.exists()


async def test_what_is_kept_does_not_wait_for_storage(tmp_path: Path) -> None:
    kept(tmp_path, 10, "complete")
    await Admission(tmp_path, max_spool_bytes=1000).check()
    kept(tmp_path, 20, "ending")
    with pytest.raises(NoRoom, match="fill the spool"):
        await Admission(tmp_path, max_spool_bytes=1000).check()
