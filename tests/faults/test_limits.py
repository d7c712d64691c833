"""Limits and full disks, on a small file system of the test's own: starts are refused, recordings end playable."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from meet.demo.api import Api, ApiError
from meet.demo.server import Server
from meet.recorder.limits import free_bytes
from tests.faults.campaign import ENCODING, FINAL, insist, kill
from tests.faults.counter import FPS, Counter, numbers_in

DISK = 64 << 20
RESERVE = 32 << 20

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 MiB."""
    path = tmp_path / "disk"
    path.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(path)], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("mounting a small file system needs root")
    try:
        yield path
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True)


@pytest.fixture(autouse=True)
def _unlimited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEET_RATE_LIMITS", "false")


def fill(disk: Path, leave: int) -> Path:
    """Take space until only `leave` bytes are free. `leave=0`: until nothing can be written any more."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (1 << 20, 4096):
            with contextlib.suppress(OSError):
                while free_bytes(disk) > leave:
                    file.write(bytes(size))
    return ballast


async def record(api: Api, room: dict[str, Any]) -> dict[str, Any]:
    return await api.start_recording(room["roomId"], encoding=ENCODING)


def stored(data: Path, done: dict[str, Any]) -> tuple[list[int], float]:
    """Numbers of the pictures, and the length, of the file in storage (the contract streams only `complete` ones)."""
    (path,) = (data / "storage").rglob(done["filename"])
    assert path.stat().st_size == done["size"]
    return numbers_in(path)


async def test_the_reserve_ends_recordings_and_refuses_starts(disk: Path) -> None:
    env = {"MEET_RECORDING_MIN_FREE_BYTES": str(RESERVE)}
    async with Server(disk / "data", env=env) as server, Api(server.url, server.api_key) as api:
        room = await api.create_room("Tight")
        url, token = await api.join_token(room, "Ada")
        async with Counter(url, token, epoch=time.monotonic()) as publisher:
            recording = await record(api, room)
            await asyncio.sleep(3)
            filled = publisher.now()
            ballast = fill(disk, RESERVE // 2)
            done = await api.wait_for(recording["recordingId"], *FINAL)
            assert (done["status"], done["details"]) == ("limit_reached", "End reason: Limit reached"), done
            assert "free disk space" in done["error"]
            numbers, length_s = stored(server.data_dir, done)
            assert length_s == pytest.approx(done["duration"], abs=0.1)
            assert max(numbers) / FPS >= filled - 0.3, "everything up to that point is there"

            before = sorted((disk / "data" / "spool").iterdir())
            with pytest.raises(ApiError) as refused:
                await record(api, room)
            assert refused.value.status == 503
            assert "reached its recording limits" in str(refused.value)
            assert sorted((disk / "data" / "spool").iterdir()) == before
            assert len((await api.call("GET", "/api/v1/recordings"))["recordings"]) == 1

            ballast.unlink()
            again = await record(api, room)
            await api.stop_recording(again["recordingId"])
            assert (await api.wait_for(again["recordingId"], *FINAL))["status"] == "complete"


async def refuses_starts(api: Api, room: dict[str, Any], disk: Path) -> None:
    """Without space for the database, and with too little for a journal: nothing stays, nothing was announced."""
    ballast = fill(disk, 0)
    for spare in (0, 512 << 10):
        os.truncate(ballast, ballast.stat().st_size - spare)
        with pytest.raises(ApiError, match="reached its recording limits") as refused:
            await record(api, room)
        assert refused.value.status == 503
    spool = disk / "data" / "spool"
    assert not spool.exists() or list(spool.iterdir()) == []
    assert (await api.call("GET", "/api/v1/recordings"))["recordings"] == []
    with contextlib.closing(sqlite3.connect(f"{(disk / 'data' / 'meet.db').as_uri()}?mode=ro", uri=True)) as database:
        assert database.execute("SELECT * FROM recording_locks").fetchall() == []
    ballast.unlink()


async def test_a_full_disk_costs_only_what_came_after(disk: Path) -> None:
    """Without a reserve: the kernel says ENOSPC in the middle of a recording, and stays so for a while.
    The recorder that knows it dies meanwhile."""
    env = {"MEET_RECORDING_MIN_FREE_BYTES": "0"}
    async with Server(disk / "data", env=env) as server, Api(server.url, server.api_key) as api:
        room = await api.create_room("Full")
        url, token = await api.join_token(room, "Ada")
        async with Counter(url, token, epoch=time.monotonic()) as publisher:
            await refuses_starts(api, room, disk)
            recording = await record(api, room)
            await asyncio.sleep(3)
            filled = publisher.now()
            ballast = fill(disk, 0)
            await asyncio.sleep(2)
            assert await kill(server, "recorder", publisher.now) is not None
            await asyncio.sleep(1)
            ballast.unlink()
            done = await insist(lambda: api.wait_for(recording["recordingId"], *FINAL, timeout_s=90))
    assert done["status"] == "limit_reached", done
    assert "the disk was full" in done["error"]
    numbers, length_s = stored(server.data_dir, done)
    assert length_s == pytest.approx(done["duration"], abs=0.1)
    assert max(numbers) / FPS >= filled - 2.0


async def test_the_maximum_duration_ends_a_recording(tmp_path: Path) -> None:
    env = {"MEET_RECORDING_MAX_DURATION": "3s"}
    async with Server(tmp_path / "data", env=env) as server, Api(server.url, server.api_key) as api:
        room = await api.create_room("Long")
        url, token = await api.join_token(room, "Ada")
        async with Counter(url, token, epoch=time.monotonic()):
            recording = await record(api, room)
            done = await api.wait_for(recording["recordingId"], *FINAL)
            numbers, length_s = stored(server.data_dir, done)
    assert (done["status"], done["error"]) == ("limit_reached", "the maximum duration was reached")
    assert 3.0 <= length_s <= 6.0
    assert len(numbers) > 2 * FPS
