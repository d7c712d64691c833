"""Recordings."""

from __future__ import annotations

from typing import Literal, TypeAlias

from meet.client.models.base import Model, Number, Selection, sent
from meet.client.models.encoding import Encoding, Layout

RecordingStatus: TypeAlias = (
    Literal["starting", "active", "ending", "complete", "failed", "aborted", "limit_reached"] | str
)

Compose: TypeAlias = Literal["live", "after"] | str


class Recording(Selection):
    """A recording. `duration` is in seconds, `size` in bytes; both appear when they are known."""

    recording_id: str = sent()
    room_id: str = sent()
    room_name: str = sent()
    status: RecordingStatus = sent()
    layout: Layout = sent()
    encoding: Encoding = sent()
    filename: str = sent()
    start_date: Number | None = None
    end_date: Number | None = None
    duration: Number | None = None
    size: Number | None = None
    error_code: Number | None = None
    error: str | None = None
    details: str | None = None

    @property
    def has_media(self) -> bool:
        """Whether there is a file; one that ended at a limit has everything up to it."""
        return self.status == "complete" or (self.status == "limit_reached" and bool(self.size))


class Integrity(Model):
    """What was measured of the finished file. `duration`, `worst_offset` and the other durations are in seconds."""

    sha256: str
    size: int
    duration: Number
    frames: int | None = None
    frames_repeated: int | None = None
    frames_left_out: int | None = None
    video_gaps: int | None = None
    audio_gaps: int | None = None
    worst_offset: Number | None = None
    pauses: int | None = None
    paused_duration: Number | None = None
    frames_quarantined: int | None = None
    tracks_given_up: int | None = None
    absences: int | None = None
    absent_duration: Number | None = None
    damaged_records: int | None = None
    damaged_bytes: int | None = None


class KnownRecording(Recording):
    """A recording with what the embedded recorder knows of it; `integrity` is there once its file is stored."""

    audio_only: bool
    paused: bool
    compose: Compose | None = None
    integrity: Integrity | None = None


class RecordingUrl(Model):
    """A page that plays a recording for whoever has its address."""

    url: str


class FailedRecording(Model):
    """A recording that is still there, and why."""

    recording_id: str
    error: str


class RecordingBulkDeletion(Model):
    """What became of each recording."""

    message: str
    deleted: tuple[str, ...]
    failed: tuple[FailedRecording, ...]
