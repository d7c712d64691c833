"""Where finished recordings go."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator

from sqlalchemy.exc import SQLAlchemyError

import storage
from meet.config import Settings
from meet.db import lookup
from meet.doctor.data import not_writable
from meet.doctor.report import Finding, fail, ok, warn
from storage import S3Config


def check_former(settings: Settings) -> Iterator[Finding]:
    """Recordings that are in other stores than the configured one, and whether those answer."""
    path = settings.data_dir / "meet.db"
    if not path.exists():
        return
    try:
        with lookup.read_only(path) as connection:
            held = lookup.holdings(connection)
    except (SQLAlchemyError, OSError):
        return  # the check of the database says it
    try:
        stores = storage.Stores.of(settings)
    except storage.StorageError as error:
        yield fail("storage", str(error), "correct MEET_S3_FORMER_STORES")
        return
    yield from asyncio.run(_findings(stores, [each for each in held if each[0] != stores.name]))


async def _findings(stores: storage.Stores, held: list[tuple[str | None, int]]) -> list[Finding]:
    try:
        return [await _finding(stores, name, count) for name, count in held]
    finally:
        await stores.close()


async def _finding(stores: storage.Stores, name: str | None, count: int) -> Finding:
    if name is None:
        advice = "start the server, which looks for them; name former buckets in MEET_S3_FORMER_STORES before"
        return warn("storage", f"of {count} recordings it is not known in which store they are", advice)
    try:
        await stores.reach(name)
    except storage.StorageError as error:
        advice = "name that store in MEET_S3_FORMER_STORES, or give it up: meet recordings move --forget"
        return warn("storage", f"{count} recordings are in {name}, out of reach: {error}", advice)
    return ok("storage", f"{count} recordings are in {name} still; `meet recordings move` brings them here")


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
