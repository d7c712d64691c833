"""When a running recording has to end."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from meet.config import Settings
from meet.recorder.composer.profile import Profile
from meet.recorder.limits import LimitWatch, as_it_came, at_most, free_bytes


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


def test_below_the_reserve(tmp_path: Path) -> None:
    assert watch(tmp_path, 1, recording_min_free_bytes=1 << 60).reached(0) == "disk_reserve"


def test_a_track_is_measured_by_what_was_received(tmp_path: Path) -> None:
    settings = Settings.load(data_dir=tmp_path, recording_min_free_bytes=0, recording_max_size_bytes=1_000_000)
    limited = LimitWatch(settings, tmp_path / "composite.ogg", as_it_came)
    assert [limited.reached(100, received) for received in (900_000, 960_000)] == [None, "max_size"]
    (tmp_path / "composite.ogg").write_bytes(bytes(1_000_000))
    assert limited.reached(100, 0) == "max_size", "what is there counts, whatever was counted"


def test_a_file_that_is_composed_later_by_what_its_bit_rates_allow(tmp_path: Path) -> None:
    """And room for it is kept free."""
    profile = Profile.of("H264_720P_30")
    later = partial(at_most, profile)
    size = later(100, 5)
    assert size == pytest.approx(102 * 3_128_000 / 8 * 1.02)
    assert at_most(replace(profile, picture=False), 100, 5) == pytest.approx(102 * 128_000 / 8 * 1.02)
    limits: dict[str, Any] = {"recording_min_free_bytes": 0, "recording_max_size_bytes": size}
    limited = LimitWatch(Settings.load(data_dir=tmp_path, **limits), tmp_path / "composite.mp4", later)
    assert [limited.reached(seconds, 5) for seconds in (90, 98, 100)] == [None, "max_size", "max_size"]
    reserve = free_bytes(tmp_path) - (1 << 30)
    limited = LimitWatch(Settings.load(data_dir=tmp_path, recording_min_free_bytes=reserve), tmp_path / "x.mp4", later)
    assert [limited.reached(seconds, 5) for seconds in (10, 90_000)] == [None, "disk_reserve"]


def test_a_storage_folder_on_another_file_system(tmp_path: Path) -> None:
    """The finished file is copied there, so there has to be room for it."""
    elsewhere = Path("/dev/shm")
    if elsewhere.stat().st_dev == tmp_path.stat().st_dev or free_bytes(elsewhere) >= free_bytes(tmp_path):
        pytest.skip("needs a smaller file system of memory")
    limited = watch(tmp_path, 4096, recording_min_free_bytes=free_bytes(elsewhere) - (1 << 20))
    assert limited.reached(0) is None
    with (tmp_path / "composite.mp4").open("r+b") as file:
        file.truncate(64 << 20)
    assert limited.reached(0) is None, "it shares the spool's file system"
    (tmp_path / "storage").symlink_to(elsewhere)
    assert limited.reached(0) == "disk_reserve"
