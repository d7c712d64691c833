"""The object store is away in every way: nothing is lost, the reason shows, and the upload goes on where it was."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from meet.demo.api import Api, ApiError
from meet.demo.server import Server
from meet.recorder import finish
from storage import S3Config
from storage.s3 import S3Store
from tests.faults.bucket import Bucket
from tests.faults.campaign import ENCODING, FINAL, insist, kill
from tests.faults.counter import FPS, Counter, numbers_in
from tests.faults.weather import Sky, Weather
from tests.functional.storage.support import moto_server

MIB = 1 << 20
PARTS = 4

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    with moto_server() as (_process, url):
        yield url


@pytest.fixture
async def weather(moto: str) -> AsyncIterator[tuple[Weather, str]]:
    made = Weather(moto)
    async with made.serving() as endpoint:
        yield made, endpoint


@pytest.fixture
def bucket(moto: str) -> Bucket:
    return Bucket(moto)


@pytest.fixture
def composite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(finish, "_FIRST_RETRY_S", 0.1)
    path = tmp_path / "composite.mp4"
    path.write_bytes(os.urandom(PARTS * 5 * MIB - MIB))
    return path


@contextlib.asynccontextmanager
async def uploading(
    endpoint: str, bucket: Bucket, composite: Path, troubles: list[str]
) -> AsyncIterator[asyncio.Task[None]]:
    """`finish.store` at work, as in a process of its own; killed at the end."""
    store = S3Store(S3Config(bucket.name, endpoint, "key", "secret"), part_size=5 * MIB)
    size = composite.stat().st_size
    task = asyncio.create_task(finish.store(store, "r/a.mp4", composite, size, "video/mp4", troubles.append))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await store.close()


async def until(condition: Any, timeout_s: float = 60.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(0.02)


def arrived(bucket: Bucket, composite: Path) -> None:
    """The object is the file, and nothing else was left in the bucket or the spool."""
    digests = [hashlib.sha256(data).hexdigest() for data in (bucket.content("r/a.mp4"), composite.read_bytes())]
    assert digests[0] == digests[1]
    assert bucket.uploads() == []
    assert not composite.with_suffix(".upload").exists()


@pytest.mark.parametrize(
    ("sky", "says"), [("down", "does not answer"), ("denied", "refused access"), ("storm", "answered"), ("slow", None)]
)
async def test_an_outage_delays_the_upload(
    weather: tuple[Weather, str], bucket: Bucket, composite: Path, sky: Sky, says: str | None
) -> None:
    air, endpoint = weather
    troubles: list[str] = []
    async with uploading(endpoint, bucket, composite, troubles) as task:
        await until(lambda: air.parts_sent() >= 1)
        air.sky = sky
        if says is not None:
            await until(lambda: bool(troubles))
            assert says in troubles[0]
            assert not task.done() and bucket.keys() == []
            air.sky = "clear"
        await asyncio.wait_for(task, 60)
    arrived(bucket, composite)


async def test_a_deleted_bucket_is_filled_when_it_is_back(
    weather: tuple[Weather, str], bucket: Bucket, composite: Path
) -> None:
    air, endpoint = weather
    troubles: list[str] = []
    air.sky = "slow"
    async with uploading(endpoint, bucket, composite, troubles) as task:
        await until(lambda: air.parts_sent() >= 1)
        bucket.delete()
        await until(lambda: bool(troubles))
        assert "does not exist" in troubles[-1] or "forgotten" in troubles[-1]
        bucket.create()
        air.sky = "clear"
        await asyncio.wait_for(task, 60)
    arrived(bucket, composite)


async def test_another_process_goes_on_with_the_parts_that_are_there(
    weather: tuple[Weather, str], bucket: Bucket, composite: Path
) -> None:
    air, endpoint = weather
    bucket.begin("r/a.mp4")  # left by somebody who was killed before he could note it
    air.sky = "slow"
    async with uploading(endpoint, bucket, composite, []):
        await until(lambda: composite.with_suffix(".upload").exists() and '"etag"' in _note(composite))
    known = _note(composite).count('"etag"')
    air.sky, air.seen[:] = "clear", []
    async with uploading(endpoint, bucket, composite, []) as task:
        await asyncio.wait_for(task, 60)
    assert air.parts_sent() == PARTS - known
    arrived(bucket, composite)


async def test_parts_of_other_content_are_not_used(
    weather: tuple[Weather, str], bucket: Bucket, composite: Path
) -> None:
    air, endpoint = weather
    air.sky = "slow"
    async with uploading(endpoint, bucket, composite, []):
        await until(lambda: composite.with_suffix(".upload").exists() and '"etag"' in _note(composite))
    composite.write_bytes(os.urandom(composite.stat().st_size))
    air.sky, air.seen[:] = "clear", []
    async with uploading(endpoint, bucket, composite, []) as task:
        await asyncio.wait_for(task, 60)
    assert air.parts_sent() == PARTS
    arrived(bucket, composite)


def _note(composite: Path) -> str:
    return composite.with_suffix(".upload").read_text()


async def test_a_recording_waits_for_its_store_and_says_so(
    weather: tuple[Weather, str], bucket: Bucket, tmp_path: Path
) -> None:
    air, endpoint = weather
    env = {
        "MEET_BLOB_STORAGE_MODE": "s3",
        "MEET_S3_SERVICE_ENDPOINT": endpoint,
        "MEET_S3_ACCESS_KEY": "key",
        "MEET_S3_SECRET_KEY": "secret",
        "MEET_S3_BUCKET": bucket.name,
        "MEET_RATE_LIMITS": "false",
        "MEET_RECORDING_MAX_SPOOL_BYTES": "50000",
    }
    async with Server(tmp_path / "data", env=env) as server, Api(server.url, server.api_key) as api:
        room = await api.create_room("Away")
        url, token = await api.join_token(room, "Ada")
        async with Counter(url, token, epoch=time.monotonic()) as publisher:
            recording = await api.start_recording(room["roomId"], encoding=ENCODING)
            identifier = recording["recordingId"]
            await asyncio.sleep(3)
            air.sky = "down"
            stopped = publisher.now()
            await api.stop_recording(identifier)
            waiting = await _explained(api, identifier)
            assert waiting["status"] == "ending"
            other = await api.create_room("Other")
            url, token = await api.join_token(other, "Bob")
            async with Counter(url, token, epoch=time.monotonic()):
                with pytest.raises(ApiError) as refused:
                    await api.start_recording(other["roomId"], encoding=ENCODING)
            assert refused.value.status == 503
        assert await kill(server, "recorder", publisher.now) is not None
        await asyncio.sleep(1)
        assert (await api.call("GET", f"/api/v1/recordings/{identifier}"))["status"] == "ending"
        air.sky = "clear"
        done = await insist(lambda: api.wait_for(identifier, *FINAL, timeout_s=60))
        assert done["status"] == "complete", done
        path = tmp_path / "a.mp4"
        await api.download(identifier, path, lambda *_: None)
        assert list((tmp_path / "data" / "spool").rglob("*.seg")) == []
    assert bucket.content(bucket.keys()[0]) == path.read_bytes()
    assert max(numbers_in(path)[0]) / FPS >= stopped - 2.0


async def _explained(api: Api, identifier: str) -> dict[str, Any]:
    """The recording, once its details tell of the store."""
    deadline = time.monotonic() + 60
    while True:
        found: dict[str, Any] = await api.call("GET", f"/api/v1/recordings/{identifier}")
        if "does not answer" in found.get("details", ""):
            return found
        assert time.monotonic() < deadline, found
        await asyncio.sleep(0.1)
