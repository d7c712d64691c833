"""A full disk, then a crash before the end: the next process must not take the file for a complete recording."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from meet.config import Settings
from meet.recorder import main, state
from meet.recorder.cutoff import Cutoff
from meet.recorder.main import run
from meet.recorder.state import EgressState
from tests.unit.recorder import synthetic
from tests.unit.recorder.synthetic import meeting

SMALL = {
    "video": {
        "width": 160,
        "height": 90,
        "framerate": 10,
        "codec": "H264_MAIN",
        "bitrate": 100,
        "keyFrameInterval": 2,
        "depth": 24,
    },
    "audio": {"codec": "AAC", "bitrate": 32, "frequency": 48000},
}


@pytest.mark.parametrize(
    ("status", "known", "details", "expected"),
    [
        ("active", True, None, "limit_reached"),
        ("ending", True, "the recording could not be composed yet: no space", "limit_reached"),
        ("ending", False, "End reason: Limit reached", "limit_reached"),
        ("ending", False, "End reason: StopEgress API", "complete"),
    ],
)
def test_what_was_cut_off_says_so(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    status: str,
    known: bool,
    details: str | None,
    expected: str,
) -> None:
    monkeypatch.setattr(main, "_LINGER_S", 0.0)  # there is nobody to be told
    spool = tmp_path / "spool" / "EG_x"
    spool.mkdir(parents=True)
    request = {"egress_id": "EG_x", "room_name": "a", "key": "rec/a--x.mp4", "encoding": SMALL}
    (spool / "request.json").write_text(json.dumps(request))
    synthetic.write(spool / "journal", meeting([], 1.0)[:-1])
    cutoff = Cutoff(spool / "journal")
    cutoff.prepare()
    if known:
        cutoff.remember()
        cutoff.remember()
        cutoff.prepare()
    assert Cutoff(spool / "journal").known is known
    now = EgressState.from_request(request).advance(status, details=details)
    state.write(spool / "state.json", now)
    assert run(Settings.load(data_dir=tmp_path), "EG_x") == 0
    done = state.read(spool / "state.json")
    assert done is not None and done.status == expected, done
    assert ("the disk was full" in (done.error or "")) is (expected == "limit_reached")
    assert not (spool / "journal").exists() and done.integrity is not None and done.integrity["pauses"] == 0
