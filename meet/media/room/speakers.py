"""Who is speaking: turns levels into the changes clients are told."""

from __future__ import annotations

from collections.abc import Mapping

from meet.media.room.link import SpeakerLevel

_STEP = 0.1


class Speakers:
    """State of one room. Feed it about twice a second."""

    def __init__(self) -> None:
        self._active: dict[str, float] = {}

    def update(self, levels: Mapping[str, float]) -> list[SpeakerLevel]:
        """levels: participant sid to 0..1, 0 meaning silence. Returns starts, marked changes and ends only."""
        changes = []
        for sid, level in levels.items():
            before = self._active.get(sid)
            if level > 0 and (before is None or abs(level - before) >= _STEP):
                self._active[sid] = level
                changes.append(SpeakerLevel(sid, min(1.0, level), active=True))
        for sid in list(self._active):
            if not levels.get(sid):
                del self._active[sid]
                changes.append(SpeakerLevel(sid, 0.0, active=False))
        return changes
