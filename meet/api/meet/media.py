"""The bytes of recordings: one file or a range of it, several as a ZIP archive (contract 4.6, 4.8, RFC 9110).

Ranges follow the RFC where the contract falls short of it: an open range runs to the end of the file, suffix ranges
and If-Range work, and answers carry validators, by which preconditions are judged.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager

from meet.api.authentication import SecretHolder, caller
from meet.api.services import services
from meet.core.callers import Caller
from meet.core.errors import RecordingNotFound, Unauthorized
from meet.core.model.recording import Recording
from meet.http import Call, Response
from meet.http.ranges import Opener, Representation, range_response
from meet.http.streaming import StreamResponse
from meet.http.zip import ZipEntry, unique_names, zip_response
from meet.stores.reading import RecordingFiles
from storage import BlobNotFound, Found

CREDENTIAL_HEADERS = "X-API-KEY, Authorization, X-Room-Member-Token"
QUERY_CREDENTIALS = ("recordingSecret", "secret", "accessToken", "roomMemberToken")
"""Parameters that open a recording to players, which cannot send headers."""
_PARALLEL_LOOKUPS = 10


async def get_recording_media(call: Call) -> StreamResponse | Response:
    return await _media(call, await readable(call, services(call).recordings.media))


async def download_recording(call: Call) -> StreamResponse | Response:
    recording = await readable(call, services(call).recordings.download)
    response = await _media(call, recording)
    if response.status != 304:
        response.headers["Content-Disposition"] = f'attachment; filename="{recording.filename}"'
    return response


async def _media(call: Call, recording: Recording) -> StreamResponse | Response:
    """The file, or the range of it that the request asks for."""
    found = await services(call).files.find(recording)
    info = found.info
    if info.size == 0:
        raise RecordingNotFound(recording.recording_id)

    def opener(start: int, end: int) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        # A file replaced since `head` must not be glued to the old one's headers.
        return found.store.open(recording.key, start, end, if_match=info.etag)

    return file_response(
        call, recording, Representation(info.size, info.etag, info.last_modified, recording.media_type), opener
    )


def file_response(
    call: Call, recording: Recording, content: Representation, opener: Opener
) -> StreamResponse | Response:
    """What the request asks for of `content`: all of it, a range, or nothing when the client has it already.

    Raises HttpError for a range outside of it, or a precondition that does not hold."""
    response = range_response(
        call.method,
        call.headers,
        content,
        opener,
        cache_control=cache_control(call),
        unsatisfiable=lambda size: (
            "Recording Error",
            f"Recording '{recording.recording_id}' range not satisfiable. File size: {size}",
        ),
        failed=("Recording Error", f"Recording '{recording.recording_id}' is not what the preconditions name"),
        label=recording.recording_id,
    )
    # `public` lets a shared cache keep an answer to a request with credentials: only for those same credentials.
    response.headers["Vary"] = CREDENTIAL_HEADERS
    return response


async def download_recordings(call: Call) -> StreamResponse:
    wanted = list(dict.fromkeys(call.params["recordingIds"]))
    selected = await services(call).recordings.select_for_zip(caller(call), wanted)
    complete = [recording for recording in selected if recording.has_media]
    files = services(call).files
    found = [
        (recording, file)
        for recording, file in zip(complete, await _find(files, complete), strict=True)
        if file is not None
    ]
    names = unique_names(recording.filename or f"{recording.recording_id}.mp4" for recording, _ in found)
    entries = [_entry(name, file) for name, (_, file) in zip(names, found, strict=True)]
    return zip_response(entries, "recordings.zip")


async def readable(call: Call, read: Callable[[Caller, str], Awaitable[Recording]]) -> Recording:
    """The recording whose media this request may have; `read` decides for callers without a link to it."""
    recordings = services(call).recordings
    recording_id = call.params["recordingId"]
    principal = call.principal
    if not isinstance(principal, SecretHolder):
        return await read(principal, recording_id)
    try:
        return await recordings.media_with_secret(recording_id, principal.secret, principal.user)
    except Unauthorized as unauthorized:
        raise principal.refusal or unauthorized from None


def cache_control(call: Call) -> str:
    """The contract's value, except for URLs that carry a secret or a token.

    Such a URL is the whole credential, and both can be taken back: a cache shared by many would go on serving it.
    """
    in_query = any(call.query.get(name) for name in QUERY_CREDENTIALS)
    return "private, max-age=3600" if in_query else "public, max-age=3600"


async def _find(files: RecordingFiles, recordings: list[Recording]) -> list[Found | None]:
    """Where each file is, None for a lost one. A store that cannot be reached raises, and ends the asking."""
    slots = asyncio.Semaphore(_PARALLEL_LOOKUPS)

    async def find(recording: Recording) -> Found | None:
        async with slots:
            try:
                return await files.find(recording)
            except BlobNotFound:
                return None

    try:
        async with asyncio.TaskGroup() as group:
            asked = [group.create_task(find(recording)) for recording in recordings]
    except BaseExceptionGroup as failed:
        raise failed.exceptions[0] from None
    return [task.result() for task in asked]


def _entry(name: str, file: Found) -> ZipEntry:
    info = file.info
    return ZipEntry(
        name=name,
        size=info.size,
        opener=lambda: file.store.open(info.key, if_match=info.etag),
        modified=info.last_modified,
    )
