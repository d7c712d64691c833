"""/recordings/{recordingId}/playlist.m3u8, /media.mp4, /stream: recordings by the fragments they consist of."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from meet.api.meet.media import (
    CREDENTIAL_HEADERS,
    QUERY_CREDENTIALS,
    cache_control,
    file_response,
    get_recording_media,
    readable,
)
from meet.api.services import services
from meet.core.model.recording import Recording
from meet.core.recording_errors import RecordingNotFragmented
from meet.fragments.boxes import Malformed
from meet.fragments.index import FragmentIndex
from meet.fragments.playlist import CONTENT_TYPE, playlist
from meet.fragments.runs import NotFragmented
from meet.fragments.stream import header
from meet.fragments.stream import length as stream_length
from meet.http import Call, Response
from meet.http.ranges import Representation
from meet.http.streaming import StreamResponse
from storage import BlobNotFound, Found, InvalidKey
from storage.keys import index_key

_INDEX_LIMIT: Final = 16 * 1024 * 1024
_REMEMBERED: Final = 32


async def get_recording_playlist(call: Call) -> Response:
    recording = await readable(call, services(call).recordings.media)
    index = await _index(recording, await services(call).files.find(recording))
    given = {name: values for name in QUERY_CREDENTIALS if (values := call.query.get(name))}
    # Relative, so that it is right behind any base path: the operation below is this one's neighbour.
    media = "media.mp4"
    text = playlist(index, f"{media}?{urlencode(given, doseq=True)}" if given else media)
    headers = {"content-type": CONTENT_TYPE, "Cache-Control": cache_control(call), "Vary": CREDENTIAL_HEADERS}
    return Response(200, text.encode(), headers)


async def get_playlist_media(call: Call) -> StreamResponse | Response:
    # A name of its own, because libavformat (7.1.1 on: `extension_picky`) plays no segment whose path lacks a suffix.
    return await get_recording_media(call)


async def get_recording_stream(call: Call) -> StreamResponse | Response:
    recording = await readable(call, services(call).recordings.media)
    found = await services(call).files.find(recording)
    info = found.info
    stream = await _stream(recording, found)
    front = len(stream.header)

    @asynccontextmanager
    async def opener(start: int, end: int) -> AsyncIterator[AsyncIterator[bytes]]:
        if end < front:
            yield _only(stream.header[start : end + 1])
            return
        first = stream.first - front
        span = max(start, front) + first, end + first
        async with found.store.open(recording.key, *span, if_match=info.etag) as chunks:
            yield _behind(stream.header[start:], chunks)

    # Other bytes than those of the file, so another name for them.
    etag = f'"s-{info.etag.strip(chr(34))}"'
    return file_response(
        call, recording, Representation(front + stream.length, etag, info.last_modified, recording.media_type), opener
    )


@dataclass(frozen=True, slots=True)
class _Stream:
    """header: what stands in front of the `length` bytes from `first` on of the stored file."""

    header: bytes
    first: int
    length: int


_streams: OrderedDict[tuple[str, str], _Stream] = OrderedDict()
"""By key and ETag of the file: a player asks again at every seek, and an index is a hundred kilobytes."""


async def _stream(recording: Recording, found: Found) -> _Stream:
    name = (recording.key, found.info.etag)
    known = _streams.get(name)
    if known is None:
        index = await _index(recording, found)
        try:
            known = _Stream(header(index), index.first, stream_length(index))
        except Malformed:
            raise RecordingNotFragmented(recording.recording_id) from None
        _streams[name] = known
        while len(_streams) > _REMEMBERED:
            _streams.popitem(last=False)
    _streams.move_to_end(name)
    return known


async def _index(recording: Recording, found: Found) -> FragmentIndex:
    """The index stored beside a recording. Raises RecordingNotFragmented when there is none of just this file."""
    try:
        async with found.store.open(index_key(recording.key), 0, _INDEX_LIMIT) as chunks:
            index = FragmentIndex.from_bytes(b"".join([chunk async for chunk in chunks]))
    except (BlobNotFound, InvalidKey, NotFragmented):
        raise RecordingNotFragmented(recording.recording_id) from None
    if index.size != found.info.size:
        raise RecordingNotFragmented(recording.recording_id)
    return index


async def _only(data: bytes) -> AsyncIterator[bytes]:
    yield data


async def _behind(data: bytes, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    if data:
        yield data
    async for chunk in chunks:
        yield chunk
