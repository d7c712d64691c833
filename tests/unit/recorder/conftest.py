"""What every test of the recorder needs."""

from __future__ import annotations

import pytest

from meet.recorder.quarantine import note


@pytest.fixture(autouse=True)
def _own_notes(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Compositions leave no notes in the machine's shared memory."""
    monkeypatch.setattr(note, "SHARED_MEMORY", tmp_path_factory.getbasetemp())
