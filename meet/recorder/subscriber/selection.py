"""Recording one participant instead of the whole room: which tracks are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Self

from livekit.protocol import models

_SCREEN: Final = frozenset({3, 4})


@dataclass(frozen=True)
class Selection:
    """Camera and microphone of one participant, or its screen share and that one's sound."""

    identity: str
    screen_share: bool = False

    @classmethod
    def from_request(cls, request: dict[str, Any]) -> Self | None:
        """The `participant` object of request.json; None when the whole room is recorded."""
        wish = request.get("participant")
        if not isinstance(wish, dict):
            return None
        return cls(str(wish.get("identity")), wish.get("screen_share") is True)

    def wants(self, participant: models.ParticipantInfo, track: models.TrackInfo) -> bool:
        """A track without a source counts as camera or microphone."""
        if participant.identity != self.identity:
            return False
        source = int(track.source)
        return (source in _SCREEN) is self.screen_share

    def is_about(self, participant: models.ParticipantInfo) -> bool:
        """True for the participant itself."""
        return participant.identity == self.identity
