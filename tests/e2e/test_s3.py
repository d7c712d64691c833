"""Recordings in S3: a wrong bucket is one clear line and loses nothing; with the right one the file arrives."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from meet.demo.api import Api
from meet.demo.robot import Robot
from meet.demo.server import Server
from tests.functional.storage.support import moto_server
from tests.support import media


@pytest.fixture
def endpoint() -> Iterator[str]:
    """A moto server."""
    with moto_server() as (_process, url):
        yield url


@pytest.mark.timeout(300)
async def test_a_wrong_bucket_delays_and_loses_nothing(endpoint: str, tmp_path: Path) -> None:
    keys = {"aws_access_key_id": "key", "aws_secret_access_key": "secret-of-s3", "region_name": "us-east-1"}
    s3 = boto3.client("s3", endpoint_url=endpoint, **keys)
    s3.create_bucket(Bucket="meetings")
    env = {
        "MEET_BLOB_STORAGE_MODE": "s3",
        "MEET_S3_SERVICE_ENDPOINT": endpoint,
        "MEET_S3_ACCESS_KEY": keys["aws_access_key_id"],
        "MEET_S3_SECRET_KEY": keys["aws_secret_access_key"],
        "MEET_S3_BUCKET": "no-such-bucket",
        "MEET_RATE_LIMITS": "false",
    }
    async with Server(tmp_path / "data", env=env) as server, Api(server.url, server.api_key) as api:
        assert (await api._session.get("/readyz")).status == 503
        room = await api.create_room("Archive")
        url, token = await api.join_token(room, "Ada")
        async with Robot(url, token):
            recording = await api.start_recording(room["roomId"])
            await asyncio.sleep(2)
            await api.stop_recording(recording["recordingId"])
        await asyncio.sleep(2)
        waiting = await api.call("GET", f"/api/v1/recordings/{recording['recordingId']}")
        assert waiting["status"] == "ending"
        log = server.log_path.read_text()
        assert log.count("meet: the recording store cannot be used: The S3 bucket 'no-such-bucket' does not exist") == 1
        await server.kill()
    assert "Traceback" not in log
    assert "secret-of-s3" not in log

    right = env | {"MEET_S3_BUCKET": "meetings"}
    async with Server(tmp_path / "data", env=right) as server, Api(server.url, server.api_key) as api:
        done = await api.wait_for(recording["recordingId"], "complete", "failed", "aborted")
        assert done["status"] == "complete", done
        path = tmp_path / done["filename"]
        await api.download(done["recordingId"], path, lambda _done, _total: None)
    assert media.decode(path).video_s >= 1.8
    stored = s3.list_objects_v2(Bucket="meetings")["Contents"]
    file, index = stored
    assert file["Size"] == done["size"]
    assert file["Key"].endswith(f"/recordings/{room['roomId']}/{done['filename']}")
    assert index["Key"] == f"{file['Key']}.index"
