"""What only our own media server can tell of a recording, beside the contract's resource."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal, Self, TypeAlias

from .recording import Recording

Compose: TypeAlias = Literal["live", "after"]
"""When the file is made: while the meeting runs, or when it is over."""

COMPOSE: Final[tuple[Compose, ...]] = ("live", "after")


@dataclass(frozen=True, slots=True, kw_only=True)
class Integrity:
    """Measured of the finished file. Bytes, seconds; sha256 in hexadecimal.

    video_gaps and audio_gaps: losses that the network could not make up for. worst_offset_s: between somebody's sound
    and picture. pauses, paused_s: how often, and for how long in all, nothing was recorded because somebody said so.
    frames_quarantined, tracks_given_up: what was left out because it crashed or hung its decoder.
    absences, absent_s: how often and long no recorder was there, where that is cut out as pauses are.
    damaged_records, damaged_bytes: what the disk did not give back of the recorder's journal; records at least so many.
    """

    sha256: str
    size: int
    duration_s: float
    frames: int | None = None
    frames_repeated: int | None = None
    frames_left_out: int | None = None
    video_gaps: int | None = None
    audio_gaps: int | None = None
    worst_offset_s: float | None = None
    pauses: int | None = None
    paused_s: float | None = None
    frames_quarantined: int | None = None
    tracks_given_up: int | None = None
    absences: int | None = None
    absent_s: float | None = None
    damaged_records: int | None = None
    damaged_bytes: int | None = None

    def to_document(self) -> dict[str, Any]:
        """As clients see it; what is not known is left out."""
        document: dict[str, Any] = {
            "sha256": self.sha256,
            "size": self.size,
            "duration": self.duration_s,
            "frames": self.frames,
            "framesRepeated": self.frames_repeated,
            "framesLeftOut": self.frames_left_out,
            "videoGaps": self.video_gaps,
            "audioGaps": self.audio_gaps,
            "worstOffset": self.worst_offset_s,
            "pauses": self.pauses,
            "pausedDuration": self.paused_s,
            "framesQuarantined": self.frames_quarantined,
            "tracksGivenUp": self.tracks_given_up,
            "absences": self.absences,
            "absentDuration": self.absent_s,
            "damagedRecords": self.damaged_records,
            "damagedBytes": self.damaged_bytes,
        }
        return {name: value for name, value in document.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingFacts:
    """paused and final are of the moment; compose and integrity None when unknown (yet)."""

    paused: bool = False
    final: bool = False
    compose: Compose | None = None
    integrity: Integrity | None = None


@dataclass(frozen=True, slots=True)
class KnownRecording:
    """A recording with what our own media server says of it."""

    recording: Recording
    facts: RecordingFacts

    @classmethod
    def of(cls, recording: Recording, facts: RecordingFacts | None) -> Self:
        """With nothing known when there are no facts."""
        return cls(recording, facts or RecordingFacts())

    def to_document(self) -> dict[str, Any]:
        """The contract's object and ours beside it."""
        recording = self.recording
        document = {**recording.to_document(), "audioOnly": recording.audio_only, "paused": self.facts.paused}
        if self.facts.compose is not None:
            document["compose"] = self.facts.compose
        if self.facts.integrity is not None:
            document["integrity"] = self.facts.integrity.to_document()
        return document
