"""When a running recording has to end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from meet.config import Settings
from meet.recorder.limits import LimitWatch, free_bytes


def watch(folder: Path, size: int, **limits: Any) -> LimitWatch:
    composite = folder / "composite.mp4"
    composite.write_bytes(bytes(size))
    return LimitWatch(Settings.load(data_dir=folder, **({"recording_min_free_bytes": 0} | limits)), composite)


def test_without_limits_it_goes_on(tmp_path: Path) -> None:
    assert watch(tmp_path, 10).reached(1e6) is None


def test_duration_counts_what_is_recorded(tmp_path: Path) -> None:
    limited = watch(tmp_path, 10, recording_max_duration_s=60.0)
    assert [limited.reached(recorded_s) for recorded_s in (0, 50, 61)] == [None, None, "max_duration"]


def test_size_counts_what_the_composer_still_adds(tmp_path: Path) -> None:
    assert watch(tmp_path, 900, recording_max_size_bytes=1000).reached(100) is None
    assert watch(tmp_path, 900, recording_max_size_bytes=1000).reached(20) == "max_size"
    assert watch(tmp_path, 1000, recording_max_size_bytes=1000).reached(1) == "max_size"


def test_the_reserve_includes_what_joining_pieces_needs(tmp_path: Path) -> None:
    reserve = free_bytes(tmp_path) - (64 << 20)
    large = watch(tmp_path, 1, recording_min_free_bytes=reserve)
    with (tmp_path / "composite.mp4").open("r+b") as file:
        file.truncate(10 << 30)  # sparse: only its length counts
    assert large.reached(0) is None
    (tmp_path / "composite.piece-001.mp4").write_bytes(b"1")
    assert large.reached(0) == "disk_reserve"


@pytest.mark.parametrize("reserve", [1 << 60])
def test_below_the_reserve(tmp_path: Path, reserve: int) -> None:
    assert watch(tmp_path, 1, recording_min_free_bytes=reserve).reached(0) == "disk_reserve"
