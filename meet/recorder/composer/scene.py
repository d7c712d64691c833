"""Who takes part: tracks as the journal opens and ends them, arranged as people and shared screens."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Final

import structlog

from meet.recorder.composer.audio import AudioTrack
from meet.recorder.composer.clock import SenderClock, TrackClock
from meet.recorder.composer.text import clean, readable
from meet.recorder.composer.video import UnknownCodec, VideoTrack
from meet.recorder.journal.records import Person, Track
from meet.recorder.quarantine.note import UNREAD, Note

log = structlog.get_logger(__name__)

SCREEN: Final = "screen_share"
_SCREEN_SUFFIX: Final = " (screen)"
_ORPHAN_US: Final = 10_000_000
"""How long a person of an earlier session may take to come back before the tile goes."""
_LINGER_US: Final = 500_000
"""How long the last picture of an ended track is seen. Who leaves ends the tracks first, and only then is told to have
left: initials in between would be a flash. By the journal's time, so every composition of it shows the same."""


@dataclass(eq=False)
class Member:
    """One track in the scene. ending: nothing more of it will come; ended: everything of it has been seen."""

    info: Track
    clock: TrackClock
    media: VideoTrack | AudioTrack
    orphaned_at: int | None = None
    ending: bool = False
    ended: bool = False

    def replaced_by(self, info: Track) -> bool:
        """The newcomer is this track again: by another connection or another process, or published anew."""
        place = self.info.identity, self.info.source or self.info.media
        same_place = place == (info.identity, info.source or info.media)
        return self.info.sid == info.sid or (same_place and (self.ending or self.orphaned_at is not None))


Key = tuple[str, bool]
"""A tile's identity, and whether it is a shared screen."""


@dataclass(frozen=True)
class Tile:
    """One place in the picture. video is None for a person without picture."""

    key: Key
    name: str
    video: VideoTrack | None = field(compare=False)
    sid: str = ""

    @property
    def owner(self) -> str:
        """The name of whose face or screen it is."""
        return self.name.removesuffix(_SCREEN_SUFFIX) if self.key[1] else self.name


@dataclass(eq=False)
class _Person:
    """Somebody who may be seen. stays: told by the room, so the tile does not depend on tracks."""

    name: str
    stays: bool = False
    orphaned_at: int | None = None


def _drawn(name: str) -> str:
    """The name as it is drawn; "" when nothing of it can be, so that the identity stands in its place."""
    line = clean(name)
    return line if readable(line) else ""


class Scene:
    """`changed`: tiles may have come, gone or got another picture. `speakers`: identities, loudest first.
    note: for the tracks' decoders. live: key frames can be asked for."""

    def __init__(self, note: Note = UNREAD, *, live: bool = False) -> None:
        self._note, self._live = note, live
        self.members: dict[int, Member] = {}
        self.changed = False
        self.video_gaps = self.audio_gaps = 0
        self._clocks: dict[str, SenderClock] = {}
        self.speakers: list[str] = []
        self._people: dict[str, _Person] = {}
        self._fading: list[AudioTrack] = []
        self._later: list[tuple[int, int, Callable[[], None]]] = []
        self._number = count()

    # -- the journal's events

    def later(self, at: int, event: Callable[[], None]) -> None:
        """Have the event happen when `at` is drawn: until then there are pictures of before it."""
        heapq.heappush(self._later, (at, next(self._number), event))

    def settle(self, now: int | None = None) -> None:
        """Let happen what is due, or all that waits."""
        while self._later and (now is None or self._later[0][0] <= now):
            heapq.heappop(self._later)[2]()

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
            media: VideoTrack | AudioTrack
            if info.media == "video":
                media = VideoTrack(info.codec, clock, self._note, live=self._live)
            else:
                media = AudioTrack(clock, note=self._note)
        except UnknownCodec:
            log.error("track_codec_unsupported", sid=info.sid, codec=info.codec)
            return
        media.muted = info.muted
        member = Member(info, clock, media)
        self.members[info.track] = member
        for number, other in list(self.members.items()):
            if other.media is media or not other.replaced_by(info):
                continue
            if isinstance(media, VideoTrack) and isinstance(other.media, VideoTrack):
                media.inherit(other.media)
            self._drop(number)
        self._seat(info)

    def person(self, record: Person) -> None:
        """Somebody came, has another name now, or left."""
        name = _drawn(record.name)
        known = self._people.setdefault(record.identity, _Person(name))
        known.name, known.stays, known.orphaned_at = name or known.name, record.present, None
        self._unseat()

    def ends(self, track: int, at: int) -> None:
        """Nothing of this track was captured after `at`; until then it is seen and heard. The last picture of somebody
        who stays is seen a little longer."""
        member = self.members.get(track)
        if member is not None and not member.ending:
            member.ending = True
            self.later(at, lambda: self._end(track, member, at))

    def _end(self, track: int, member: Member, at: int) -> None:
        if self.members.get(track) is not member:
            return
        if member.ended or isinstance(member.media, AudioTrack):
            self._drop(track)
        else:
            member.ended = True
            self.later(at + _LINGER_US, lambda: self._end(track, member, at))
            self._unseat()

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
        self.settle()
        for member in self.members.values():
            member.orphaned_at = at
        for person in self._people.values():
            person.orphaned_at = at

    def expire(self, now: int) -> None:
        """What is due until `now`; orphans whose time is up go."""
        self.settle(now)
        if self._fading:
            self._silence()
        for number, member in list(self.members.items()):
            if member.orphaned_at is not None and now - member.orphaned_at > _ORPHAN_US:
                self._drop(number)
        for person in self._people.values():
            if person.stays and person.orphaned_at is not None and now - person.orphaned_at > _ORPHAN_US:
                person.stays = False
                self._unseat()
                break  # the others' turn is at the next tick

    # -- what the composer asks

    def audio(self) -> list[AudioTrack]:
        """Everything that may sound."""
        return [m.media for m in self.members.values() if isinstance(m.media, AudioTrack)] + self._fading

    def videos(self) -> list[VideoTrack]:
        """Every video track, shown or not."""
        return [m.media for m in self.members.values() if isinstance(m.media, VideoTrack)]

    def video_sids(self) -> list[str]:
        """Sids of all video tracks, shown or not."""
        return [m.info.sid for m in self.members.values() if isinstance(m.media, VideoTrack)]

    def screens(self) -> tuple[list[Tile], list[Tile]]:
        """Shared screens, the newest first: those that can be shown, of somebody's several the newest; and newer ones
        whose first picture is still to come."""
        shown: dict[str, Tile] = {}
        awaited: list[Tile] = []
        for member in reversed(self.members.values()):
            who, media = member.info.identity, member.media
            if member.info.source != SCREEN or not isinstance(media, VideoTrack) or media.muted or who in shown:
                continue
            tile = Tile((who, True), self._name(member.info) + _SCREEN_SUFFIX, media, member.info.sid)
            if media.has_picture:
                shown[who] = tile
            else:
                awaited.append(tile)
        return list(shown.values()), awaited

    def people(self) -> list[Tile]:
        """People in the order in which they came, with their newest picture or without any."""
        cameras: dict[str, tuple[VideoTrack, str]] = {}
        for member in self.members.values():
            media, who = member.media, member.info.identity
            if not isinstance(media, VideoTrack) or member.info.source == SCREEN:
                continue
            if who not in cameras or not media.muted:
                cameras[who] = media, member.info.sid
        tiles = []
        for identity, person in self._people.items():
            video, sid = cameras.get(identity, (None, ""))
            shown = video if video is not None and not video.muted else None
            tiles.append(Tile((identity, False), person.name or identity, shown, sid))
        return tiles

    def _name(self, info: Track) -> str:
        known = self._people.get(info.identity)
        return (known.name if known is not None else _drawn(info.name)) or info.identity

    def _drop(self, number: int) -> None:
        self._let_go(number)
        self._unseat()

    def _let_go(self, number: int) -> None:
        member = self.members.pop(number, None)
        if member is None:
            return  # with somebody who left
        media = member.media
        if isinstance(media, VideoTrack):
            self.video_gaps += media.gaps
        else:
            media.end()
            self._fading.append(media)  # mixing is behind drawing

    def _silence(self) -> None:
        """Let go of ended tracks of which everything has been mixed."""
        self.audio_gaps += sum(audio.gaps for audio in self._fading if audio.silent)
        self._fading = [audio for audio in self._fading if not audio.silent]

    def _seat(self, info: Track) -> None:
        """A newcomer gets the last seat; a shared screen makes nobody a face."""
        if not info.source.startswith(SCREEN):
            self._seat_person(info)
        self._unseat()

    def _seat_person(self, info: Track) -> None:
        name = _drawn(info.name)
        person = self._people.setdefault(info.identity, _Person(name))
        if not person.stays and name:
            person.name = name

    def _unseat(self) -> None:
        """Those who have left, and of whom no track is left, go, and what was still seen of them."""
        live = [member.info for member in self.members.values() if not member.ended]
        present = {info.identity for info in live if not info.source.startswith(SCREEN)}
        self._people = {who: person for who, person in self._people.items() if person.stays or who in present}
        for number, member in list(self.members.items()):
            if member.ended and member.info.identity not in self._people:
                self._let_go(number)
        self.changed = True
