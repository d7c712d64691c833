"""A recorder whose start the control has given up leaves nothing, whatever it has recorded."""

from __future__ import annotations

from pathlib import Path

import pytest

from meet.config import Settings
from meet.recorder import state
from meet.recorder.main import run
from meet.recorder.standing import Standing
from meet.recorder.state import EgressState


async def test_what_the_control_has_ended_stays_ended(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    now = EgressState("EG_x", "a", "starting", "grid", "H264_720P_30", "rec/a--x.mp4")
    told: list[EgressState] = []
    given_up: list[bool] = []
    standing = Standing(path, now, told.append, lambda: given_up.append(True))
    standing.advance("active")
    await standing.settled()
    assert state.read(path) == standing.now and standing.written
    state.write(path, now.advance("failed", error="the recorder did not start in time"))
    standing.advance("ending")
    await standing.settled()
    known = state.read(path)
    assert known is not None and known.status == "failed"
    assert [told_state.status for told_state in told] == ["active"]
    assert standing.given_up and given_up == [True]


@pytest.mark.parametrize(("status", "cleaned"), [("complete", True), ("limit_reached", True), ("failed", False)])
def test_a_kill_while_cleaning_up_is_made_up_for(tmp_path: Path, status: str, cleaned: bool) -> None:
    """The journal of a failed one stays: it may be all there is of a meeting."""
    spool = tmp_path / "spool" / "EG_x"
    (spool / "journal").mkdir(parents=True)
    (spool / "journal" / "000001.seg").touch()
    (spool / "composite.mp4").touch()
    (spool / "request.json").write_text('{"egress_id": "EG_x", "room_name": "a", "key": "rec/a--x.mp4"}')
    now = EgressState("EG_x", "a", "ending", "grid", "H264_720P_30", "rec/a--x.mp4")
    state.write(spool / "state.json", now.advance(status))
    assert run(Settings.load(data_dir=tmp_path), "EG_x") == 0
    assert (spool / "journal").exists() is not cleaned
    assert (spool / "composite.mp4").exists() is not cleaned
