"""How far a recording may go: free space, duration and size. What is reached ends it as `limit_reached`, playable."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Final

from meet.config import Settings

REASONS: Final = {
    "disk_full": "the disk was full; everything up to that point is in the file",
    "disk_reserve": "free disk space came down to the reserve; everything up to that point is in the file",
    "max_duration": "the maximum duration was reached",
    "max_size": "the maximum size was reached",
}
"""Stop reasons that make a recording `limit_reached`, in words for people."""

_AHEAD_S: Final = 3.0
"""What the composer and the last fragment still add after the stop."""


def free_bytes(path: Path) -> int:
    """What an ordinary process may still write on the file system of `path`. Raises OSError."""
    known = os.statvfs(path)
    return known.f_bavail * known.f_frsize


class LimitWatch:
    """Looks once a second whether a running recording has to end."""

    def __init__(self, settings: Settings, composite: Path) -> None:
        self._settings = settings
        self._composite = composite

    def reached(self, begun_at_us: int) -> str | None:
        """The stop reason, None while there is room. begun_at_us: unix µs of the file's time zero, 0 before it."""
        settings = self._settings
        size = self._size()
        # A file store on the same file system needs the space of the finished file once more.
        copy = size if settings.blob_storage_mode == "fs" else 0
        try:
            if settings.recording_min_free_bytes and free_bytes(self._composite.parent) < (
                settings.recording_min_free_bytes + copy
            ):
                return "disk_reserve"
        except OSError:
            return None  # what the disk has against it, the journal's writer says
        elapsed_s = (time.time_ns() // 1000 - begun_at_us) / 1e6 if begun_at_us else 0.0
        if 0 < settings.recording_max_duration_s <= elapsed_s:
            return "max_duration"
        ahead = size * _AHEAD_S / elapsed_s if elapsed_s > _AHEAD_S else 0.0
        if 0 < settings.recording_max_size_bytes <= size + ahead:
            return "max_size"
        return None

    def _size(self) -> int:
        try:
            return self._composite.stat().st_size
        except OSError:
            return 0
