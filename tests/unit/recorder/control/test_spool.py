"""Entries of the spool that cannot be read keep nobody from those that can."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from meet.media.twirp.egress_info import egress_info
from meet.media.twirp.egress_model import EgressRequest, EgressState
from meet.recorder.control.remote import _dumped
from meet.recorder.control.spool import Spool

REQUEST = {"egress_id": "EG_aaaaaaaa", "room_name": "a", "key": "a.mp4", "created_ms": 7}
DEEP = b"[" * 100_000
RATHER_DEEP = b'{"room_name": "a", "key": "a.mp4", "encoding": ' + b'{"a":' * 900 + b"1" + b"}" * 901


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    made = Spool(tmp_path)
    for name in ("EG_aaaaaaaa", "EG_bbbbbbbb"):
        request = EgressRequest(room_name="room", room_sid="RM_1", layout="grid", encoding="x", key="k", original=b"")
        made.create(EgressState(egress_id=name, request=request, layout="grid"), 5)
    (tmp_path / "lost+found").mkdir()
    return made


def found(spool: Spool) -> dict[str, EgressState]:
    """What can be listed, also across processes."""
    states = [state for state, _, _ in spool.scan()]
    assert _dumped(states).encode()
    assert [egress_info(state).egress_id for state in states]
    return {state.egress_id: state for state in states}


@pytest.mark.parametrize(
    "content",
    [
        b'{"room_name": "a"}',
        b"[]",
        b"\xff",
        b"",
        DEEP,
        RATHER_DEEP,
        b'{"room_name": "a", "key": "a.mp4", "created_ms": %d}' % 2**64,
        b'{"room_name": "\\ud800", "key": "a.mp4"}',
        b'{"room_name": ["a"], "key": "a.mp4"}',
    ],
)
def test_a_request_that_says_nothing(spool: Spool, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "EG_aaaaaaaa" / "request.json").write_bytes(content)
    assert list(found(spool)) == ["EG_bbbbbbbb"]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999", '"x"', "null", "[]"])
def test_a_time_that_is_none(spool: Spool, tmp_path: Path, number: str) -> None:
    text = json.dumps(REQUEST).replace("7", number)
    (tmp_path / "EG_aaaaaaaa" / "request.json").write_text(text)
    (tmp_path / "EG_aaaaaaaa" / "state.json").write_text(f'{{"duration_s": {number}, "started_at_ms": {number}}}')
    assert found(spool)["EG_aaaaaaaa"].started_at_ms is None
    assert len(found(spool)) == 2


@pytest.mark.parametrize("encoding", [5, [], ["H264_720P_30"]])
def test_an_encoding_that_is_none(spool: Spool, tmp_path: Path, encoding: object) -> None:
    """Another process must be able to read the list."""
    (tmp_path / "EG_aaaaaaaa" / "request.json").write_text(json.dumps(REQUEST | {"encoding": encoding}))
    assert found(spool)["EG_aaaaaaaa"].request.encoding == "H264_720P_30"


@pytest.mark.parametrize(
    "content",
    [
        b'{"original": "="}',
        b'{"original": "abc"}',
        b'{"original": "/////w=="}',
        b'{"original": "\xc3\xa9"}',
        b'{"original": 5}',
        DEEP,
        b"null",
        b"\xff",
    ],
)
def test_a_memory_that_is_none(spool: Spool, tmp_path: Path, content: bytes) -> None:
    """Without it the recording is still there to be stopped."""
    (tmp_path / "EG_aaaaaaaa" / "control.json").write_bytes(content)
    assert found(spool)["EG_aaaaaaaa"].request.room_name == "room"


@pytest.mark.parametrize(
    "content", [DEEP, b"[]", b'{"status": ["complete"]}', b'{"status": "dancing"}', b'{"status": null, "integrity": 5}']
)
def test_a_state_that_is_none(spool: Spool, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "EG_aaaaaaaa" / "state.json").write_bytes(content)
    assert found(spool)["EG_aaaaaaaa"].status == "starting"


@pytest.mark.parametrize("changes", [{"started_at_ms": 2**62}, {"error_code": 2**40}, {"duration_s": 1e308}], ids=str)
def test_numbers_that_nobody_can_be_told(spool: Spool, tmp_path: Path, changes: dict[str, float]) -> None:
    """Whoever lists all recordings is not to fail for the one."""
    (tmp_path / "EG_aaaaaaaa" / "state.json").write_text(json.dumps({"status": "ending"} | changes))
    assert list(found(spool)) == ["EG_bbbbbbbb"]
    assert spool.peek("EG_aaaaaaaa") is None


def test_files_that_are_folders(spool: Spool, tmp_path: Path) -> None:
    for name in ("request.json", "control.json"):
        (tmp_path / "EG_aaaaaaaa" / name).unlink()
        (tmp_path / "EG_aaaaaaaa" / name).mkdir()
    assert list(found(spool)) == ["EG_bbbbbbbb"]


def test_a_folder_that_is_somebody_elses(spool: Spool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    exists = Path.exists

    def refused(path: Path) -> bool:
        if "EG_aaaaaaaa" in path.parts:
            raise PermissionError(13, "Permission denied")
        return exists(path)

    monkeypatch.setattr(Path, "exists", refused)
    assert list(found(spool)) == ["EG_bbbbbbbb"]


@pytest.mark.parametrize("error", [OSError(5, "Input/output error"), ValueError("what the file says")])
def test_a_look_that_fails_is_one_look(spool: Spool, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """Whoever looks every few seconds goes on doing so."""

    def fails(*_: object) -> None:
        raise error

    assert spool.peek("EG_aaaaaaaa") is not None
    monkeypatch.setattr(Spool, "load", fails)
    assert spool.peek("EG_aaaaaaaa") is None
    if isinstance(error, OSError):
        monkeypatch.setattr(Path, "is_dir", fails)
        assert not spool.lost("EG_aaaaaaaa"), "nobody can tell"
