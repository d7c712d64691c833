"""What a later process must know of a journal without reading all of it.

Six hours of a meeting are gigabytes. So the writer leaves a summary beside every segment that it completes
(`000001.sum`), and coming back after a crash costs reading one segment, not all of them.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from meet.recorder.journal.context import Known
from meet.recorder.journal.reader import JournalReader, segments
from meet.recorder.journal.records import Begin, Frame, Pause, Record, Resume, Session, Stop, TimeBase, Track


@dataclass(slots=True)
class Summary:
    """Everything up to some point. Times as in the records; begin_at is 0 before the recording's time zero.

    paused_at: when the pause began that has not ended, 0 for none. paused_us: length of those that have, as far as they
    came after time zero. media_bytes: of all frames. boot, offset_us: the last process's `TimeBase`.
    """

    begin_at: int = 0
    last_at: int = 0
    next_track: int = 1
    stopped: bool = False
    paused_at: int = 0
    paused_us: int = 0
    media_bytes: int = 0
    boot: str = ""
    offset_us: int = 0

    @property
    def begun(self) -> bool:
        """Time zero of the file is set: there is something to be finished."""
        return self.begin_at > 0

    def take(self, record: Record) -> None:
        """One more record."""
        if isinstance(record, Frame):  # nearly all of them
            self.frame(record.at, len(record.payload))
            return
        if isinstance(record, Session):
            return  # a process that came, not anything of the meeting
        if isinstance(record, TimeBase):
            self.boot, self.offset_us = record.boot, record.offset_us
            return
        self.last_at = max(self.last_at, record.at)
        if isinstance(record, Begin):
            self.begin_at = self.begin_at or record.at
        elif isinstance(record, Track):
            self.next_track = max(self.next_track, record.track + 1)
        elif isinstance(record, Stop):
            self.stopped = True
        elif isinstance(record, Pause):
            self.paused_at = self.paused_at or record.at
        elif isinstance(record, Resume) and self.paused_at:
            if self.begun:
                self.paused_us += max(record.at - max(self.paused_at, self.begin_at), 0)
            self.paused_at = 0

    def frame(self, at: int, size: int) -> None:
        """One more Frame, with a payload of so many bytes."""
        self.last_at = max(self.last_at, at)
        self.media_bytes += size

    def ended_paused_us(self, end: int) -> int:
        """Length of the pause that a recording ended in at `end`, 0 when it was not paused."""
        return max(end - max(self.paused_at, self.begin_at), 0) if self.paused_at and self.begun else 0

    def copy(self) -> Summary:
        """For somebody who goes on counting."""
        return replace(self)

    def dump(self) -> bytes:
        """The content of a `.sum` file."""
        return json.dumps(asdict(self)).encode()


def summary_path(segment: Path) -> Path:
    """Where a segment's summary lies."""
    return segment.with_suffix(".sum")


def summarize(directory: Path) -> Summary:
    """The summary of a journal that nobody writes any more."""
    summary, after = Summary(), 0
    for segment in reversed(segments(directory)):
        known = _load(summary_path(segment))
        if known is not None:
            summary, after = known, int(segment.stem)
            break
    reader = JournalReader(directory, after, Known(summary.begin_at, summary.paused_at))
    reader.finish()
    for record in reader:
        summary.take(record)
    return summary


def _load(path: Path) -> Summary | None:
    try:
        return Summary(**json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError):
        return None
