"""The loop: records move time forward, time draws ticks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

import structlog
from av import VideoFrame

from meet.recorder.composer.audio import MIX_DELAY_US, AudioTrack, Mixer, samples
from meet.recorder.composer.offsets import Offsets
from meet.recorder.composer.opus import RATE
from meet.recorder.composer.output import Output
from meet.recorder.composer.overload import LADDER, Overload, Rung
from meet.recorder.composer.picture import OnTiles, Picture
from meet.recorder.composer.profile import Profile
from meet.recorder.composer.result import Aborted, Mismatch, Result
from meet.recorder.composer.scene import Scene
from meet.recorder.composer.seam import START, Seam
from meet.recorder.composer.video import VideoTrack
from meet.recorder.journal.records import (
    Absence,
    Begin,
    ClockReport,
    Frame,
    LayoutChange,
    Mute,
    Pause,
    Person,
    Record,
    Resume,
    Session,
    Speakers,
    Stop,
    Tick,
    Track,
    TrackEnd,
)
from meet.recorder.quarantine.note import UNREAD, Note

log = structlog.get_logger(__name__)

DELAY_US: Final = 300_000
"""How far drawing stays behind the journal: what is reordered or sent again may take this long."""

_TURN: Final = 8
"""Ticks of a turn where nothing is drawn."""
_WARM_UP: Final = samples(MIX_DELAY_US) + RATE
"""Samples before those that count from which on sound is decoded, by mixing's time: what waits to be mixed, and a
second, because an Opus decoder needs some to be itself."""


class Composer:
    """One pass over a journal."""

    def __init__(
        self,
        output: Path,
        profile: Profile,
        layout: str,
        on_ready: Callable[[], None] | None,
        on_tiles: OnTiles | None,
        live: Callable[[], int] | None = None,
        seam: Seam = START,
        on_step: Callable[[], None] = lambda: None,
        note: Note = UNREAD,
        on_busy: Callable[[bool], None] = lambda busy: None,
    ) -> None:
        self._profile, self._seam, self._on_step = profile, seam, on_step
        self._on_ready = on_ready
        self._scene, self._mixer = Scene(note, live=live is not None), Mixer()
        self._picture = (
            Picture(profile.width, profile.height, layout, self._scene, on_tiles) if profile.picture else None
        )
        self._ahead = self._picture.ahead if self._picture is not None else _TURN
        self._output = Output(output, profile, seam)
        self._mixer.position = self._output.begins
        self._zero: int | None = None
        self._early: list[tuple[AudioTrack, Frame]] = []
        self._ticks = 0
        # Sound is never made less of.
        self._overload = Overload(live, seam.level, on_busy) if live is not None and profile.picture else None
        self._rung, self._speed = LADDER[0], 0
        self._drawn, self._repeated = len(seam.drawn), 0
        self._encoded: int | None = seam.drawn[-1] if seam.drawn else None
        self._behind = iter(seam.drawn)
        self._behind_next = next(self._behind, None)
        self._paused_at: int | None = None
        self._pauses = self._paused_us = 0
        self._absences = self._absent_us = 0
        self._offsets = Offsets(self._scene)
        self._next = 0
        self._worthwhile = 0
        self._shown: list[tuple[VideoFrame, int]] = []

    def run(self, records: Iterable[Record], abort: threading.Event | None) -> Result:
        """Compose to the end of the records. Raises Aborted, OSError, av.FFmpegError."""
        reason, limit, last, end = "", False, None, None
        try:
            for record in records:
                if abort is not None and abort.is_set():
                    raise Aborted
                if isinstance(record, Stop):
                    reason, limit, end = record.reason, record.limit, record.at
                    break
                # A new process does not know yet whether the meeting went on without it: only what it receives tells.
                if last is None or not isinstance(record, Session):
                    last = max(record.at, last or record.at)
                # Everything that is due before anything but media happens, else only when it is a good turn's work.
                if last - DELAY_US > self._worthwhile or not isinstance(record, Frame | ClockReport | Tick):
                    self._render_until(last - DELAY_US)
                self._handle(record)
                if self._overload is not None and self._overload.handled(last):
                    self._step_to(self._overload.rung)
            end = last if end is None else end
            if end is not None:
                end = self._end_of_file(end)
            if self._zero is not None and end is not None:
                # Stopped at once: one picture, because a file without any is no file.
                self._render_until(max(end, self._zero + 1), last=True)
            if self._ticks < self._seam.ticks:
                raise Mismatch(f"{self._ticks} pictures instead of {self._seam.ticks}")
        except BaseException:
            self._output.abort()
            raise
        self._output.close()
        return Result(
            duration_s=float(self._ticks / self._profile.fps),
            frames=self._drawn,
            ended_reason=reason,
            limit=limit,
            video_gaps=self._scene.video_gaps + sum(video.gaps for video in self._scene.videos()),
            audio_gaps=self._scene.audio_gaps + sum(audio.gaps for audio in self._scene.audio()),
            repeated=self._repeated,
            left_out=self._ticks - self._drawn if self._picture is not None else 0,
            worst_offset_s=self._offsets.worst_us / 1_000_000,
            pauses=self._pauses - self._absences,
            paused_s=(self._paused_us - self._absent_us) / 1_000_000,
            absences=self._absences,
            absent_s=self._absent_us / 1_000_000,
        )

    # -- records

    def _handle(self, record: Record) -> None:
        scene = self._scene
        match record:
            case Frame():
                self._frame(record)
            case ClockReport():
                if (member := scene.members.get(record.track)) is not None:
                    member.clock.report(record.ntp, record.rtp, record.at)
            case Track():
                scene.open(record)
            case TrackEnd():
                scene.ends(record.track, record.at)
            case Mute():
                self._mute(record)
            case Speakers():
                scene.speakers = record.identities
            case LayoutChange():
                if self._picture is not None:
                    self._picture.arrange_as(record.layout)
            case Person():
                scene.later(record.at, lambda: scene.person(record))
            case Session():
                scene.session(record.at)
            case Begin():
                self._begin(record.at)
            case Pause():
                self._pause(record.at)
            case Resume():
                self._resume(record.at)
            case Absence():
                if (
                    self._paused_us - self._absent_us >= record.away_us
                ):  # else its Pause is damaged: nothing was cut out
                    self._absences, self._absent_us = self._absences + 1, self._absent_us + record.away_us

    def _frame(self, frame: Frame) -> None:
        member = self._scene.members.get(frame.track)
        if member is None:
            return
        member.clock.arrived(frame.rtp, frame.at)
        # What is not made is not kept either; its times still tell of the publisher's clock.
        if isinstance(member.media, VideoTrack):
            if self._profile.picture:
                member.media.push(frame)
        elif not self._profile.sound:
            return
        elif self._zero is not None:
            member.media.push(frame, self._zero)
        else:
            self._early.append((member.media, frame))

    def _mute(self, record: Mute) -> None:
        """What is heard knows at once from which packet on; what is seen follows when that moment is drawn."""
        scene = self._scene
        member = scene.members.get(record.track)
        if member is not None and isinstance(member.media, AudioTrack):
            scene.mute(record.track, record.muted)
        else:
            scene.later(record.at, lambda: scene.mute(record.track, record.muted))

    def _begin(self, at: int) -> None:
        if self._zero is not None:
            return
        self._zero = at
        if self._paused_at is not None:
            self._paused_at = at
        if self._on_ready is not None:
            self._on_ready()
        for track, frame in self._early:
            track.push(frame, at)
        self._early = []

    def _pause(self, at: int) -> None:
        """Whatever was captured before is here by now: draw up to this moment, and wait."""
        if self._paused_at is None:
            self._render_until(at)
            self._paused_at = at

    def _resume(self, at: int) -> None:
        """The time in between is taken out by moving time zero."""
        if self._paused_at is None:
            return
        away = max(at - self._paused_at, 0)
        if self._zero is not None:
            self._pauses, self._paused_us = self._pauses + 1, self._paused_us + away
            for audio in self._scene.audio():
                audio.cut(samples(self._paused_at - self._zero))
            self._zero += away
            self._worthwhile += away
        for member in self._scene.members.values():
            member.clock.paused(away)
        self._paused_at = None

    def _end_of_file(self, end: int) -> int:
        """Of a recording that ended at `end`: there, or where the pause began that nobody had ended."""
        if self._paused_at is None:
            return end
        if self._zero is not None and end > self._paused_at:
            self._pauses, self._paused_us = self._pauses + 1, self._paused_us + end - self._paused_at
        return self._paused_at

    # -- time

    def _render_until(self, now: int, *, last: bool = False) -> None:
        """Draw every tick before `now`; the last time, sound is cut to the picture's length."""
        if self._zero is None or (self._paused_at is not None and not last):
            return
        while self._zero + self._next < now:
            self._render_some(self._zero, now)
        self._worthwhile = self._zero + self._since_zero(1_000_000, ahead=self._ahead - 1)
        if last:
            if self._picture is not None and self._encoded is not None and self._encoded < self._ticks - 1:
                self._ticks -= 1
                self._show(self._picture)  # so that the file is as long as the recording was
                self._ticks += 1
                self._encode()
            self._sound(last=True)

    def _render_some(self, zero: int, now: int) -> None:
        """A turn: as many ticks before `now` as there are sheets to draw on, and the sound until there.

        Decoding, drawing, encoding and mixing each take longer turns, because each finds the processor's caches full of
        the others' code and pictures at first."""
        self._on_step()
        end = min(now, zero + self._since_zero(1_000_000, ahead=self._ahead))
        for video in self._scene.videos():
            video.decode_ahead(end - 1)
        while (at := zero + self._next) < end:
            if self._picture is not None:
                self._look(self._picture, at)
            else:
                self._scene.expire(at)
            self._offsets.look(at)
            self._ticks += 1
            self._next = self._since_zero(1_000_000)
        self._encode()
        self._sound(last=False)

    def _look(self, picture: Picture, at: int) -> None:
        """What is seen at the next tick."""
        if self._ticks < self._seam.ticks:
            self._pass_over(picture, at)
        elif self._ticks % self._rung.step == 0 or self._ticks == self._seam.ticks:
            if self._seam.ticks and self._ticks == self._seam.ticks:
                self._take_over(picture)
            self._repeated += not picture.draw(at)
            self._show(picture)

    def _pass_over(self, picture: Picture, at: int) -> None:
        """A tick that is in an earlier piece."""
        changed = picture.pass_over(at)
        if self._ticks == self._behind_next:
            self._repeated += not changed
            self._behind_next = next(self._behind, None)

    def _take_over(self, picture: Picture) -> None:
        """From here on, make the file."""
        picture.catch_up(self._on_step)
        if self._overload is not None:
            self._step_to(self._overload.rung)

    def _show(self, picture: Picture) -> None:
        self._shown.append((picture.frame, self._ticks))
        self._encoded = self._ticks
        self._drawn += 1

    def _encode(self) -> None:
        """What was drawn in this turn."""
        for frame, tick in self._shown:
            self._output.video(frame, tick)
        self._shown.clear()

    def _step_to(self, rung: Rung) -> None:
        if rung.speed != self._speed and self._output.change_speed(rung.speed):
            self._speed = rung.speed
        self._rung = rung

    def _since_zero(self, rate: int, ahead: int = 0) -> int:
        """The next tick's time, or that of the one so many after it, in units of 1 / rate."""
        fps = self._profile.fps
        return (self._ticks + ahead) * rate * fps.denominator // fps.numerator

    def _sound(self, *, last: bool) -> None:
        if not self._profile.sound:
            return
        wanted = self._since_zero(RATE) - (0 if last else samples(MIX_DELAY_US))
        tracks = self._scene.audio()
        block = self._output.block
        if wanted < self._output.begins:  # in an earlier piece
            warm = wanted + _WARM_UP >= self._output.begins
            for track in tracks:
                track.pass_over(wanted, decode=warm)
            return
        whole = (wanted - self._mixer.position) // block * block
        if whole > 0:
            self._output.audio(self._mixer.mix(tracks, whole))
        if last and wanted > self._mixer.position:
            self._output.audio(self._mixer.mix(tracks, wanted - self._mixer.position))


def compose(
    records: Iterable[Record],
    output: Path,
    profile: Profile,
    layout: str,
    on_ready: Callable[[], None] | None = None,
    on_tiles: OnTiles | None = None,
    abort: threading.Event | None = None,
    live: Callable[[], int] | None = None,
    seam: Seam = START,
    on_step: Callable[[], None] = lambda: None,
    note: Note = UNREAD,
    on_busy: Callable[[bool], None] = lambda busy: None,
) -> Result:
    """Make `output` from a journal's records; blocks for as long as the records do.

    on_ready: called once, at time zero: frames are coming in, encoders and file are open. on_tiles: called after every
    change of the arrangement. Both on the calling thread. live: the clock of a journal that is still being written; who
    falls behind it makes less of the picture. seam: make only the piece that follows those of earlier processes; what
    comes before is gone through without decoding, drawing, mixing or encoding, so that everything is as it was there.
    on_step: called before every turn of ticks, however many of them one record makes due, and before all long work.
    note: told what the decoders are working at. on_busy: told when less of the picture is made, and when all is again.
    Raises ValueError (layout), Aborted, Mismatch, OSError, av.FFmpegError.
    """
    return Composer(output, profile, layout, on_ready, on_tiles, live, seam, on_step, note, on_busy).run(records, abort)
