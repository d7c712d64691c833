"""How far a recording may go: free space, duration and size. What is reached ends it as `limit_reached`, playable."""

from __future__ import annotations

import os
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

    def reached(self, recorded_s: float) -> str | None:
        """The stop reason, None while there is room. recorded_s: how long the file is, 0 before it begins."""
        settings = self._settings
        sizes = self._sizes()
        size = sum(sizes)
        # Joining pieces needs the space of the finished file once more; the storage shares the file, or is elsewhere.
        copy = size if len(sizes) > 1 else 0
        try:
            if settings.recording_min_free_bytes and free_bytes(self._composite.parent) < (
                settings.recording_min_free_bytes + copy
            ):
                return "disk_reserve"
        except OSError:
            return None  # what the disk has against it, the journal's writer says
        if 0 < settings.recording_max_duration_s <= recorded_s:
            return "max_duration"
        ahead = size * _AHEAD_S / recorded_s if recorded_s > _AHEAD_S else 0.0
        if 0 < settings.recording_max_size_bytes <= size + ahead:
            return "max_size"
        return None

    def _sizes(self) -> list[int]:
        """Of the composite's file, or of the pieces that it will be joined from."""
        try:
            return [path.stat().st_size for path in self._composite.parent.glob("composite*.mp4")]
        except OSError:
            return []
