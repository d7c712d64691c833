"""What may wait in memory for a disk that takes nothing, and what is let go of first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import structlog

from meet.recorder.journal.records import ClockReport, Frame, Record, Tick, Track

log = structlog.get_logger(__name__)

VIDEO_BYTES: Final = 48 << 20
"""Three minutes of four people at half a megabit each. A recorder has about 200 MB anyway."""
MOST_BYTES: Final = 64 << 20
"""Beyond it no sound either: at 32 kbit/s each, twenty people fill what is left in more than three minutes."""
_RELIEVED: Final = VIDEO_BYTES // 2


class Backlog:
    """Decides about records on the event loop, while another thread takes them away.

    Pictures go first, then sound and what only tells the time; what says who is there, and where the recording begins
    and ends, is always kept. A track of which something was let go comes back marked as after any other loss, video
    with a key frame. on_relief: called when the disk is back and key frames should be asked for.
    """

    def __init__(self, on_relief: Callable[[], None]) -> None:
        self._on_relief = on_relief
        self._added = self._taken = 0
        self._video: set[int] = set()
        self._lost: set[int] = set()
        self._shedding = False
        self._pictures = self._sounds = 0

    @property
    def bytes(self) -> int:
        """What waits."""
        return self._added - self._taken  # each has one writer, so neither needs a lock

    def added(self, size: int) -> None:
        """On the event loop."""
        self._added += size

    def taken(self, size: int) -> None:
        """On the disk's thread."""
        self._taken += size

    def admit(self, record: Record) -> Record | None:
        """The record as it is to be written, None when it is let go of."""
        self._look()
        if isinstance(record, Frame):
            return self._frame(record)
        if isinstance(record, Track) and record.media == "video":
            self._video.add(record.track)
        if isinstance(record, Tick | ClockReport) and self.bytes > MOST_BYTES:
            return None
        return record

    def _frame(self, frame: Frame) -> Frame | None:
        video = frame.track in self._video
        if (video and self._shedding) or self.bytes > MOST_BYTES:
            self._lost.add(frame.track)
        elif frame.track not in self._lost:
            return frame
        elif frame.key or not video:
            self._lost.discard(frame.track)
            return replace(frame, gap=True)
        self._pictures += video
        self._sounds += not video
        return None

    def _look(self) -> None:
        if not self._shedding and self.bytes > VIDEO_BYTES:
            self._shedding = True
            log.error("journal_sheds_load", waiting_bytes=self.bytes)
        elif self._shedding and self.bytes < _RELIEVED:
            self._shedding = False
            log.warning("journal_relieved", pictures_lost=self._pictures, sounds_lost=self._sounds)
            self._pictures = self._sounds = 0
            self._on_relief()
