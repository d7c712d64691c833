"""From a composed file to an object in storage; the journal is let go only after the store has confirmed it."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import av
import structlog

from meet.fragments.index import FragmentIndex
from meet.fragments.runs import NotFragmented
from meet.recorder.composer.result import Result
from meet.recorder.upload.silence import telling
from storage import BlobStore, InvalidKey, StorageError
from storage.keys import index_key
from storage.localfile import sha256

log = structlog.get_logger(__name__)

_FIRST_RETRY_S: Final = 1.0
_MAX_RETRY_S: Final = 60.0


class DamagedComposite(Exception):
    """The composed file is not what was written; it has to be composed again from the journal."""


@dataclass(frozen=True)
class FileFacts:
    """Measured from the file. Bytes and seconds; sha256 in hexadecimal."""

    size: int
    duration_s: float
    sha256: str


def inspect(path: Path) -> FileFacts:
    """Open the file as a player would. Raises DamagedComposite."""
    try:
        with av.open(str(path)) as container:
            if not (container.streams.video or container.streams.audio):
                raise DamagedComposite("neither picture nor sound")
            stream = (*container.streams.video, *container.streams.audio)[0]
            if stream.duration and stream.time_base:
                duration = float(stream.duration * stream.time_base)
            else:
                duration = (container.duration or 0) / av.time_base
    except (av.FFmpegError, OSError) as error:
        raise DamagedComposite(str(error)) from error
    return FileFacts(path.stat().st_size, duration, sha256(path))


def integrity(facts: FileFacts, made: Result) -> dict[str, Any]:
    """What can be told of the file's content, for state.json.

    Gaps are losses that the network could not make up for. worst_offset_ms is between sound and picture of one person.
    """
    return {
        "sha256": facts.sha256,
        "size": facts.size,
        "duration_s": round(facts.duration_s, 3),
        "frames": made.frames,
        "frames_repeated": made.repeated,
        "frames_left_out": made.left_out,
        "video_gaps": made.video_gaps,
        "audio_gaps": made.audio_gaps,
        "worst_offset_ms": round(made.worst_offset_s * 1000),
        "pauses": made.pauses,
        "paused_s": round(made.paused_s, 3),
        "absences": made.absences,
        "absent_s": round(made.absent_s, 3),
        "damaged_records": made.damaged_records,
        "damaged_bytes": made.damaged_bytes,
    }


async def store(
    blobs: BlobStore,
    key: str,
    path: Path,
    size: int,
    content_type: str,
    on_trouble: Callable[[str], None],
    beside: Callable[[], Mapping[str, Path]] = dict,
) -> None:
    """Put the file and the index of its fragments, try again for as long as it takes, and compare what the store has.

    beside: writes the small JSON files that are to be there before it; their keys and places.

    S3 is told the MD5 of every part, and its ETag of the whole must be theirs; what has arrived is noted beside the
    file and not sent again, not even by another process.
    on_trouble: told, in words for people, why it is not there yet.
    """
    delay, progress = _FIRST_RETRY_S, path.with_suffix(".upload")
    while True:
        try:
            async with telling(progress, on_trouble):
                await _put_index(blobs, key, path)
                for where, content in (await asyncio.to_thread(beside)).items():
                    await blobs.put_file(where, content, "application/json")
                sent = await blobs.put_file(key, path, content_type, progress=progress, final=True)
                stored = await blobs.head(key)
            if (stored.size, stored.etag) == (size, sent.etag):
                return
            trouble = f"the store holds other content ({stored.size} of {size} bytes) than it confirmed"
        except (StorageError, OSError) as error:
            trouble = str(error) or type(error).__name__
        log.warning("recording_upload_failed", key=key, error=trouble, retry_in_s=delay)
        on_trouble(trouble)
        await asyncio.sleep(delay)
        delay = min(delay * 2, _MAX_RETRY_S)


async def _put_index(blobs: BlobStore, key: str, path: Path) -> None:
    """Before the file, so that there is none without. Raises StorageError, OSError."""
    index = path.with_suffix(".index")
    try:
        where = index_key(key)
        content = await asyncio.to_thread(FragmentIndex.of, path)
    except (NotFragmented, InvalidKey) as error:
        log.info("recording_without_index", key=key, reason=str(error))
        return
    await asyncio.to_thread(index.write_bytes, content.to_bytes())
    await blobs.put_file(where, index, "application/json")


def discard(spool: Path, *, keep_journal: bool = False) -> None:
    """Remove journal and composite; state.json and request.json stay as the memory of the egress."""
    if not keep_journal:
        shutil.rmtree(spool / "journal", ignore_errors=True)
    for leftover in (*spool.glob("composite.*"), *spool.glob(".composite.*")):  # also what was never renamed
        leftover.unlink(missing_ok=True)
