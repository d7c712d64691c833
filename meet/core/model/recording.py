"""Recording, its status machine, and the egress it is made of (contract 4.1, 4.2)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

from .encoding import Encoding, Layout

RecordingStatus: TypeAlias = Literal["starting", "active", "ending", "complete", "failed", "aborted", "limit_reached"]

IN_PROGRESS: Final[frozenset[RecordingStatus]] = frozenset({"starting", "active", "ending"})
TERMINAL: Final[frozenset[RecordingStatus]] = frozenset({"complete", "failed", "aborted", "limit_reached"})


def reachable_from(status: RecordingStatus) -> frozenset[RecordingStatus]:
    """The statuses from which `status` may be entered or, while in progress, refreshed. Nothing leaves a final one."""
    if status == "starting":
        return frozenset({"starting"})
    if status == "active":
        return frozenset({"starting", "active"})
    return IN_PROGRESS


@dataclass(frozen=True, slots=True, kw_only=True)
class Egress:
    """The media server's view of one room-composite egress; statuses are already in our words. Times in ms.

    store: where the finished file is, if the media server says so; as `Recording.store`."""

    egress_id: str
    room_name: str
    status: RecordingStatus
    layout: Layout
    encoding: Encoding
    key: str
    started_at_ms: int | None = None
    updated_at_ms: int | None = None
    ended_at_ms: int | None = None
    error: str | None = None
    error_code: int | None = None
    details: str | None = None
    size: int | None = None
    duration_s: float | None = None
    audio_only: bool = False
    store: str | None = None

    @property
    def file_ending(self) -> str:
        """Of the name under which the file is offered. With a picture it is the contract's, also for WebM."""
        if not self.audio_only:
            return ".mp4"
        return ".webm" if _is_webm(self.encoding) else ".m4a"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A recording as stored. Times in ms, duration in seconds, size in bytes. audio_only: its file has no picture.

    store: name of the store that the file is in, None for one from before that was written down. copies: names of
    others that have it as well, because it was moved and they were not cleared. Neither is for clients."""

    recording_id: str
    room_id: str
    egress_id: str
    room_name: str
    status: RecordingStatus
    layout: Layout
    encoding: Encoding
    filename: str
    key: str
    room_owner: str
    room_user_access: bool
    public_secret: str = field(repr=False)
    private_secret: str = field(repr=False)
    start_date: int | None = None
    end_date: int | None = None
    duration: float | None = None
    size: int | None = None
    error_code: int | None = None
    error: str | None = None
    details: str | None = None
    updated_at: int = 0
    audio_only: bool = False
    store: str | None = None
    copies: tuple[str, ...] = ()

    @property
    def media_type(self) -> str:
        """Of the file."""
        return f"{'audio' if self.audio_only else 'video'}/{'webm' if _is_webm(self.encoding) else 'mp4'}"

    @property
    def has_media(self) -> bool:
        """Whether there is a file to play. One that met a limit has everything up to it: contract 4.2 answers 409
        there, but what was recorded must not be out of reach."""
        return self.status == "complete" or (self.status == "limit_reached" and bool(self.size))

    def to_document(self) -> dict[str, Any]:
        """The object clients see, in canonical key order; absent values are left out (contract 4.1)."""
        document: dict[str, Any] = {
            "recordingId": self.recording_id,
            "roomId": self.room_id,
            "roomName": self.room_name,
            "status": self.status,
            "layout": self.layout,
            "encoding": self.encoding,
            "filename": self.filename,
            "startDate": self.start_date,
            "endDate": self.end_date,
            "duration": self.duration or None,
            "size": self.size or None,
            "errorCode": self.error_code,
            "error": self.error,
            "details": self.details,
        }
        return {name: value for name, value in document.items() if value is not None}


def _is_webm(encoding: Encoding) -> bool:
    """VP8 is recorded into WebM, everything else into MP4."""
    return isinstance(encoding, dict) and encoding.get("video", {}).get("codec") == "VP8"


@dataclass(frozen=True, slots=True)
class RecordingLock:
    """The right to record a room, held from before the egress exists until it is over."""

    room_id: str
    key: str
    created_at: int


@dataclass(frozen=True, slots=True)
class FailedRecording:
    """One refused item of a bulk deletion; `error` is the message text (contract 4.7)."""

    recording_id: str
    error: str


@dataclass(frozen=True, slots=True)
class BulkRecordingDeletion:
    """Result of deleting several recordings."""

    deleted: tuple[str, ...]
    failed: tuple[FailedRecording, ...]
