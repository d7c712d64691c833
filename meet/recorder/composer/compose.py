"""The loop: records move time forward, time draws ticks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final

import structlog

from meet.recorder.composer.audio import RATE, AudioTrack, Mixer
from meet.recorder.composer.canvas import Canvas
from meet.recorder.composer.layout import LAYOUTS, Rect, rectangles
from meet.recorder.composer.output import Output
from meet.recorder.composer.profile import Profile
from meet.recorder.composer.scene import Scene, Tile
from meet.recorder.composer.video import VideoTrack
from meet.recorder.journal.records import (
    Begin,
    ClockReport,
    Frame,
    LayoutChange,
    Mute,
    Record,
    Session,
    Speakers,
    Stop,
    Track,
    TrackEnd,
)

log = structlog.get_logger(__name__)

DELAY_US: Final = 300_000
"""How far drawing stays behind the journal: what is reordered or sent again may take this long."""

OnTiles = Callable[[dict[str, tuple[int, int]]], None]
"""Track sid to the size at which it is drawn; (0, 0) when it is not."""


class Aborted(Exception):
    """Composition was told to stop; the file is incomplete."""


@dataclass(frozen=True)
class Result:
    """What was made. duration_s is exact: frames / fps. ended_reason is "" when the journal has no Stop."""

    duration_s: float
    frames: int
    ended_reason: str
    limit: bool
    video_gaps: int


@dataclass(eq=False)
class _Placed:
    """A tile where it was drawn last. drawn: the picture's own rectangle, None while it is a placeholder."""

    tile: Tile
    rect: Rect
    video: VideoTrack | None
    drawn: Rect | None = None


class Composer:
    """One pass over a journal."""

    def __init__(
        self, output: Path, profile: Profile, layout: str, on_ready: Callable[[], None] | None, on_tiles: OnTiles | None
    ) -> None:
        if layout not in LAYOUTS:
            raise ValueError(f"unknown layout {layout!r}")
        self._profile = profile
        self._layout = layout
        self._on_ready, self._on_tiles = on_ready, on_tiles
        self._scene, self._mixer = Scene(), Mixer()
        self._canvas = Canvas(profile.width, profile.height)
        self._output = Output(output, profile)
        self._placed: list[_Placed] = []
        self._told: dict[str, tuple[int, int]] = {}
        self._zero: int | None = None
        self._early: list[tuple[AudioTrack, Frame]] = []
        self._ticks = 0
        self._tick_us = Fraction(1_000_000) / profile.fps

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
                self._render_until(last - DELAY_US)
                self._handle(record)
            end = last if end is None else end
            if self._zero is not None and end is not None:
                # Stopped at once: one picture, because a file without any is no file.
                self._render_until(max(end, self._zero + 1), last=True)
        except BaseException:
            self._output.abort()
            raise
        self._output.close()
        self._scene.video_gaps += sum(video.gaps for video in self._scene.videos())
        duration = float(self._ticks / self._profile.fps)
        return Result(duration, self._ticks, reason, limit, self._scene.video_gaps)

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
                scene.end(record.track)
            case Mute():
                scene.mute(record.track, record.muted)
            case Speakers():
                scene.speaking(record.identities)
                scene.changed |= self._layout != "grid"
            case LayoutChange():
                if record.layout in LAYOUTS:
                    self._layout, scene.changed = record.layout, True
            case Session():
                scene.session(record.at)
            case Begin():
                self._begin(record.at)

    def _frame(self, frame: Frame) -> None:
        member = self._scene.members.get(frame.track)
        if member is None:
            return
        member.clock.arrived(frame.rtp, frame.at)
        if isinstance(member.media, VideoTrack):
            member.media.push(frame)
        elif self._zero is not None:
            member.media.push(frame, self._zero)
        else:
            self._early.append((member.media, frame))

    def _begin(self, at: int) -> None:
        if self._zero is not None:
            return
        self._zero = at
        if self._on_ready is not None:
            self._on_ready()
        for track, frame in self._early:
            track.push(frame, at)
        self._early = []

    # -- time

    def _render_until(self, now: int, *, last: bool = False) -> None:
        """Draw every tick before `now`; the last time, sound is cut to the picture's length."""
        if self._zero is None:
            return
        while self._zero + (tick_at := int(self._ticks * self._tick_us)) < now:
            self._draw(self._zero + tick_at)
            self._output.video(self._canvas.frame, self._ticks)
            self._ticks += 1
            self._sound(last=False)
        if last:
            self._sound(last=True)

    def _sound(self, *, last: bool) -> None:
        wanted = int(self._ticks * self._tick_us * RATE / 1_000_000)
        tracks = self._scene.audio()
        block = self._output.block
        while self._mixer.position + block <= wanted:
            self._output.audio(self._mixer.mix(tracks, block))
        if last and wanted > self._mixer.position:
            self._output.audio(self._mixer.mix(tracks, wanted - self._mixer.position))

    # -- picture

    def _draw(self, now: int) -> None:
        scene = self._scene
        scene.expire(now)
        if scene.changed or self._layout != "grid":
            scene.changed = False
            self._arrange(now)
        shown = {id(placed.video) for placed in self._placed if placed.video is not None}
        for video in scene.videos():
            if id(video) not in shown:
                # A muted track is decoded all the same (it hardly sends): it is back without waiting for a key frame.
                video.advance(now, shown=video.muted)
        for placed in self._placed:
            if placed.video is not None and placed.video.advance(now, shown=True):
                self._show(placed)

    def _arrange(self, now: int) -> None:
        tiles = self._scene.tiles() if self._layout == "grid" else self._scene.stage_first(now)
        rects = rectangles(self._layout, self._canvas.width, self._canvas.height, len(tiles))
        wanted = list(zip(tiles, rects, strict=False))
        before = {placed.tile.key: placed for placed in self._placed}
        if [(tile.key, rect) for tile, rect in wanted] != [(p.tile.key, p.rect) for p in self._placed]:
            self._canvas.clear()
            before = {}
        self._placed = []
        for tile, rect in wanted:
            old = before.get(tile.key)
            if old is not None and old.video is tile.video:
                self._placed.append(old)
                continue
            placed = _Placed(tile, rect, tile.video)
            self._placed.append(placed)
            if tile.video is not None and tile.video.picture is not None:
                self._canvas.blank(rect)
                self._show(placed)
            else:
                self._canvas.placeholder(rect, tile.identity)
        self._tell()

    def _show(self, placed: _Placed) -> None:
        video = placed.video
        if video is None or video.picture is None:
            return
        picture = video.picture
        drawn = self._canvas.draw(picture, placed.rect, video.scaler)
        if drawn != placed.drawn:
            # First picture over a placeholder, or a turned phone: clean what the picture does not cover.
            if drawn != placed.rect:
                self._canvas.blank(placed.rect)
                self._canvas.draw(picture, placed.rect, video.scaler)
            placed.drawn = drawn

    def _tell(self) -> None:
        if self._on_tiles is None:
            return
        sizes = {
            member.info.sid: (0, 0) for member in self._scene.members.values() if isinstance(member.media, VideoTrack)
        }
        for placed in self._placed:
            if placed.video is not None:
                sizes[placed.tile.sid] = (placed.rect.width, placed.rect.height)
        if sizes != self._told:
            self._told = sizes
            self._on_tiles(sizes)


def compose(
    records: Iterable[Record],
    output: Path,
    profile: Profile,
    layout: str,
    on_ready: Callable[[], None] | None = None,
    on_tiles: OnTiles | None = None,
    abort: threading.Event | None = None,
) -> Result:
    """Make `output` from a journal's records; blocks for as long as the records do.

    on_ready: called once, at time zero: frames are coming in, encoders and file are open. on_tiles: called after every
    change of the arrangement. Both on the calling thread. Raises ValueError (layout), Aborted, OSError, av.FFmpegError.
    """
    return Composer(output, profile, layout, on_ready, on_tiles).run(records, abort)
