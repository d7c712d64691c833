"""What stands beside the media of a journal: told again by the writer, put right by the reader behind damage."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from meet.recorder.journal.records import (
    Begin,
    ClockReport,
    Context,
    Frame,
    LayoutChange,
    Mute,
    Pause,
    Person,
    Record,
    Resume,
    Session,
    Tick,
    Track,
    TrackEnd,
    encode,
)
from meet.recorder.journal.scan import Lost

_AFTER_S: Final = 1.0
"""So long after a change it is told again: not in the same sector of a disk, and soon."""
_BYTES_PER_S: Final = 10_000
"""At most so much of the journal is repetition, however many people come and go."""


@dataclass(slots=True)
class Known:
    """As the fields of `Context` say."""

    begin_at: int = 0
    paused_at: int = 0
    layout: str = ""
    tracks: dict[int, Track] = field(default_factory=dict)
    people: dict[str, str] = field(default_factory=dict)

    def take(self, record: Record) -> bool:
        """One more record, no frame; whether it changes anything."""
        match record:
            case Session():
                self.tracks.clear()
                self.people.clear()
            case Begin():
                self.begin_at = self.begin_at or record.at
            case Pause() if not self.paused_at:
                self.paused_at = record.at
            case Resume():
                self.paused_at = 0
            case LayoutChange():
                self.layout = record.layout
            case Track():
                self.tracks[record.track] = record
            case TrackEnd():
                self.tracks.pop(record.track, None)
            case Mute() if (track := self.tracks.get(record.track)) is not None:
                self.tracks[record.track] = replace(track, muted=record.muted)
            case Person(present=True):
                self.people[record.identity] = record.name
            case Person():
                self.people.pop(record.identity, None)
            case _:
                return False
        return True

    def context(self, at: int) -> Context | None:
        """All of it, None when there is nothing."""
        if not (self.begin_at or self.paused_at or self.layout or self.tracks or self.people):
            return None
        return Context(at, self.begin_at, self.paused_at, self.layout, list(self.tracks.values()), self.people)

    def corrections(self, told: Context) -> Iterator[Record]:
        """What has to be said so that this becomes what the writer knew."""
        at, tracks = told.at, {track.track: track for track in told.tracks}
        if told.begin_at and not self.begin_at:
            yield Begin(told.begin_at)
        if told.paused_at and not self.paused_at:
            yield Pause(told.paused_at)
        elif self.paused_at and not told.paused_at:
            yield Resume(at)
        if told.layout and told.layout != self.layout:
            yield LayoutChange(at, told.layout)
        for identity, name in self.people.items():
            if identity not in told.people:
                yield Person(at, identity, name, present=False)
        for identity, name in told.people.items():
            if self.people.get(identity) != name:
                yield Person(at, identity, name)
        for number, track in self.tracks.items():
            if number not in tracks or track.sid != tracks[number].sid:
                yield TrackEnd(at, number)
        for number, track in tracks.items():
            known = self.tracks.get(number)
            if known is None or known.sid != track.sid:
                yield replace(track, at=at)
            elif known.muted != track.muted:
                yield Mute(at, number, track.muted)


class Teller:
    """The writer's: when what is known has to be told again. begin_at, paused_at: as earlier processes knew."""

    def __init__(self, begin_at: int = 0, paused_at: int = 0) -> None:
        self._known = Known(begin_at, paused_at)
        self._at = 0
        self._changed: float | None = None
        self._quiet_until = 0.0

    def take(self, record: Record) -> None:
        """A record that is being written, no frame."""
        self._at = max(self._at, record.at)
        if self._known.take(record) and self._changed is None:
            self._changed = time.monotonic()

    def due(self) -> bytes:
        """The encoded Context, if something has changed."""
        now = time.monotonic()
        if self._changed is None or now - self._changed < _AFTER_S or now < self._quiet_until:
            return b""
        data = self.all()
        self._quiet_until = now + len(data) / _BYTES_PER_S
        return data

    def all(self) -> bytes:
        """The encoded Context; nothing before the first record."""
        self._changed = None
        told = self._known.context(self._at) if self._at else None
        return encode(told) if told is not None else b""


class Mending:
    """The reader's: passes records on, and behind damage says what is missing between them."""

    def __init__(self, known: Known | None = None) -> None:
        self._known = known or Known()
        self._damaged = False
        self._gaps: set[int] = set()
        self.alert = False
        """Frames are to be given to `take`, too."""

    def take(self, record: Record | Lost) -> Iterator[Record]:
        """What follows from it: the record itself, mostly."""
        match record:
            case Lost():
                self._lost(record)
                return
            case Context():
                yield from self._told(record)
            case Frame():
                yield from self._resumed(record.at)
                yield self._marked(record)
            case _:
                if isinstance(record, Tick | ClockReport):
                    yield from self._resumed(record.at)
                elif isinstance(record, TrackEnd):
                    self._gaps.discard(record.track)
                self._known.take(record)
                yield record
        self.alert = self._damaged or bool(self._gaps)

    def _marked(self, frame: Frame) -> Frame:
        if frame.track not in self._gaps:
            return frame
        self._gaps.discard(frame.track)
        picture = (track := self._known.tracks.get(frame.track)) is not None and track.media == "video"
        return replace(frame, broken=True) if picture else replace(frame, gap=True)

    def _lost(self, lost: Lost) -> None:
        if lost.track != 0:
            known = self._known.tracks
            self._gaps |= {lost.track} if lost.track in known else set(known)
        self._damaged = self.alert = True

    def _told(self, context: Context) -> Iterator[Record]:
        if self._damaged:
            for missing in list(self._known.corrections(context)):
                self._known.take(missing)
                yield missing
        self._damaged = False
        tracks = {track.track: track for track in context.tracks}
        self._known = Known(context.begin_at, context.paused_at, context.layout, tracks, dict(context.people))

    def _resumed(self, at: int) -> Iterator[Record]:
        """During a pause nothing of the kind is written."""
        if self._damaged and self._known.paused_at:
            self._known.paused_at = 0
            yield Resume(at)
