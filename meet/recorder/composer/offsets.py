"""How far sound and picture of one person are apart in the file, as they were placed."""

from __future__ import annotations

from typing import Final

from meet.recorder.composer.opus import RATE
from meet.recorder.composer.scene import SCREEN, Scene
from meet.recorder.composer.video import VideoTrack

_LOOK_US: Final = 500_000


class Offsets:
    """Looks at everybody with camera and microphone twice a second. Both are placed by the same sender's clock; what
    is left is what each has still to be slewed."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._looked_at: int | None = None
        self.worst_us = 0

    def look(self, now: int) -> None:
        """`now`: µs on the journal's clock."""
        if self._looked_at is not None and now - self._looked_at < _LOOK_US:
            return
        self._looked_at = now
        sounds: dict[str, int] = {}
        pictures: dict[str, int] = {}
        for member in self._scene.members.values():
            if member.media.muted:
                continue
            if isinstance(member.media, VideoTrack):
                if member.info.source != SCREEN and member.media.has_picture:
                    pictures[member.info.identity] = member.clock.off
            else:
                sounds[member.info.identity] = member.media.off * 1_000_000 // RATE
        for identity, picture in pictures.items():
            if identity in sounds:
                self.worst_us = max(self.worst_us, abs(sounds[identity] - picture))
