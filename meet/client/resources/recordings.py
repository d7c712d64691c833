"""`client.recordings`: MP4 files made of meetings, and the sessions that are making them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from meet.client.download import Progress, download
from meet.client.flow import Flow
from meet.client.inputs import MatchMode, SortOrder
from meet.client.models.base import Message, Page
from meet.client.models.encoding import EncodingOptions
from meet.client.models.recordings import (
    Compose,
    KnownRecording,
    Recording,
    RecordingBulkDeletion,
    RecordingStatus,
    RecordingUrl,
)
from meet.client.operation import Iteration, operation
from meet.client.resource import (
    EXTRA,
    PUBLIC,
    AsyncResource,
    Names,
    PageReader,
    Resource,
    SyncResource,
    given,
    params,
    path,
)

_page = PageReader(Recording, "recordings")


class RecordingOperations(Resource):
    """Start, pause, stop, find, fetch, share and delete recordings."""

    @operation("startRecording")
    def start(
        self,
        room_id: str,
        *,
        layout: str | None = None,
        encoding: str | EncodingOptions | Mapping[str, Any] | None = None,
        fields: Names = None,
    ) -> Flow[Recording]:
        """Record the meeting of a room; `layout` and `encoding` override its configuration. The answer is active."""
        body = given(room_id=room_id, config=given(layout=layout, encoding=encoding) or None)
        query = params(fields=fields)
        return self._request("POST", f"{PUBLIC}/recordings", Recording.model_validate_json, query=query, body=body)

    @operation("stopRecording")
    def stop(self, recording_id: str, *, fields: Names = None) -> Flow[Recording]:
        """Ask an active recording to end; it is `complete` when its file is in the storage."""
        url = PUBLIC + path("/recordings/{}/stop", recording_id)
        return self._request("POST", url, Recording.model_validate_json, query=params(fields=fields))

    @operation("startComposedRecording")
    def start_composed(
        self,
        room_id: str,
        compose: Compose | None = None,
        *,
        audio_only: bool | None = None,
        layout: str | None = None,
        encoding: str | EncodingOptions | Mapping[str, Any] | None = None,
    ) -> Flow[KnownRecording]:
        """As `start`, and says when the file is made: during the meeting (`live`) or when it is over (`after`).

        `audio_only`: no picture is recorded; the file is an `.m4a` (with a VP8 encoding, a `.webm`)."""
        config = given(layout=layout, encoding=encoding) or None
        body = given(room_id=room_id, config=config, compose=compose, audio_only=audio_only)
        return self._request("POST", f"{EXTRA}/recordings", KnownRecording.model_validate_json, body=body)

    @operation("inspectRecording")
    def inspect(self, recording_id: str) -> Flow[KnownRecording]:
        """One recording with whether it is paused, when it is composed, and what was measured of its file."""
        url = EXTRA + path("/recordings/{}", recording_id)
        return self._request("GET", url, KnownRecording.model_validate_json)

    @operation("setRecordingLayout")
    def set_layout(self, recording_id: str, layout: str) -> Flow[KnownRecording]:
        """Arrange the picture of a running recording differently from now on."""
        url = EXTRA + path("/recordings/{}/layout", recording_id)
        return self._request("PUT", url, KnownRecording.model_validate_json, body={"layout": layout})

    @operation("pauseRecording")
    def pause(self, recording_id: str) -> Flow[KnownRecording]:
        """Keep nothing until `resume`; answered when the recorder has paused. Fine when it is paused already."""
        url = EXTRA + path("/recordings/{}/pause", recording_id)
        return self._request("POST", url, KnownRecording.model_validate_json)

    @operation("resumeRecording")
    def resume(self, recording_id: str) -> Flow[KnownRecording]:
        """Go on in the same file. Fine when it is not paused."""
        url = EXTRA + path("/recordings/{}/resume", recording_id)
        return self._request("POST", url, KnownRecording.model_validate_json)

    @operation("getRecordings")
    def list(
        self,
        *,
        room_id: str | None = None,
        room_name: str | None = None,
        room_name_match_mode: MatchMode | None = None,
        room_name_case_insensitive: bool | None = None,
        status: RecordingStatus | None = None,
        fields: Names = None,
        max_items: int | None = None,
        next_page_token: str | None = None,
        sort_field: Literal["startDate", "roomName", "duration", "size"] | None = None,
        sort_order: SortOrder | None = None,
    ) -> Flow[Page[Recording]]:
        """Recordings, newest first unless sorted otherwise. `room_id` makes `room_name` irrelevant."""
        query = params(
            room_id=room_id,
            room_name=room_name,
            room_name_match_mode=room_name_match_mode,
            room_name_case_insensitive=room_name_case_insensitive,
            status=status,
            fields=fields,
            max_items=max_items,
            next_page_token=next_page_token,
            sort_field=sort_field,
            sort_order=sort_order,
        )
        return self._request("GET", f"{PUBLIC}/recordings", _page, query=query)

    iterate = Iteration(list)

    @operation("getRecording")
    def get(self, recording_id: str, *, recording_secret: str | None = None, fields: Names = None) -> Flow[Recording]:
        """One recording; with the secret of a shared link also for those who have nothing else."""
        query = params(recording_secret=recording_secret, fields=fields)
        url = PUBLIC + path("/recordings/{}", recording_id)
        return self._request("GET", url, Recording.model_validate_json, query=query)

    @operation("deleteRecording")
    def delete(self, recording_id: str) -> Flow[Message]:
        """Delete a recording that has ended, and its file."""
        return self._request("DELETE", PUBLIC + path("/recordings/{}", recording_id), Message.model_validate_json)

    @operation("bulkDeleteRecordings")
    def delete_several(self, recording_ids: Sequence[str]) -> Flow[RecordingBulkDeletion]:
        """Delete several recordings and tell what became of each."""
        query = params(recording_ids=recording_ids)
        return self._delete_several(f"{PUBLIC}/recordings", RecordingBulkDeletion.model_validate_json, query=query)

    @operation("getRecordingUrl")
    def get_url(self, recording_id: str, *, private_access: bool | None = None) -> Flow[RecordingUrl]:
        """A page to share: for whoever has its address, or with `private_access` for logged-in users."""
        query = params(private_access=private_access)
        url = PUBLIC + path("/recordings/{}/url", recording_id)
        return self._request("GET", url, RecordingUrl.model_validate_json, query=query)

    @operation("getRecordingMedia")
    def download(
        self,
        recording_id: str,
        target: str | Path,
        *,
        recording_secret: str | None = None,
        progress: Progress | None = None,
    ) -> Flow[Path]:
        """Fetch the MP4 file to `target`, which appears when it is complete; see `meet.client.download`.

        Until then the bytes are in `<target>.part`: calling this again, also after the program was ended, continues
        there. `progress(bytes so far, bytes in all)`. Raises ConnectionFailed, DownloadFailed, ApiError, OSError.
        """
        return self._file(PUBLIC + path("/recordings/{}/media", recording_id), target, recording_secret, progress)

    @operation("downloadRecording")
    def save(
        self,
        recording_id: str,
        target: str | Path,
        *,
        recording_secret: str | None = None,
        progress: Progress | None = None,
    ) -> Flow[Path]:
        """The same as `download` by the operation for those who may keep the file, not only watch it."""
        return self._file(PUBLIC + path("/recordings/{}/download", recording_id), target, recording_secret, progress)

    @operation("getRecordingPlaylist")
    def playlist(self, recording_id: str, *, recording_secret: str | None = None) -> Flow[str]:
        """An HLS playlist (RFC 8216) of byte ranges of the file; it repeats the secret in its URIs."""
        url = EXTRA + path("/recordings/{}/playlist.m3u8", recording_id)
        return self._request("GET", url, bytes.decode, query=params(recording_secret=recording_secret))

    @operation("getPlaylistMedia")
    def save_playlist_media(
        self,
        recording_id: str,
        target: str | Path,
        *,
        recording_secret: str | None = None,
        progress: Progress | None = None,
    ) -> Flow[Path]:
        """As `download`, by the address that the playlist names."""
        return self._file(EXTRA + path("/recordings/{}/media.mp4", recording_id), target, recording_secret, progress)

    @operation("getRecordingStream")
    def save_stream(
        self,
        recording_id: str,
        target: str | Path,
        *,
        recording_secret: str | None = None,
        progress: Progress | None = None,
    ) -> Flow[Path]:
        """As `download`, but a fragmented MP4 with its index in front: it plays while it arrives."""
        return self._file(EXTRA + path("/recordings/{}/stream", recording_id), target, recording_secret, progress)

    def _file(
        self, url: str, target: str | Path, recording_secret: str | None, progress: Progress | None
    ) -> Flow[Path]:
        query = params(recording_secret=recording_secret)
        return download(self._origin, url, Path(target), query=query, progress=progress)

    @operation("downloadRecordings")
    def download_zip(
        self, recording_ids: Sequence[str], target: str | Path, *, progress: Progress | None = None
    ) -> Flow[Path]:
        """Fetch one ZIP archive with the files of several recordings; those that cannot be had are left out."""
        query = params(recording_ids=recording_ids)
        return download(self._origin, f"{PUBLIC}/recordings/download", Path(target), query=query, progress=progress)


class Recordings(RecordingOperations, SyncResource):
    """Recordings, blocking."""


class AsyncRecordings(RecordingOperations, AsyncResource):
    """Recordings, with asyncio."""
