"""From rooms to the journal: stays in a room one after the other until the meeting is over or we are told to stop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Self

import structlog

from meet.recorder.journal import records as journal
from meet.recorder.journal.summary import Summary
from meet.recorder.journal.writer import JournalWriter
from meet.recorder.subscriber.depacketize import EncodedFrame
from meet.recorder.subscriber.session import Ending, RoomSession
from meet.recorder.subscriber.signalling import RoomGone, ServerUnreachable, Signalling

log = structlog.get_logger(__name__)

_TICK_S: Final = 0.2
_QUIET_US: Final = 100_000
_PAUSED_QUIET_US: Final = 1_000_000
"""So often a pause is said again: all that the journal has to know of it is how long, should it end in a crash."""
_BEGIN_ANYWAY_S: Final = 0.7
_RETRY_S: Final = 0.5
ABSENT_US: Final = 60_000_000
"""So long a gap is shown as the last pictures and silence. Recorders are replaced within seconds, a server that is
started again is there within a minute."""


class SteadyClock:
    """Unix microseconds that never step: wall clock at construction plus monotonic time since.

    after: what an earlier process's clock had come to; a wall clock that was set back meanwhile is not believed.
    offset_us: of that process's clock, if it ran since the same boot: then the wall clock means nothing."""

    def __init__(self, after: int = 0, offset_us: int | None = None) -> None:
        monotonic = time.monotonic_ns() // 1000
        now = time.time_ns() // 1000 if offset_us is None else offset_us + monotonic
        self.offset_us = max(now, after) - monotonic

    @classmethod
    def behind(cls, past: Summary, boot: str) -> Self:
        """Going on where earlier processes' clocks were."""
        return cls(past.last_at, past.offset_us if past.boot == boot != "" else None)

    def now(self) -> int:
        """Unix time in microseconds."""
        return self.offset_us + time.monotonic_ns() // 1000

    def at(self, monotonic_s: float) -> int:
        """The same for a monotonic time in seconds."""
        return self.offset_us + int(monotonic_s * 1_000_000)


class JournalSink:
    """Writes what a session receives. past: what the journal has from earlier processes. boot: `boot_id()`.

    While it is paused, who comes and goes is written, but nothing of what they send. The time since the last process is
    part of the file, unless it was long, or the machine was started anew and nobody knows: then it is cut out like a
    pause.
    """

    def __init__(
        self, writer: JournalWriter, clock: SteadyClock, egress_id: str, past: Summary, boot: str = ""
    ) -> None:
        self._writer, self._clock = writer, clock
        self._next_track = past.next_track
        self.begun_at = past.begin_at
        """Time of the Begin record, 0 before it."""
        self.media_bytes = past.media_bytes
        """Of all frames so far."""
        self._paused_at, self._paused_us = past.paused_at, past.paused_us
        self._awaiting_key: set[int] = set()
        self.on_begin: Callable[[], None] | None = None
        self._speakers: list[str] = []
        self._people: dict[str, str] = {}
        self._video: set[int] = set()
        self._open: set[int] = set()
        self.last_at = clock.now()
        self._absent_since = past.last_at if _long_away(past, self.last_at, boot) else 0
        self._put(journal.Session(self.last_at, egress_id))
        if boot:
            self._put(journal.TimeBase(past.last_at or self.last_at, boot, clock.offset_us))

    def _put(self, record: journal.Record) -> None:
        self.last_at = max(self.last_at, record.at)
        self._writer.append(record)

    def begin(self) -> None:
        """Time zero of the file, if it is not set yet."""
        if not self.begun_at:
            self.begun_at = self._clock.now()
            self._put(journal.Begin(self.begun_at))
            if self.on_begin is not None:
                self.on_begin()

    @property
    def paused(self) -> bool:
        """Nothing of the media is being written."""
        return self._paused_at > 0

    @property
    def recorded_us(self) -> int:
        """How long the file is by now, without pauses."""
        if not self.begun_at:
            return 0
        now = self._paused_at or self._absent_since or self._clock.now()
        return max(now - self.begun_at - self._paused_us, 0)

    def pause(self) -> None:
        """From now on no media, and no time passes in the file."""
        if not self.paused:
            self._paused_at, self._absent_since = self._absent_since or self._clock.now(), 0
            self._put(journal.Pause(self._paused_at))

    def resume(self) -> None:
        """Go on; video with its next key frames, which somebody has to ask for."""
        if self.paused:
            now = self._clock.now()
            if self.begun_at:
                self._paused_us += max(now - max(self._paused_at, self.begun_at), 0)
            self._paused_at = 0
            self._awaiting_key = set(self._video)
            self._put(journal.Resume(now))

    def tick(self) -> None:
        """Time passes, even when nothing else tells so."""
        now = self._clock.now()
        if self.paused and now - self.last_at >= _PAUSED_QUIET_US:
            self._put(journal.Pause(now))
        elif not (self.paused or self._absent_since) and now - self.last_at >= _QUIET_US:
            self._put(journal.Tick(now))

    def joined(self, others: int) -> None:
        for number in sorted(self._open):  # of a connection that was lost; its tracks come again under new numbers
            self.track_ended(number)
        if since := self._absent_since:
            self.pause()
            self.resume()
            self._put(journal.Absence(self.last_at, self.last_at - since))
            log.warning("recording_absence_cut", seconds=(self.last_at - since) // 1_000_000)
        log.info("recorder_joined", participants=others)

    def people(self, names: dict[str, str]) -> None:
        """Everybody in the room who may be seen, by identity; what is new of it goes into the journal."""
        now = self._clock.now()
        for identity in self._people.keys() - names.keys():
            self._put(journal.Person(now, identity, self._people[identity], present=False))
        for identity, name in names.items():
            if self._people.get(identity) != name:
                self._put(journal.Person(now, identity, name))
        self._people = dict(names)

    def track_started(
        self, *, sid: str, media: str, codec: str, clock_rate: int, identity: str, name: str, source: str, muted: bool
    ) -> int:
        number = self._next_track
        while number > journal.MAX_TRACK or number in self._open:  # somebody came and went all day
            number = number + 1 if number < journal.MAX_TRACK else 1
        self._next_track = number + 1
        self._open.add(number)
        if media == "video":
            self._video.add(number)
        self._put(
            journal.Track(self._clock.now(), number, sid, media, codec, clock_rate, identity, name, source, muted)
        )
        return number

    def track_ended(self, number: int) -> None:
        for known in (self._open, self._video, self._awaiting_key):  # the next of this number may be somebody's sound
            known.discard(number)
        self._put(journal.TrackEnd(self._clock.now(), number))

    def track_muted(self, number: int, muted: bool) -> None:
        self._put(journal.Mute(self._clock.now(), number, muted))

    def frame(self, number: int, rtp: int, frame: EncodedFrame, gap: bool, arrival: float) -> None:
        if self.paused:
            return
        if number in self._awaiting_key:
            if not frame.key:
                return
            self._awaiting_key.discard(number)
        # The file begins with a picture; others call begin() where there is none to wait for, or none comes in time.
        if frame.key and number in self._video:
            self.begin()
        self.media_bytes += len(frame.payload)
        self._put(journal.Frame(self._clock.at(arrival), number, rtp, frame.key, gap, frame.payload))

    def sender_report(self, number: int, ntp: int, rtp: int) -> None:
        if not self.paused:
            self._put(journal.ClockReport(self._clock.now(), number, ntp, rtp))

    def speakers(self, identities: list[str]) -> None:
        if identities != self._speakers:
            self._speakers = identities
            self._put(journal.Speakers(self._clock.now(), identities))

    def layout(self, layout: str) -> None:
        """From now on another layout."""
        self._put(journal.LayoutChange(self._absent_since or self._clock.now(), layout))

    def stop(self, at: int, reason: str, *, limit: bool = False) -> None:
        """The file ends at `at`."""
        self._put(journal.Stop(at, reason, limit))


def _long_away(past: Summary, now: int, boot: str) -> bool:
    if not past.begun or past.paused_at:
        return False
    rebooted = past.boot != "" != boot and past.boot != boot
    return rebooted or now - past.last_at > ABSENT_US


@dataclass(frozen=True)
class Result:
    """How recording ended. ever_joined is False when the room could not be entered at all."""

    reason: str
    at: int
    ever_joined: bool


class RoomRecording:
    """Keeps a session going through restarts of the media server."""

    def __init__(
        self,
        connect: Callable[[], Signalling],
        sink: JournalSink,
        clock: SteadyClock,
        *,
        tile: tuple[int, int],
        patience_s: float,
        rejoin_patience_s: float,
    ) -> None:
        self._connect, self._sink, self._clock, self._tile = connect, sink, clock, tile
        self._patience_s, self._rejoin_patience_s = patience_s, rejoin_patience_s
        self._stop_reason: str | None = None
        self._stopped_at = 0
        self._stopped = asyncio.Event()
        self._session: RoomSession | None = None

    def stop(self, reason: str) -> None:
        """End the recording now."""
        if self._stop_reason is None:
            self._stop_reason, self._stopped_at = reason, self._clock.now()
            self._stopped.set()
            if self._session is not None:
                self._session.stop()

    def pause(self) -> None:
        """Leave out what comes from now on."""
        self._sink.pause()

    def resume(self) -> None:
        """Go on, with fresh pictures."""
        self._sink.resume()
        self.want_keys()

    def want_keys(self) -> None:
        """Have everybody send a key frame."""
        if self._session is not None:
            self._session.want_keys()

    def want_sizes(self, sizes: dict[str, tuple[int, int]]) -> None:
        """Sizes in pixels at which tracks (by sid) are shown now; the nearest simulcast layers are asked for."""
        if self._session is not None:
            self._session.want_sizes(sizes)

    async def run(self, *, ever_joined: bool, lost_at: int = 0) -> Result:
        """Until the end. `ever_joined`: an earlier process had been in the room until `lost_at` (unix µs), so its
        absence means that the meeting ended then."""
        ticking = asyncio.create_task(self._tick())
        lost_at = lost_at or self._clock.now()
        joined = False
        deadline = time.monotonic() + (self._rejoin_patience_s if ever_joined else self._patience_s)
        reason = "the room is not there"
        try:
            while self._stop_reason is None:
                try:
                    async with self._connect() as signalling:
                        self._session = session = RoomSession(signalling, self._sink, tile=self._tile)
                        if self._stop_reason is not None:
                            self._session.stop()
                        begin = asyncio.get_running_loop().call_later(_BEGIN_ANYWAY_S, self._sink.begin)
                        try:
                            ending = await session.run()
                        finally:
                            begin.cancel()
                            self._session = None
                        if session.joined:
                            joined = ever_joined = True
                            lost_at = self._clock.now()
                            deadline = time.monotonic() + self._rejoin_patience_s
                        if ending is Ending.MEETING_OVER:
                            return Result("meeting ended", lost_at, True)
                        log.info("recorder_session_ended", why=ending.value)
                except (RoomGone, ServerUnreachable) as error:
                    reason = str(error)
                    log.info("recorder_join_failed", reason=reason)
                if self._stop_reason is None and time.monotonic() > deadline:
                    return Result(f"meeting ended ({reason})", lost_at, ever_joined)
                await self._pause()
            # Stopped before it was back in the room: what lies between is no part of the recording.
            return Result(self._stop_reason, self._stopped_at if joined else lost_at, ever_joined)
        finally:
            ticking.cancel()

    async def _pause(self) -> None:
        try:
            await asyncio.wait_for(self._stopped.wait(), _RETRY_S)
        except TimeoutError:
            return

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(_TICK_S)
            if self._session is not None:
                self._sink.tick()
