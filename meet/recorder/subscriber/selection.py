"""Recording less than the whole room: which tracks are asked for, and who is seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Protocol

from livekit.protocol import models

_SCREEN: Final = frozenset({3, 4})
_ABSENT_S: Final = 15.0
_FACELESS: Final = "screen_share_audio"
"""A source that the composer gives no tile."""


class Selection(Protocol):
    """What of the room is recorded. It is over when nobody is left of whom it is about, or `lasts` as the room does.

    patience_s: so long it may take until somebody is there; None waits for ever.
    """

    @property
    def lasts(self) -> bool: ...

    @property
    def patience_s(self) -> float | None: ...

    def wants(self, participant: models.ParticipantInfo, track: models.TrackInfo) -> bool:
        """True for a track that is to be received."""

    def is_about(self, participant: models.ParticipantInfo) -> bool:
        """True for who has, or will have, such tracks."""

    def shows(self, participant: models.ParticipantInfo) -> bool:
        """True for who gets a tile even without a picture."""

    def source(self, participant: models.ParticipantInfo, track: models.TrackInfo, source: str) -> str:
        """The source under which the track is recorded."""


@dataclass(frozen=True)
class OfParticipant:
    """Camera and microphone of one participant, or its screen share and that one's sound."""

    identity: str
    screen_share: bool = False

    @property
    def lasts(self) -> bool:
        return False

    @property
    def patience_s(self) -> float | None:
        return None

    def wants(self, participant: models.ParticipantInfo, track: models.TrackInfo) -> bool:
        """A track without a source counts as camera or microphone."""
        return self.is_about(participant) and (int(track.source) in _SCREEN) is self.screen_share

    def is_about(self, participant: models.ParticipantInfo) -> bool:
        return participant.identity == self.identity

    def shows(self, participant: models.ParticipantInfo) -> bool:
        return self.is_about(participant) and not self.screen_share

    def source(self, participant: models.ParticipantInfo, track: models.TrackInfo, source: str) -> str:
        return source


@dataclass(frozen=True)
class OfTracks:
    """One track or two, by sid; "" for none. The picture fills the frame, and the sound has no face of its own."""

    video: str
    audio: str

    @property
    def lasts(self) -> bool:
        return False

    @property
    def patience_s(self) -> float | None:
        """It was there when the recording was asked for; after a restart of the media server it has another sid."""
        return _ABSENT_S

    def wants(self, participant: models.ParticipantInfo, track: models.TrackInfo) -> bool:
        return track.sid in (self.video, self.audio)

    def is_about(self, participant: models.ParticipantInfo) -> bool:
        return any(self.wants(participant, track) for track in participant.tracks)

    def shows(self, participant: models.ParticipantInfo) -> bool:
        shown = next((track for track in participant.tracks if track.sid == self.video), None)
        return shown is not None and int(shown.source) not in _SCREEN

    def source(self, participant: models.ParticipantInfo, track: models.TrackInfo, source: str) -> str:
        alone = track.sid == self.audio and not any(other.sid == self.video for other in participant.tracks)
        return _FACELESS if alone and self.video else source


@dataclass(frozen=True)
class OfMedia:
    """Sound alone ("audio"), or pictures alone ("video"): everybody's, or of what `of` chooses."""

    media: str
    of: Selection | None = None

    @property
    def lasts(self) -> bool:
        return self.of is None or self.of.lasts

    @property
    def patience_s(self) -> float | None:
        return self.of.patience_s if self.of is not None else None

    def wants(self, participant: models.ParticipantInfo, track: models.TrackInfo) -> bool:
        kind = models.TrackType.AUDIO if self.media == "audio" else models.TrackType.VIDEO
        return int(track.type) == int(kind) and (self.of is None or self.of.wants(participant, track))

    def is_about(self, participant: models.ParticipantInfo) -> bool:
        return self.of is None or self.of.is_about(participant)

    def shows(self, participant: models.ParticipantInfo) -> bool:
        return self.of is None or self.of.shows(participant)

    def source(self, participant: models.ParticipantInfo, track: models.TrackInfo, source: str) -> str:
        return self.of.source(participant, track, source) if self.of is not None else source


def chosen_by(request: dict[str, Any]) -> Selection | None:
    """What request.json says of `only`, `participant` and `tracks`; None when all of the room is recorded."""
    chosen = _part_of_the_room(request)
    return OfMedia(str(request["only"]), chosen) if request.get("only") else chosen


def _part_of_the_room(request: dict[str, Any]) -> Selection | None:
    participant, tracks = request.get("participant"), request.get("tracks")
    if isinstance(tracks, dict):
        return OfTracks(str(tracks.get("video") or ""), str(tracks.get("audio") or ""))
    if isinstance(participant, dict):
        return OfParticipant(str(participant.get("identity")), participant.get("screen_share") is True)
    return None
