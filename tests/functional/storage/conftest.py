from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import boto3
import pytest

from storage import BlobStore, S3Config
from storage.filesystem import FilesystemStore
from storage.s3 import S3Store

from .support import moto_server

BUCKET = "media"


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    """Endpoint of a moto server with an empty bucket `media`."""
    with moto_server() as (_, endpoint):
        make_bucket(endpoint)
        yield endpoint


@pytest.fixture
def mortal_moto() -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A moto server of the test's own, to be killed by it."""
    with moto_server() as (process, endpoint):
        make_bucket(endpoint)
        yield process, endpoint


def make_bucket(endpoint: str) -> None:
    client = boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="key",
        aws_secret_access_key="secret",
    )
    client.create_bucket(Bucket=BUCKET)
    client.close()


def s3_config(endpoint: str, bucket: str = BUCKET) -> S3Config:
    return S3Config(bucket=bucket, endpoint=endpoint, access_key="key", secret_key="secret")


@pytest.fixture(params=["fs", "s3"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[BlobStore]:
    """Each store in turn; parts of 5 MiB, the smallest S3 allows."""
    made: BlobStore
    if request.param == "fs":
        made = FilesystemStore(tmp_path / "store")
    else:
        made = S3Store(s3_config(request.getfixturevalue("moto")), part_size=5 * 1024 * 1024)
    yield made
    await made.close()


@pytest.fixture
async def s3_store(moto: str) -> AsyncIterator[S3Store]:
    made = S3Store(s3_config(moto), part_size=5 * 1024 * 1024)
    yield made
    await made.close()
