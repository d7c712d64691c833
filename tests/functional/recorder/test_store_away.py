"""The store is away while a recording is being made: nobody is disturbed, and in the end everything is there."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from meet.config import Settings
from meet.recorder import finish
from meet.recorder.composer.profile import PRESETS
from meet.recorder.upload import behind as module
from meet.recorder.upload.behind import UploadBehind
from tests.faults.bucket import Bucket
from tests.faults.weather import Sky, Weather
from tests.functional.storage.support import moto_server

MIB = 1 << 20
KEY = "r/a.mp4"
PROFILE = PRESETS["H264_720P_30"]


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    with moto_server() as (_process, url):
        yield url


@pytest.fixture
def bucket(moto: str) -> Bucket:
    return Bucket(moto)


@pytest.fixture
async def weather(moto: str) -> AsyncIterator[tuple[Weather, str]]:
    made = Weather(moto)
    async with made.serving() as endpoint:
        yield made, endpoint


class Recording:
    """A composite of 2 MiB fragments, and what its recorder does about the store."""

    def __init__(self, folder: Path, endpoint: str, bucket: str) -> None:
        self.path = folder / "composite.mp4"
        self.troubles: list[str | None] = []
        self._settings = Settings(
            data_dir=folder,
            blob_storage_mode="s3",
            s3_service_endpoint=endpoint,
            s3_access_key="key",
            s3_secret_key="secret",
            s3_bucket=bucket,
        )

    def grow(self, mib: int) -> None:
        with self.path.open("ab") as file:
            for _ in range(mib // 2):
                file.write((2 * MIB).to_bytes(4) + b"mdat" + os.urandom(2 * MIB - 8))

    def complete(self) -> None:
        with self.path.open("r+b") as file:
            file.seek(8)
            file.write(b"complete")

    def noted(self) -> int:
        """Parts that another process would find."""
        note = self.path.with_suffix(".upload")
        return note.read_text().count('"etag"') if note.exists() else 0

    @contextlib.asynccontextmanager
    async def process(self) -> AsyncIterator[UploadBehind]:
        """A recorder's upload; killed at the end."""
        made = UploadBehind(self._settings, self.path, KEY, PROFILE, self.troubles.append)
        try:
            yield made
        finally:
            await made.close()

    async def finish(self, upload: UploadBehind) -> None:
        store = await upload.store()
        size = self.path.stat().st_size
        await finish.store(store, KEY, self.path, size, "video/mp4", self.troubles.append)


@pytest.fixture
def recording(
    tmp_path: Path, weather: tuple[Weather, str], bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> Recording:
    for owner, name in ((module, "_FIRST_RETRY_S"), (module, "_MAX_RETRY_S"), (module, "_POLL_S")):
        monkeypatch.setattr(owner, name, 0.05)
    monkeypatch.setattr(finish, "_FIRST_RETRY_S", 0.1)
    monkeypatch.setattr(module, "_SLOWEST", 1 << 30)
    monkeypatch.setattr(module, "WORTH_TELLING_S", 0.0)
    made = Recording(tmp_path, weather[1], bucket.name)
    made.grow(8)
    return made


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.02)


@pytest.mark.parametrize(("sky", "words"), [("down", "does not answer"), ("denied", "refused access")])
async def test_an_outage_is_told_and_made_up_for(
    recording: Recording, weather: tuple[Weather, str], bucket: Bucket, sky: Sky, words: str
) -> None:
    air, _ = weather
    async with recording.process() as upload:
        air.sky = sky
        upload.start()
        recording.grow(12)
        await until(lambda: recording.troubles)
        assert words in (recording.troubles[0] or "")
        air.sky = "clear"
        await until(lambda: air.parts_sent() >= 3)
        assert recording.troubles[-1] is None
        before = air.parts_sent()
        recording.complete()
        await recording.finish(upload)
    assert air.parts_sent() == before + 1  # of four, only the first one waited
    assert bucket.content(KEY) == recording.path.read_bytes()
    assert bucket.uploads() == []


async def test_a_bucket_deleted_meanwhile_is_filled_from_the_beginning(
    recording: Recording, weather: tuple[Weather, str], bucket: Bucket
) -> None:
    air, _ = weather
    async with recording.process() as upload:
        recording.grow(4)
        upload.start()
        await until(lambda: air.parts_sent() == 1)
        bucket.delete()
        recording.grow(6)
        await until(lambda: recording.troubles)
        bucket.create()
        await until(lambda: recording.troubles[-1] is None)
        recording.complete()
        await recording.finish(upload)
    assert bucket.content(KEY) == recording.path.read_bytes()
    assert bucket.uploads() == []


async def test_a_killed_recorder_s_upload_goes_on_behind_the_recording(
    recording: Recording, weather: tuple[Weather, str], bucket: Bucket
) -> None:
    """The second process writes differently what was sent last; it and the third send nothing else again."""
    air, _ = weather
    recording.grow(8)
    async with recording.process() as upload:
        upload.start()
        await until(lambda: recording.noted() == 2)
    (begun,) = bucket.uploads()
    with recording.path.open("r+b") as file:
        file.seek(14 * MIB + 100)
        file.write(b"another")
    async with recording.process() as upload:
        upload.start(left=16 * MIB)
        recording.grow(4)
        await until(lambda: recording.noted() == 3)
    (later,) = bucket.uploads()
    assert begun["UploadId"] == later["UploadId"] and air.parts_sent() == 4
    recording.complete()
    async with recording.process() as upload:
        await recording.finish(upload)
    assert air.parts_sent() == 5, "the first one"
    assert bucket.content(KEY) == recording.path.read_bytes()
    assert bucket.uploads() == []
