"""How far a recording may go: free space, duration and size. What is reached ends it as `limit_reached`, playable."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeAlias

import storage
from meet.config import Settings
from meet.recorder.composer.profile import Profile
from meet.recorder.tracks.relief import relieve

Coming: TypeAlias = Callable[[float, int], int]
"""Bytes that a file will have after so many recorded seconds, for which so many bytes of media were received."""

REASONS: Final = {
    "disk_full": "the disk was full; everything up to that point is in the file",
    "disk_reserve": "free disk space came down to the reserve; everything up to that point is in the file",
    "max_duration": "the maximum duration was reached",
    "max_size": "the maximum size was reached",
}
"""Stop reasons that make a recording `limit_reached`, in words for people."""

_AHEAD_S: Final = 3.0
"""What the composer and the last fragment still add after the stop."""
_BURST_S: Final = 2.0
"""So much more than its bit rate may an encoder spend at once."""
_CONTAINER: Final = 1.02
"""What indexes and headers make of it."""
_TELLING_S: Final = 60.0
"""From so long a piece on, what is there tells what is to come."""
_LIVELIER: Final = 2.0
"""So much more than that may it be."""


def free_bytes(path: Path) -> int:
    """What an ordinary process may still write on the file system of `path`. Raises OSError."""
    known = os.statvfs(path)
    return known.f_bavail * known.f_frsize


def existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    return next((path for path in (folder, *folder.parents) if path.exists()), Path("/"))


def at_most(profile: Profile, recorded_s: float, media_bytes: int) -> int:
    """Bytes that so many seconds can be composed to, whatever they show: all that the bit rates allow."""
    return round(_rate(profile) * (recorded_s + _BURST_S) / 8 * _CONTAINER)


def _rate(profile: Profile) -> int:
    return profile.video_bitrate * profile.picture + profile.audio_bitrate * profile.sound


def behind(profile: Profile, there: int, there_s: float, recorded_s: float, media_bytes: int) -> int:
    """The same where a composition has come to an early end: `there` bytes of `there_s` seconds will be gone on with.

    The rest is at most twice as lively as these, if they are a minute or more."""
    rate = float(_rate(profile))
    if there_s >= _TELLING_S:
        rate = min(rate, there * 8 / there_s * _LIVELIER)
    return there + round(rate * (max(recorded_s - there_s, 0.0) + _BURST_S) / 8 * _CONTAINER)


def as_it_came(recorded_s: float, media_bytes: int) -> int:
    """Bytes of the file that media of so many bytes are copied into, however long they last."""
    return round(media_bytes * _CONTAINER)


class LimitWatch:
    """Looks once a second whether a running recording has to end."""

    def __init__(self, settings: Settings, composite: Path, coming: Coming | None = None) -> None:
        """coming: tells the size that the file will have, where it is not there to be seen (any more)."""
        self._settings = settings
        self._composite = composite
        self.coming = coming
        self._storage = storage.local_folder(settings)

    def reached(self, recorded_s: float, media_bytes: int = 0) -> str | None:
        """The stop reason, None while there is room.

        recorded_s: how long the file is, 0 before it begins. media_bytes: what has been received for it."""
        settings = self._settings
        size, copy = self._sizes(recorded_s, media_bytes)
        if settings.recording_min_free_bytes and self._short(size, copy):
            return "disk_reserve"
        if 0 < settings.recording_max_duration_s <= recorded_s:
            return "max_duration"
        ahead = size * _AHEAD_S / recorded_s if recorded_s > _AHEAD_S else 0.0
        if 0 < settings.recording_max_size_bytes <= size + ahead:
            return "max_size"
        return None

    def _sizes(self, recorded_s: float, media_bytes: int) -> tuple[int, int]:
        """(of the file if the recording ended now, what finishing it takes of the spool beside what is there)."""
        try:
            pattern = f"{self._composite.stem}*{self._composite.suffix}"
            sizes = [path.stat().st_size for path in self._composite.parent.glob(pattern)]
        except OSError:
            sizes = []
        there = sum(sizes)
        if self.coming is not None:
            size = max(self.coming(recorded_s, media_bytes), there)
            return size, size - there + (size if there else 0)
        return there, there if len(sizes) > 1 else 0  # pieces are joined into another file

    def _short(self, size: int, copy: int) -> bool:
        """Whether what is free has come down to the reserve, and what finishing takes."""
        reserve, spool = self._settings.recording_min_free_bytes, self._composite.parent
        try:
            if not relieve(spool.parent, lambda: free_bytes(spool) < reserve + copy):
                return True
            if self._storage is None:
                return False
            folder = existing(self._storage)
            # On the spool's file system the finished file only gets a second name.
            return folder.stat().st_dev != spool.stat().st_dev and free_bytes(folder) < reserve + size
        except OSError:
            return False  # what the disk has against it, the journal's writer says
