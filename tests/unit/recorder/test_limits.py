"""When a running recording has to end."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from meet.config import Settings
from meet.recorder.limits import LimitWatch, free_bytes


def watch(folder: Path, size: int, **limits: Any) -> LimitWatch:
    composite = folder / "composite.mp4"
    composite.write_bytes(bytes(size))
    return LimitWatch(Settings.load(data_dir=folder, **({"recording_min_free_bytes": 0} | limits)), composite)


def ago(seconds: float) -> int:
    return time.time_ns() // 1000 - int(seconds * 1e6)


def test_without_limits_it_goes_on(tmp_path: Path) -> None:
    assert watch(tmp_path, 10).reached(ago(1e6)) is None


def test_duration_counts_from_time_zero(tmp_path: Path) -> None:
    limited = watch(tmp_path, 10, recording_max_duration_s=60.0)
    assert [limited.reached(since) for since in (0, ago(50), ago(61))] == [None, None, "max_duration"]


def test_size_counts_what_the_composer_still_adds(tmp_path: Path) -> None:
    assert watch(tmp_path, 900, recording_max_size_bytes=1000).reached(ago(100)) is None
    assert watch(tmp_path, 900, recording_max_size_bytes=1000).reached(ago(20)) == "max_size"
    assert watch(tmp_path, 1000, recording_max_size_bytes=1000).reached(ago(1)) == "max_size"


def test_the_reserve_includes_the_copy_in_storage(tmp_path: Path) -> None:
    reserve = free_bytes(tmp_path) - (64 << 20)
    assert watch(tmp_path, 10, recording_min_free_bytes=reserve).reached(0) is None
    large = watch(tmp_path, 1, recording_min_free_bytes=reserve)
    with (tmp_path / "composite.mp4").open("r+b") as file:
        file.truncate(10 << 30)  # sparse: only its length counts
    assert large.reached(0) == "disk_reserve"


@pytest.mark.parametrize("reserve", [1 << 60])
def test_below_the_reserve(tmp_path: Path, reserve: int) -> None:
    assert watch(tmp_path, 1, recording_min_free_bytes=reserve).reached(0) == "disk_reserve"
