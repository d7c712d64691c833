"""One track of a journal as one file, however many connections it came over."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from meet.recorder.composer.clock import SenderClock, TrackClock
from meet.recorder.composer.result import Result
from meet.recorder.journal.records import Absence, ClockReport, Frame, Record, Resume, Stop, Track
from meet.recorder.journal.summary import Summary
from meet.recorder.tracks.file import CONTAINERS, TrackFile, UnknownCodec

FORMATS: Final = {**CONTAINERS, "opus": "ogg"}
"""As LiveKit's track egress has them."""


class NothingReceived(Exception):
    """The track never sent anything that could be decoded; `str()` is fit for the user."""


class _Connection:
    """The clock of the connection that frames come over now."""

    def __init__(self, clock: TrackClock) -> None:
        self.clock = clock

    def map(self, rtp: int) -> int:
        return self.clock.map(rtp)


class Extraction:
    """Fed with the records; `path` is without ending, which depends on the codec."""

    def __init__(self, path: Path, sids: frozenset[str]) -> None:
        self._path, self._sids = path, sids
        self._sender = SenderClock()
        self._clocks: dict[int, TrackClock] = {}
        self._connection: _Connection | None = None
        self._file: TrackFile | None = None
        self._media = ""
        self._wants_key = True
        self._past = Summary()
        self._pauses = self._absences = self._absent_us = 0
        self._stop: Stop | None = None

    def take(self, record: Record) -> None:
        """The next record. Raises OSError, av.FFmpegError, UnknownCodec."""
        before = self._past.paused_us
        self._past.take(record)
        match record:
            case Track() if record.sid in self._sids and record.track not in self._clocks:
                self._open(record)
            case Frame() if (clock := self._clocks.get(record.track)) is not None:
                clock.arrived(record.rtp, record.at)
                self._push(record, clock)
            case ClockReport() if (clock := self._clocks.get(record.track)) is not None:
                clock.report(record.ntp, record.rtp, record.at)
            case Resume():
                self._resume(self._past.paused_us - before)
            case Absence() if self._past.paused_us - self._absent_us >= record.away_us:
                # (Else its Pause is damaged, and nothing was cut out.)
                self._absences, self._absent_us = self._absences + 1, self._absent_us + record.away_us
            case Stop():
                self._stop = record
            case _:
                pass  # of other tracks, and of people

    def close(self) -> Result:
        """Finish the file. Raises NothingReceived, OSError, av.FFmpegError."""
        if self._file is None or self._file.first_at is None:
            raise NothingReceived("nothing was received of the track")
        self._file.close()
        gaps = self._file.gaps
        at_end = self._past.ended_paused_us(self._stop.at if self._stop is not None else self._past.last_at)
        return Result(
            duration_s=(self._file.last_at - self._file.first_at) / 1_000_000,
            frames=self._file.frames,
            ended_reason=self._stop.reason if self._stop is not None else "",
            limit=self._stop is not None and self._stop.limit,
            video_gaps=gaps if self._media == "video" else 0,
            audio_gaps=gaps if self._media == "audio" else 0,
            pauses=self._pauses - self._absences + bool(at_end),
            paused_s=(self._past.paused_us - self._absent_us + at_end) / 1_000_000,
            absences=self._absences,
            absent_s=self._absent_us / 1_000_000,
        )

    def _open(self, info: Track) -> None:
        """The track begins, or comes again over another connection with another RTP time."""
        clock = TrackClock(info.clock_rate, self._sender)
        self._clocks[info.track] = clock
        self._wants_key = True
        if self._connection is not None:
            return
        container = FORMATS.get(info.codec.lower())
        if container is None:
            raise UnknownCodec(info.codec)
        self._connection, self._media = _Connection(clock), info.media
        self._file = TrackFile(self._path, info, self._connection, container)

    def _push(self, frame: Frame, clock: TrackClock) -> None:
        if self._wants_key and not frame.key:
            return
        assert self._file is not None and self._connection is not None
        self._wants_key = False
        self._connection.clock = clock
        self._file.push(frame, self._past.paused_us)

    def _resume(self, after_us: int) -> None:
        if after_us:
            self._pauses += 1
            self._wants_key = True
            for clock in self._clocks.values():
                clock.paused(after_us)


def extract(
    records: Iterable[Record], path: Path, sids: frozenset[str], on_record: Callable[[], None] = lambda: None
) -> Result:
    """Write the track with one of these sids to `path` with the ending of its codec.

    on_record: called before each record. Raises NothingReceived, UnknownCodec, OSError, av.FFmpegError."""
    extraction = Extraction(path, sids)
    for record in records:
        on_record()
        extraction.take(record)
        if isinstance(record, Stop):
            break
    return extraction.close()
