"""Who takes part: tracks as the journal opens and ends them, arranged as people and shared screens."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import structlog

from meet.recorder.composer.audio import AudioTrack
from meet.recorder.composer.clock import SenderClock, TrackClock
from meet.recorder.composer.video import UnknownCodec, VideoTrack
from meet.recorder.journal.records import Person, Track

log = structlog.get_logger(__name__)

SCREEN: Final = "screen_share"
_ORPHAN_US: Final = 10_000_000
"""How long a person of an earlier session may take to come back before the tile goes."""


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


Key = tuple[str, bool]
"""A tile's identity, and whether it is a shared screen."""


@dataclass(frozen=True)
class Tile:
    """One place in the picture. video is None for a person without picture."""

    key: Key
    name: str
    video: VideoTrack | None = field(compare=False)
    sid: str = ""


@dataclass(eq=False)
class _Person:
    """Somebody who may be seen. stays: told by the room, so the tile does not depend on tracks."""

    name: str
    stays: bool = False
    orphaned_at: int | None = None


class Scene:
    """`changed`: tiles may have come, gone or got another picture. `speakers`: identities, loudest first."""

    def __init__(self) -> None:
        self.members: dict[int, Member] = {}
        self.changed = False
        self.video_gaps = self.audio_gaps = 0
        self._clocks: dict[str, SenderClock] = {}
        self.speakers: list[str] = []
        self._people: dict[str, _Person] = {}

    # -- the journal's events

    def open(self, info: Track) -> None:
        """A track begins, or what is known of it changed."""
        known = self.members.get(info.track)
        if known is not None:
            known.info = info
            self.mute(info.track, info.muted)
            self._seat(info)
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
                    media.inherit(other.media)
                self._drop(number)
        self._seat(info)

    def person(self, record: Person) -> None:
        """Somebody came, has another name now, or left."""
        known = self._people.setdefault(record.identity, _Person(record.name))
        known.name, known.stays, known.orphaned_at = record.name or known.name, record.present, None
        self._unseat()

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
                member.media.forget()  # nobody wants to see the old one again on unmuting
            self.changed = True

    def session(self, at: int) -> None:
        """Another recorder process took over: what it does not subscribe to again soon has gone."""
        for member in self.members.values():
            member.orphaned_at = at
        for person in self._people.values():
            person.orphaned_at = at

    def expire(self, now: int) -> None:
        """Remove orphans whose time is up."""
        for number, member in list(self.members.items()):
            if member.orphaned_at is not None and now - member.orphaned_at > _ORPHAN_US:
                self.end(number)
        for person in self._people.values():
            if person.stays and person.orphaned_at is not None and now - person.orphaned_at > _ORPHAN_US:
                person.stays = False
                self._unseat()
                break  # the others' turn is at the next tick

    # -- what the composer asks

    def audio(self) -> list[AudioTrack]:
        """Everything that may sound."""
        return [m.media for m in self.members.values() if isinstance(m.media, AudioTrack)]

    def videos(self) -> list[VideoTrack]:
        """Every video track, shown or not."""
        return [m.media for m in self.members.values() if isinstance(m.media, VideoTrack)]

    def video_sids(self) -> list[str]:
        """Sids of all video tracks, shown or not."""
        return [m.info.sid for m in self.members.values() if isinstance(m.media, VideoTrack)]

    def screens(self) -> list[Tile]:
        """Shared screens, the newest first."""
        return [
            Tile((member.info.identity, True), f"{self._name(member.info)} (screen)", member.media, member.info.sid)
            for member in reversed(self.members.values())
            if member.info.source == SCREEN and isinstance(member.media, VideoTrack) and not member.media.muted
        ]

    def people(self) -> list[Tile]:
        """People in the order in which they came, with or without a picture."""
        cameras = {
            member.info.identity: (member.media, member.info.sid)
            for member in self.members.values()
            if isinstance(member.media, VideoTrack) and member.info.source != SCREEN
        }
        tiles = []
        for identity, person in self._people.items():
            video, sid = cameras.get(identity, (None, ""))
            shown = video if video is not None and not video.muted else None
            tiles.append(Tile((identity, False), person.name or identity, shown, sid))
        return tiles

    def _name(self, info: Track) -> str:
        known = self._people.get(info.identity)
        return (known.name if known is not None else info.name) or info.identity

    def _drop(self, number: int) -> None:
        member = self.members.pop(number)
        if isinstance(member.media, VideoTrack):
            self.video_gaps += member.media.gaps
        else:
            self.audio_gaps += member.media.gaps
        self._unseat()

    def _seat(self, info: Track) -> None:
        """A newcomer gets the last seat; a shared screen makes nobody a face."""
        if not info.source.startswith(SCREEN):
            self._seat_person(info)
        self._unseat()

    def _seat_person(self, info: Track) -> None:
        person = self._people.setdefault(info.identity, _Person(info.name))
        if not person.stays and info.name:
            person.name = info.name

    def _unseat(self) -> None:
        """Those who have left, and of whom no track is left, go."""
        present = {m.info.identity for m in self.members.values() if not m.info.source.startswith(SCREEN)}
        self._people = {who: person for who, person in self._people.items() if person.stays or who in present}
        self.changed = True
