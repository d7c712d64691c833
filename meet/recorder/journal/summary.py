"""What a later process must know of a journal without reading all of it.

Six hours of a meeting are gigabytes. So the writer leaves a summary beside every segment that it completes
(`000001.sum`), and coming back after a crash costs reading one segment, not all of them.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from meet.recorder.journal.reader import segment_records, segments
from meet.recorder.journal.records import Begin, Frame, Pause, Record, Resume, Session, Stop, Track


@dataclass(slots=True)
class Summary:
    """Everything up to some point. Times as in the records; begin_at is 0 before the recording's time zero.

    paused_at: when the pause began that has not ended, 0 for none. paused_us: length of those that have, as far as they
    came after time zero. media_bytes: of all frames.
    """

    begin_at: int = 0
    last_at: int = 0
    next_track: int = 1
    stopped: bool = False
    paused_at: int = 0
    paused_us: int = 0
    media_bytes: int = 0

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
    found = segments(directory)
    summary = Summary()
    first = 0
    for index in range(len(found) - 1, -1, -1):
        known = _load(summary_path(found[index]))
        if known is not None:
            summary, first = known, index + 1
            break
    for segment in found[first:]:
        for record in segment_records(segment):
            summary.take(record)
    return summary


def _load(path: Path) -> Summary | None:
    try:
        return Summary(**json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError):
        return None
