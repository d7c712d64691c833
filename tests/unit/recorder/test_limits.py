"""When a running recording has to end."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from meet.config import Settings
from meet.recorder.composer.profile import Profile
from meet.recorder.composer.result import Result
from meet.recorder.composing import Composing
from meet.recorder.limits import LimitWatch, as_it_came, at_most, behind, free_bytes
from meet.recorder.main import Recorder
from meet.recorder.state import EgressState


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


def test_what_was_composed_before_tells_what_the_rest_may_become() -> None:
    profile = Profile.of("H264_720P_30")
    highest, hour = 3_128_000 / 8 * 1.02, 3600.0
    quiet = round(20_000 * hour)
    assert behind(profile, quiet, hour, hour, 5) == pytest.approx(quiet, rel=0.01), "nothing is missing yet"
    assert behind(profile, quiet, hour, 3 * hour, 5) == pytest.approx(quiet * (1 + 2 * 2 * 1.02), rel=0.01)
    loud = round(390_000 * hour)
    assert behind(profile, loud, hour, 2 * hour, 5) == pytest.approx(loud + hour * highest, rel=0.01)
    assert behind(profile, 20_000 * 30, 30.0, hour, 5) == pytest.approx(hour * highest, rel=0.02), "too short to tell"
    assert behind(profile, 0, 0.0, hour, 5) == at_most(profile, hour, 5)


@pytest.mark.parametrize(("failed", "journal_only"), [(False, False), (True, False), (False, True)])
async def test_whose_composer_has_come_to_an_end_is_told_by_what_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failed: bool, journal_only: bool
) -> None:
    """70 MB of an hour, which two more would make too many; a composer that works is taken at its word."""
    monkeypatch.setattr("meet.recorder.main._LIMITS_S", 0.01)
    limits: dict[str, Any] = {"recording_min_free_bytes": 0, "recording_max_size_bytes": 300_000_000}
    spool = tmp_path / "spool" / "EG_x"
    spool.mkdir(parents=True)
    state = EgressState("EG_x", "a", "active", "grid", "H264_720P_30", "a.mp4")
    recorder = Recorder(Settings.load(data_dir=tmp_path, **limits), spool, state, None, deferred=journal_only)
    looked = asyncio.Event()

    async def left() -> tuple[int, float]:
        looked.set()
        return 70_000_000, 3600.0

    recorder._composing = cast(
        Composing,
        SimpleNamespace(
            path=spool / "composite.mp4",
            left=left,
            quarantine=SimpleNamespace(ledger=SimpleNamespace(journal_only=journal_only)),
        ),
    )
    composed: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
    sink: Any = SimpleNamespace(recorded_us=3600 * 10**6, media_bytes=5)
    watching = asyncio.create_task(
        recorder._watch_limits(Profile.of("H264_720P_30"), sink, None if journal_only else composed)
    )
    if failed:
        composed.set_exception(ZeroDivisionError())
    if failed or journal_only:
        await asyncio.wait_for(looked.wait(), 40)
        assert recorder._stop_reason is None
        sink.recorded_us *= 3
        await asyncio.wait_for(watching, 40)
    else:
        sink.recorded_us *= 3
        await asyncio.sleep(0.1)
        watching.cancel()
    assert recorder._stop_reason == ("max_size" if failed or journal_only else None)


def test_the_reserve_includes_going_on_and_joining(tmp_path: Path) -> None:
    half = 256 << 20
    limited = watch(tmp_path, 1, recording_min_free_bytes=free_bytes(tmp_path) - 4 * half)
    with (tmp_path / "composite.mp4").open("r+b") as file:
        file.truncate(half)  # sparse: only its length counts
    limited.coming = lambda recorded_s, media_bytes: 2 * half
    assert limited.reached(7200) is None, "one half to be composed, and all of it when they are joined"
    limited.coming = lambda recorded_s, media_bytes: 3 * half
    assert limited.reached(7200) == "disk_reserve"


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
