"""`meet media drain`: what the operator is told; and what the media process is told of the settings."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from meet.cli import main
from meet.cli.media import _rules
from meet.config import Settings
from meet.supervisor import ask


def test_no_server_to_ask(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["media", "drain", "0", "--data-dir", str(tmp_path)])
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "meet: no server runs in this data directory\n"


def test_it_says_which_process_has_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[Path, int]] = []

    def drain(path: Path, worker: int) -> int:
        asked.append((path, worker))
        return 4711

    monkeypatch.setattr(ask, "drain_media", drain)
    result = CliRunner().invoke(main, ["media", "drain", "1", "--data-dir", str(tmp_path)])
    assert asked == [(tmp_path / "run" / "supervisor.sock", 1)]
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == "media worker 1 (pid 4711) has given its meetings away and was started afresh\n"


@pytest.mark.parametrize("index", ["-1", "x"])
def test_no_such_number(index: str) -> None:
    assert CliRunner().invoke(main, ["media", "drain", "--", index]).exit_code == 2


@pytest.mark.parametrize(("backend", "recorder"), [(20.0, 15.0), (60.0, 45.0)])
def test_a_recorder_may_take_as_long_as_the_backend_waits(tmp_path: Path, backend: float, recorder: float) -> None:
    settings = Settings.load(data_dir=tmp_path, recording_start_timeout_s=backend)
    assert _rules(settings).start_timeout_s == recorder
