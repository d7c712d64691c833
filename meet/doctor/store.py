"""Where finished recordings go."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator

import storage
from meet.config import Settings
from meet.doctor.data import not_writable
from meet.doctor.report import Finding, fail, ok
from storage import S3Config


def check(settings: Settings) -> Iterator[Finding]:
    """A directory is looked at; a bucket is asked, with the configured key, whether it would take a file."""
    if settings.blob_storage_mode == "fs":
        # Not BlobStore.check: it makes a directory and a probe file, and sweeps up what was left behind.
        directory = settings.data_dir / "storage"
        if directory.exists() and not os.access(directory, os.R_OK | os.W_OK | os.X_OK):
            advice = f"give it to the user that runs the server: chown -R {settings.data_dir.stat().st_uid} {directory}"
            yield not_writable("storage", directory, advice)
        else:
            yield ok("storage", f"files in {directory}")
        return
    where = f"bucket {settings.s3_bucket} at {S3Config(settings.s3_bucket, settings.s3_service_endpoint).where}"
    try:
        asyncio.run(_ask(settings))
    except storage.StorageMisconfigured as error:
        yield fail("storage", str(error), "check the MEET_S3_* variables, and that the bucket exists")
    except storage.StorageError as error:
        advice = "check MEET_S3_SERVICE_ENDPOINT, and that the store runs; recordings wait in the spool until then"
        yield fail("storage", str(error), advice)
    else:
        yield ok("storage", where)


async def _ask(settings: Settings) -> None:
    blobs = storage.create(settings)
    try:
        await blobs.check(writing=True)
    finally:
        await blobs.close()
