"""What recorders say and what is known of an egress."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

from meet.media.twirp.egress_model import EgressState
from meet.recorder import state as recorders
from meet.recorder.control.report import as_recorded, merge
from tests.unit.recorder.control.world import REQUEST

FACTS = {
    "layout": "speaker",
    "started_at_ms": 1,
    "updated_at_ms": 2,
    "ended_at_ms": 3,
    "error": "e",
    "error_code": 5,
    "details": "d",
    "size": 6,
    "duration_s": 7.5,
    "integrity": {"sha256": "x"},
    "paused": True,
    "store": "s3://minio:9000/b",
}


def test_every_fact_travels_both_ways(tmp_path: Path) -> None:
    known = EgressState("EG_x", REQUEST, "active", **FACTS)  # type: ignore[arg-type]
    recorders.write(tmp_path / "state.json", as_recorded(known))
    again = recorders.read(tmp_path / "state.json")
    assert again == as_recorded(known) and again is not None
    assert (again.room_name, again.key, again.encoding) == (REQUEST.room_name, REQUEST.key, REQUEST.encoding)
    assert merge(EgressState("EG_x", REQUEST), asdict(again), "active") == known
    assert set(FACTS) == set(asdict(again)) & set(asdict(known)) - {"egress_id", "status"}


def test_a_file_of_an_earlier_version_is_read(tmp_path: Path) -> None:
    """It had neither integrity nor pauses nor a store, and whole seconds of duration."""
    facts = {key: value for key, value in FACTS.items() if key not in ("integrity", "paused", "store")}
    facts |= {"duration_s": 8}
    fixed = {"egress_id": "EG_x", "room_name": "a", "status": "complete", "encoding": "H264_720P_30", "key": "k"}
    (tmp_path / "state.json").write_text(json.dumps(fixed | facts | {"of_a_later_one": 1}))
    found = recorders.read(tmp_path / "state.json")
    assert found is not None and found.status == "complete" and not found.paused
    known = merge(EgressState("EG_x", REQUEST), json.loads((tmp_path / "state.json").read_text()), "complete")
    assert known == EgressState("EG_x", REQUEST, "complete", **facts)  # type: ignore[arg-type]


def test_what_makes_no_sense_is_left_as_it_was() -> None:
    before = EgressState("EG_x", REQUEST, "active", **FACTS)  # type: ignore[arg-type]
    junk = {
        "layout": 5,
        "started_at_ms": True,
        "size": "6",
        "duration_s": None,
        "paused": 1,
        "integrity": [],
        "error": {},
    }
    assert merge(before, junk, "active") == before
    assert merge(before, {"details": None}, "active") == replace(before, details=None)
    assert merge(before, {"details": None}, "ending") == replace(before, status="ending")
