"""Who takes part: tracks as the journal opens and ends them, arranged as people and shared screens."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import structlog

from meet.recorder.composer.audio import AudioTrack
from meet.recorder.composer.clock import SenderClock, TrackClock
from meet.recorder.composer.video import UnknownCodec, VideoTrack
from meet.recorder.journal.records import Track

log = structlog.get_logger(__name__)

_ORPHAN_US: Final = 10_000_000
"""How long a person of an earlier session may take to come back before the tile goes."""
_HOLD_US: Final = 1_500_000
"""A speaker stays on stage at least this long."""


@dataclass(eq=False)
class Member:
    """One track in the scene."""

    info: Track
    clock: TrackClock
    media: VideoTrack | AudioTrack
    orphaned_at: int | None = None

    @property
    def place(self) -> tuple[str, str]:
        """Identity and source: there is one such track at a time."""
        return self.info.identity, self.info.source or self.info.media


@dataclass(frozen=True)
class Tile:
    """One place in the picture. video is None for a person without picture."""

    identity: str
    screen: bool
    video: VideoTrack | None = field(compare=False)
    sid: str = ""

    @property
    def key(self) -> tuple[str, bool]:
        return self.identity, self.screen


class Scene:
    """`changed` says that tiles may have come, gone or got another picture."""

    def __init__(self) -> None:
        self.members: dict[int, Member] = {}
        self.changed = False
        self.video_gaps = 0
        self._clocks: dict[str, SenderClock] = {}
        self._people: list[str] = []
        self._speakers: list[str] = []
        self._stage: str | None = None
        self._staged_at = 0

    # -- the journal's events

    def open(self, info: Track) -> None:
        """A track begins, or what is known of it changed."""
        known = self.members.get(info.track)
        if known is not None:
            known.info = info
            self.mute(info.track, info.muted)
            self._seat(info.identity)
            return
        sender = self._clocks.setdefault(info.identity or info.sid, SenderClock())
        clock = TrackClock(info.clock_rate, sender)
        try:
            media = VideoTrack(info.codec, clock) if info.media == "video" else AudioTrack(clock)
        except UnknownCodec:
            log.error("track_codec_unsupported", sid=info.sid, codec=info.codec)
            return
        media.muted = info.muted
        member = Member(info, clock, media)
        self.members[info.track] = member
        for number, other in list(self.members.items()):
            if other.place == member.place and other.media is not media:
                if isinstance(media, VideoTrack) and isinstance(other.media, VideoTrack):
                    media.picture = other.media.picture  # until its own first picture
                self._drop(number)
        self._seat(info.identity)

    def end(self, track: int) -> None:
        """No more of this track."""
        if track in self.members:
            self._drop(track)
            self.changed = True

    def mute(self, track: int, muted: bool) -> None:
        """The publisher (un)muted."""
        member = self.members.get(track)
        if member is not None and member.media.muted != muted:
            member.media.muted = muted
            if isinstance(member.media, VideoTrack):
                member.media.picture = None  # nobody wants to see the old one again on unmuting
            self.changed = True

    def session(self, at: int) -> None:
        """Another recorder process took over: what it does not subscribe to again soon has gone."""
        for member in self.members.values():
            member.orphaned_at = at

    def expire(self, now: int) -> None:
        """Remove orphans whose time is up."""
        for number, member in list(self.members.items()):
            if member.orphaned_at is not None and now - member.orphaned_at > _ORPHAN_US:
                self.end(number)

    def speaking(self, identities: list[str]) -> None:
        """Active speakers, loudest first."""
        self._speakers = identities

    # -- what the composer asks

    def audio(self) -> list[AudioTrack]:
        """Everything that may sound."""
        return [m.media for m in self.members.values() if isinstance(m.media, AudioTrack)]

    def videos(self) -> list[VideoTrack]:
        """Every video track, shown or not."""
        return [m.media for m in self.members.values() if isinstance(m.media, VideoTrack)]

    def tiles(self) -> list[Tile]:
        """Shared screens first, then people in the order in which they came."""
        screens: list[Tile] = []
        cameras: dict[str, Member] = {}
        for member in self.members.values():
            if not isinstance(member.media, VideoTrack):
                continue
            if member.info.source == "screen_share":
                if not member.media.muted:
                    screens.append(Tile(member.info.identity, True, member.media, member.info.sid))
            else:
                cameras[member.info.identity] = member
        people = []
        for identity in self._people:
            camera = cameras.get(identity)
            video = camera.media if camera is not None and not camera.media.muted else None
            assert not isinstance(video, AudioTrack)
            people.append(Tile(identity, False, video, camera.info.sid if camera is not None else ""))
        return screens + people

    def stage_first(self, now: int) -> list[Tile]:
        """The same tiles with the one for the stage first: a shared screen, else the damped active speaker."""
        tiles = self.tiles()
        if not tiles or tiles[0].screen:
            return tiles
        present = {tile.identity for tile in tiles}
        loudest = next((s for s in self._speakers if s in present), None)
        if self._stage not in present:
            self._stage, self._staged_at = loudest or tiles[0].identity, now
        elif loudest is not None and loudest != self._stage and now - self._staged_at >= _HOLD_US:
            self._stage, self._staged_at = loudest, now
        return sorted(tiles, key=lambda tile: tile.identity != self._stage)

    def _drop(self, number: int) -> None:
        member = self.members.pop(number)
        if isinstance(member.media, VideoTrack):
            self.video_gaps += member.media.gaps
        self._seat(None)

    def _seat(self, identity: str | None) -> None:
        """Give a newcomer the last seat; take away those of people without tracks."""
        present = {member.info.identity for member in self.members.values()}
        if identity is not None and identity not in self._people:
            self._people.append(identity)
        self._people = [known for known in self._people if known in present]
        self.changed = True
