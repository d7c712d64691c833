"""A journal's records without those that kill decoders."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace
from typing import Final

import structlog

from meet.recorder.journal.records import ClockReport, Frame, Mute, Record, Track, TrackEnd

log = structlog.get_logger(__name__)

TRACK_LIMIT: Final = 3
"""So many refused frames of somebody's camera (or microphone, or screen): the rest of it is not decoded either."""


def admitted(
    records: Iterable[Record],
    refused: Collection[tuple[int, int]],
    on_given_up: Callable[[str, str], None] = lambda identity, source: None,
) -> Iterable[Record]:
    """The records; a refused frame, (track, rtp), is lost, and the next one says so.

    A track that has had too many ends there, and does not come again under another number, as it would after every
    reconnection. on_given_up: told whose it was, and what."""
    return _Admission(frozenset(refused), on_given_up).of(records) if refused else records


class _Admission:
    def __init__(self, refused: frozenset[tuple[int, int]], on_given_up: Callable[[str, str], None]) -> None:
        self._refused, self._on_given_up = refused, on_given_up
        self._places: dict[int, tuple[str, str]] = {}
        self._counts: Counter[tuple[str, str]] = Counter()
        self._lost: set[int] = set()

    def of(self, records: Iterable[Record]) -> Iterator[Record]:
        for record in records:
            if isinstance(record, Frame):
                yield from self._frame(record)
            elif isinstance(record, Track):
                self._places[record.track] = (record.identity or record.sid, record.source or record.media)
                if not self._over(record.track):
                    yield record
            elif not isinstance(record, ClockReport | Mute | TrackEnd) or not self._over(record.track):
                yield record

    def _over(self, track: int) -> bool:
        return self._counts[self._places.get(track, ("", ""))] >= TRACK_LIMIT

    def _frame(self, frame: Frame) -> Iterator[Record]:
        track = frame.track
        if self._over(track):
            return
        if (track, frame.rtp) in self._refused:
            self._lost.add(track)
            place = self._places.get(track, ("", ""))
            self._counts[place] += 1
            if self._over(track):
                log.error("track_given_up", identity=place[0], source=place[1])
                self._on_given_up(*place)
                for number, whose in self._places.items():
                    if whose == place:
                        yield TrackEnd(frame.at, number)
            return
        if track in self._lost:
            self._lost.discard(track)
            frame = replace(frame, gap=True)
        yield frame
