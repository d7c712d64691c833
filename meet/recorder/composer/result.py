"""How a composition ends: what was made, or why it was not."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Result:
    """What was made. duration_s is exact. ended_reason is "" when the journal has no Stop.

    frames: those in the file; repeated: of these, equal to the one before; left_out: not made on a busy machine.
    gaps: times at which video or sound was lost. worst_offset_s: between somebody's sound and picture, as placed.
    pauses: how often the recording was paused, for paused_s altogether, which are no part of duration_s, a pause at its
    end included; absences: the same where nobody had asked for it, but no recorder was there.
    damaged_records, damaged_bytes: of the journal, could not be read; told by whoever reads it.
    """

    duration_s: float
    frames: int
    ended_reason: str
    limit: bool
    video_gaps: int
    audio_gaps: int = 0
    repeated: int = 0
    left_out: int = 0
    worst_offset_s: float = 0.0
    pauses: int = 0
    paused_s: float = 0.0
    absences: int = 0
    absent_s: float = 0.0
    damaged_records: int = 0
    damaged_bytes: int = 0


class Aborted(Exception):
    """Composition was told to stop; the file is incomplete."""


class Mismatch(Exception):
    """The journal ends before what earlier processes made of it."""
