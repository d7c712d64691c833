"""From a composed file to an object in storage; the journal is let go only after the store has confirmed it."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import av
import structlog

from storage import BlobStore, StorageError

log = structlog.get_logger(__name__)

_FIRST_RETRY_S: Final = 1.0
_MAX_RETRY_S: Final = 60.0


class DamagedComposite(Exception):
    """The composed file is not what was written; it has to be composed again from the journal."""


@dataclass(frozen=True)
class FileFacts:
    """Measured from the file. Bytes and seconds."""

    size: int
    duration_s: float


def inspect(path: Path) -> FileFacts:
    """Open the file as a player would. Raises DamagedComposite."""
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise DamagedComposite("no video stream")
            stream = container.streams.video[0]
            if stream.duration and stream.time_base:
                duration = float(stream.duration * stream.time_base)
            else:
                duration = (container.duration or 0) / av.time_base
    except (av.FFmpegError, OSError) as error:
        raise DamagedComposite(str(error)) from error
    return FileFacts(path.stat().st_size, duration)


async def store(blobs: BlobStore, key: str, path: Path, size: int, on_trouble: Callable[[str], None]) -> None:
    """Put the file, try again for as long as it takes, and compare what the store says it has.

    on_trouble: told, in words for people, why it is not there yet.
    """
    delay = _FIRST_RETRY_S
    while True:
        try:
            await blobs.put_file(key, path, "video/mp4")
            stored = await blobs.head(key)
            if stored.size == size:
                return
            trouble = f"the store holds {stored.size} bytes instead of {size}"
        except (StorageError, OSError) as error:
            trouble = str(error) or type(error).__name__
        log.warning("recording_upload_failed", key=key, error=trouble, retry_in_s=delay)
        on_trouble(trouble)
        await asyncio.sleep(delay)
        delay = min(delay * 2, _MAX_RETRY_S)


def discard(spool: Path) -> None:
    """Remove journal and composite; state.json and request.json stay as the memory of the egress."""
    shutil.rmtree(spool / "journal", ignore_errors=True)
    (spool / "composite.mp4").unlink(missing_ok=True)
