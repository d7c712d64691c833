"""A composite that several processes make.

    composite.mp4             being written, or the finished file
    composite.made.json       what was made, once composite.mp4 is finished
    composite.boot            the boot of the machine in which the newest of them was written

The file of a process that died is cut at its last whole fragment, fsynced, and gone on with. Where that does not work
(it was closed already, the storage shares it, another version of the muxer writes it differently), it is a piece, and
the pieces become one file at the end:

    composite.piece-NNN.mp4   left by a process that died: cut at its last whole fragment, fsynced
    composite.next.mp4        being written by a process that goes on behind the pieces
    composite.joined.mp4      the pieces, on their way to be composite.mp4

The journal stays the truth. A piece that cannot be used is removed and composed again.
"""

from __future__ import annotations

import json
import os
from array import array
from dataclasses import asdict, replace
from pathlib import Path
from typing import Final

import av
import structlog

from meet.fragments.boxes import Malformed, walk
from meet.recorder import durable
from meet.recorder.composer.made import Content, Timeline, Unusable, opened
from meet.recorder.composer.output import create
from meet.recorder.composer.profile import Profile
from meet.recorder.composer.result import Result
from meet.recorder.composer.seam import START, Grid, Seam
from meet.recorder.upload.settled import Settled

log = structlog.get_logger(__name__)

_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")


def boot_id() -> str:
    """Of the running system, "" where there is none: what was not fsynced is there as long as it is the same."""
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return ""


class Pieces:
    """The files of one recording's composite. Raises OSError everywhere."""

    def __init__(self, spool: Path, profile: Profile) -> None:
        self.path = spool / "composite.mp4"
        self._spool, self._profile = spool, profile
        self._next, self._joined = spool / "composite.next.mp4", spool / "composite.joined.mp4"
        self._made, self._boot = spool / "composite.made.json", spool / "composite.boot"

    # -- going on

    def made(self) -> Result | None:
        """What `path` holds, if it is finished."""
        try:
            return Result(**json.loads(self._made.read_bytes())) if self.path.exists() else None
        except (OSError, ValueError, TypeError):
            return None

    def seal(self) -> Seam:
        """Cut what a dead process was writing at its last whole fragment; where to go on behind that, and behind all
        pieces."""
        self._joined.unlink(missing_ok=True)
        self._made.unlink(missing_ok=True)
        pieces = self._pieces()
        if pieces:
            self.path.unlink(missing_ok=True)
        inside = not pieces and self._cut()
        if not inside:
            self._seal(self._next if pieces else self.path, pieces)
        seam = self._seam([self.path] if inside else self._pieces())
        self._boot.write_text(boot_id())
        return replace(seam, inside=inside) if seam is not START else START

    def set_aside(self) -> Seam:
        """The file cannot be gone on with where it is: then as a piece."""
        self._seal(self.path, [])
        return self._seam(self._pieces())

    def left(self) -> tuple[int, float]:
        """Bytes and seconds of what `seal` would go on behind, a fragment more or less; it stays as it is."""
        grid, size, seconds = Grid.of(self._profile), 0, 0.0
        pieces = self._pieces()
        loose = self._next if pieces else self.path
        if self._same_boot():
            pieces.append(loose)
        try:
            for piece in pieces:
                with opened(piece, self._profile) as made:
                    content = made.content(0)
                seconds += (
                    float((content.ticks[-1] + 1) / self._profile.fps)
                    if content.ticks
                    else content.packets * grid.frame / grid.rate
                )
                size += piece.stat().st_size
        except (OSError, av.FFmpegError, Unusable) as error:
            log.info("composite_piece_not_counted", error=str(error))
        return size, seconds

    def writing(self) -> Path:
        """The file that the next composition has to write."""
        return self._next if self._pieces() else self.path

    def forget(self) -> None:
        """Remove everything, to compose from the beginning of the journal."""
        for path in (*self._pieces(), self._next, self._joined, self._made, self.path):
            path.unlink(missing_ok=True)

    # -- the end

    def finish(self, result: Result) -> None:
        """`path` becomes the whole recording, durably. Raises Unusable, av.FFmpegError."""
        pieces = self._pieces()
        if pieces:
            self._join([*pieces, *([self._next] if self._next.exists() else [])])
            _sync(self._joined)
            self._joined.replace(self.path)
        else:
            _sync(self.path)
        durable.replace(self._made, json.dumps(asdict(result)).encode())
        for path in (*pieces, self._next):
            path.unlink(missing_ok=True)

    # -- inside

    def _pieces(self) -> list[Path]:
        return sorted(self._spool.glob("composite.piece-*.mp4"), key=lambda path: (len(path.name), path.name))

    def _cut(self) -> bool:
        """Whether the file can be gone on with: it is a growing one, and nobody else's."""
        if not self.path.exists() or self.path.stat().st_nlink > 1 or not self._same_boot():
            return False
        length = Settled(self.path, self._profile.container).bytes()
        if not length or length != _whole(self.path, length):
            return False
        self._shorten(self.path, length)
        return True

    def _seal(self, loose: Path, before: list[Path]) -> None:
        if not loose.exists():
            return
        length = _whole(loose, Settled(loose, self._profile.container).bytes()) if self._same_boot() else 0
        found = loose.stat()
        shared = found.st_nlink > 1  # with the storage: never write into it
        if not length or (shared and length < found.st_size):
            loose.unlink()
            return
        self._shorten(loose, length)
        loose.replace(self._spool / f"composite.piece-{len(before) + 1:03}.mp4")
        durable.sync_folder(self._spool)

    def _shorten(self, path: Path, length: int) -> None:
        if length < path.stat().st_size:
            os.truncate(path, length)
        _sync(path)

    def _same_boot(self) -> bool:
        """Whether what was written last, but not fsynced, is there."""
        return self._boot_text() == boot_id() != ""

    def _boot_text(self) -> str:
        try:
            return self._boot.read_text()
        except OSError:
            return ""

    def _seam(self, pieces: list[Path]) -> Seam:
        """Counts what is in the pieces; the first one that does not fit, and all behind it, are removed."""
        grid = Grid.of(self._profile)
        drawn, packets = array("q"), 0
        first: Content | None = None
        for number, piece in enumerate(pieces):
            try:
                with opened(piece, self._profile) as made:
                    content = made.content(drawn[-1] + 1 if drawn else 0)
                first = first or content
                if content.sets != first.sets:
                    raise Unusable("other parameter sets")
            except (av.FFmpegError, Unusable) as error:
                log.warning("composite_piece_unusable", piece=piece.name, error=str(error))
                for useless in pieces[number:]:
                    useless.unlink()
                del pieces[number:]
                break
            drawn += content.ticks
            packets += content.packets
        if first is None:
            return START
        sample = grid.phase + packets * grid.frame if packets else 0
        # Without pictures, the ticks whose sound is there.
        ticks = drawn[-1] + 1 if drawn else int(sample * self._profile.fps / grid.rate)
        log.info("composite_resumed", pieces=len(pieces), pictures=len(drawn), sound=packets)
        return Seam(ticks, sample, drawn)

    def _join(self, pieces: list[Path]) -> None:
        """Copy the packets of all pieces into one file. Raises Unusable, av.FFmpegError.

        An MP4 has the same bytes behind its header as the first piece, so what has been stored of that while it grew is
        not sent again."""
        timeline = Timeline(self._profile)
        sets: tuple[bytes | None, bytes | None] | None = None
        with create(self._joined, self._profile) as output:
            for piece in pieces:
                with opened(piece, self._profile) as made:
                    if sets is None:
                        sets = made.sets
                        add = output.add_stream_from_template
                        video = add(made.video, opaque=True) if made.video is not None else None
                        audio = add(made.audio, opaque=True) if made.audio is not None else None
                    if made.sets != sets:
                        raise Unusable("pieces with other parameter sets")
                    made.copy(timeline, output, video, audio)


def _whole(path: Path, length: int) -> int:
    """Where a file of so many final bytes is to be cut: behind them, or behind the index of a finished one."""
    size = path.stat().st_size
    with path.open("rb") as file:
        try:
            behind = next(walk(file, length, size), None)
        except Malformed:
            return length
    return size if behind is not None and (behind.kind, behind.end) == (b"moov", size) else length


def _sync(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
