"""A recorder whose start the control has given up leaves nothing, whatever it has recorded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from meet.config import Settings
from meet.recorder import state
from meet.recorder.main import Recorder, run
from meet.recorder.state import EgressState


class Link:
    """What was told to the control."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def report(self, reported: EgressState) -> None:
        self.told.append(reported.status)


def test_what_the_control_has_ended_stays_ended(tmp_path: Path) -> None:
    spool = tmp_path / "spool" / "EG_x"
    spool.mkdir(parents=True)
    (spool / "request.json").write_text('{"layout": "grid"}')
    now = EgressState("EG_x", "a", "starting", "grid", "H264_720P_30", "rec/a--x.mp4")
    recorder: Any = Recorder(Settings.load(data_dir=tmp_path), spool, now, None)
    recorder._link, recorder._recording, recorder._stop_reason = Link(), None, None
    recorder._advance("active")
    assert state.read(spool / "state.json") == recorder._state
    state.write(spool / "state.json", now.advance("failed", error="the recorder did not start in time"))
    recorder._advance("ending")
    known = state.read(spool / "state.json")
    assert known is not None and known.status == "failed"
    assert recorder._link.told == ["active"]
    assert recorder._given_up and recorder._stop_reason == "cancelled"


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
