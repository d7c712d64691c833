"""state.json and request.json: what is damaged is not there, and what is there can be relied on."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from meet.config import Settings
from meet.recorder import state
from meet.recorder.jsonfile import read_object
from meet.recorder.main import run
from meet.recorder.state import EgressState

REQUEST = {"egress_id": "EG_x", "room_name": "a", "key": "a.mp4", "created_ms": 7, "layout": "grid"}
NOW = EgressState("EG_x", "a", "ending", "grid", {"video": {"width": 640}}, "a.mp4", duration_s=1.5, integrity={"a": 1})


def test_what_was_written_is_read(tmp_path: Path) -> None:
    state.write(tmp_path / "state.json", NOW)
    assert state.read(tmp_path / "state.json") == NOW


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "dancing"},
        {"status": ["complete"]},
        {"updated_at_ms": "soon"},
        {"size": {}},
        {"encoding": 5},
        {"integrity": []},
        {"key": None},
    ],
    ids=str,
)
def test_a_state_that_makes_no_sense(tmp_path: Path, changes: dict[str, Any]) -> None:
    (tmp_path / "state.json").write_text(json.dumps(asdict(NOW) | changes))
    assert state.read(tmp_path / "state.json") is None


def test_a_state_of_another_version(tmp_path: Path) -> None:
    known = {name: value for name, value in asdict(NOW).items() if name not in ("paused", "only", "container")}
    (tmp_path / "state.json").write_text(json.dumps(known | {"mood": "good"}))
    assert state.read(tmp_path / "state.json") == NOW


@pytest.mark.parametrize("name", ["egress_id", "room_name", "key"])
@pytest.mark.parametrize("value", [None, 5, ""])
def test_a_recorder_does_not_begin_what_it_cannot_read(tmp_path: Path, name: str, value: object) -> None:
    """It would be started again for ever."""
    folder = tmp_path / "spool" / "EG_x"
    folder.mkdir(parents=True)
    (folder / "request.json").write_text(json.dumps(REQUEST | {name: value}))
    assert run(Settings.load(data_dir=tmp_path), "EG_x") == 0
    assert not (folder / "state.json").exists()


def test_an_object_nested_as_deeply_as_anybody_needs(tmp_path: Path) -> None:
    for levels, found in ((20, True), (21, False)):
        (tmp_path / "a.json").write_text('{"a":' * levels + "1" + "}" * levels)
        assert (read_object(tmp_path / "a.json") is not None) is found


def test_numbers_that_json_does_not_have(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"a": NaN, "b": [-Infinity, 1e999], "c": 1e3, "d": -9223372036854775808}')
    assert read_object(tmp_path / "a.json") == {"a": None, "b": [None, None], "c": 1000.0, "d": -(2**63)}
    (tmp_path / "a.json").write_text('{"a": 9223372036854775808}')
    assert read_object(tmp_path / "a.json") is None
