"""A composite that several processes made: each left a piece, and at the end they are one file again.

    composite.mp4             being written by the first process, or the finished file
    composite.piece-NNN.mp4   left by a process that died: cut at its last whole fragment, fsynced
    composite.next.mp4        being written by a process that goes on behind the pieces
    composite.joined.mp4      the pieces, on their way to be composite.mp4
    composite.made.json       what was made, once composite.mp4 is finished
    composite.boot            the boot of the machine in which the newest of them was written

The journal stays the truth. A piece that cannot be used is removed and composed again.
"""

from __future__ import annotations

import json
import os
from array import array
from dataclasses import asdict, dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import av
import structlog
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.video.stream import VideoStream

from meet.fragments.boxes import Malformed, walk
from meet.recorder import durable
from meet.recorder.composer.compose import Result
from meet.recorder.composer.opus import RATE
from meet.recorder.composer.output import create
from meet.recorder.composer.profile import Profile
from meet.recorder.composer.seam import START, Grid, Seam
from meet.recorder.upload.settled import Settled

log = structlog.get_logger(__name__)

_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
_CODECS: Final = {"libx264": "h264", "libvpx": "vp8", "libopus": "opus", "libmp3lame": "mp3float"}
_AS_STORED: Final = {"fflags": "nofillin+noparse"}
"""A parser would call every I picture a key frame, though x264 makes some that later pictures look past."""


class Unusable(Exception):
    """What an earlier process left cannot be gone on with. `str()` says why, for the log."""


@dataclass(frozen=True)
class _Content:
    ticks: array[int]
    packets: int
    """Of sound."""
    sets: tuple[bytes | None, bytes | None]
    """Parameter sets of picture and sound."""


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
        self._as_stored = _AS_STORED if profile.picture else {}  # an Ogg page tells one time for all its packets
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
        """Make a piece of what a dead process was writing; where to go on behind all pieces."""
        self._joined.unlink(missing_ok=True)
        self._made.unlink(missing_ok=True)
        pieces = self._pieces()
        if pieces:
            self.path.unlink(missing_ok=True)
        self._seal(self._next if pieces else self.path, pieces)
        seam = self._seam(self._pieces())
        self._boot.write_text(boot_id())
        return seam

    def left(self) -> tuple[int, float]:
        """Bytes and seconds of what `seal` would go on behind, a fragment more or less; it stays as it is."""
        grid, size, seconds = Grid.of(self._profile), 0, 0.0
        pieces = self._pieces()
        loose = self._next if pieces else self.path
        if self._boot_text() == boot_id() != "":
            pieces.append(loose)
        try:
            for piece in pieces:
                content = self._content(piece, 0)
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

    def _seal(self, loose: Path, before: list[Path]) -> None:
        if not loose.exists():
            return
        length = _whole(loose, self._profile.container) if self._boot_text() == boot_id() != "" else 0
        found = loose.stat()
        shared = found.st_nlink > 1  # with the storage: never write into it
        if not length or (shared and length < found.st_size):
            loose.unlink()
            return
        if length < found.st_size:
            os.truncate(loose, length)
        _sync(loose)
        loose.replace(self._spool / f"composite.piece-{len(before) + 1:03}.mp4")
        durable.sync_folder(self._spool)

    def _boot_text(self) -> str:
        try:
            return self._boot.read_text()
        except OSError:
            return ""

    def _seam(self, pieces: list[Path]) -> Seam:
        """Counts what is in the pieces; the first one that does not fit, and all behind it, are removed."""
        grid = Grid.of(self._profile)
        drawn, packets = array("q"), 0
        first: _Content | None = None
        for number, piece in enumerate(pieces):
            try:
                content = self._content(piece, drawn[-1] + 1 if drawn else 0)
                first = first or content
                if content.sets != first.sets:
                    raise Unusable("other parameter sets")
            except (av.FFmpegError, Unusable) as error:
                log.warning("composite_piece_unusable", piece=piece.name, error=str(error))
                for useless in pieces[number:]:
                    useless.unlink()
                break
            drawn += content.ticks
            packets += content.packets
        if first is None:
            return START
        sample = grid.phase + packets * grid.frame if packets else 0
        # Without pictures, the ticks whose sound is there.
        ticks = drawn[-1] + 1 if drawn else int(sample * self._profile.fps / grid.rate)
        log.info("composite_resumed", pieces=len(self._pieces()), pictures=len(drawn), sound=packets)
        return Seam(ticks, sample, drawn)

    def _content(self, piece: Path, first: int) -> _Content:
        """Raises av.FFmpegError, Unusable."""
        profile = self._profile
        ticks, packets = array("q"), 0
        with av.open(str(piece), options=self._as_stored) as container:
            video, audio = self._streams(container)
            for packet in container.demux():
                if packet.pts is None or packet.time_base is None:
                    continue
                if packet.stream is audio:
                    packets += 1
                else:
                    ticks.append(first + _tick(packet, profile.fps))
            sets = _parameters(video), _parameters(audio)
        if (profile.picture and not ticks) or not (ticks or packets):
            raise Unusable("nothing in it")
        if any(later <= earlier for earlier, later in pairwise(ticks)):
            raise Unusable("pictures out of order")
        return _Content(ticks, packets, sets)

    def _streams(self, container: InputContainer) -> tuple[VideoStream | None, AudioStream | None]:
        """Picture and sound of a piece, as far as the profile has them. Raises Unusable."""
        profile = self._profile
        video, audio = next(iter(container.streams.video), None), next(iter(container.streams.audio), None)
        if (video is not None, audio is not None) != (profile.picture, profile.sound):
            raise Unusable("a stream is missing, or one too many")
        codecs = [_CODECS.get(codec, codec) for codec in (profile.video_codec, profile.audio_codec)]
        if video is not None:
            pictures = (video.codec_context.name, video.width, video.height)
            if pictures != (codecs[0], profile.width, profile.height):
                raise Unusable(f"made with {pictures}")
        if audio is not None:
            # Opus always says 48 kHz, whatever it was encoded from.
            rate = RATE if profile.audio_codec == "libopus" else profile.audio_rate
            if (sound := (audio.codec_context.name, audio.rate)) != (codecs[1], rate):
                raise Unusable(f"made with {sound}")
        return video, audio

    def _join(self, pieces: list[Path]) -> None:
        """Copy the packets of all pieces into one file. Raises Unusable, av.FFmpegError.

        An MP4 has the same bytes behind its header as the first piece, so what has been stored of that while it grew is
        not sent again."""
        grid = Grid.of(self._profile)
        fps, tick, packets = self._profile.fps, 0, 0
        sets: tuple[bytes | None, bytes | None] | None = None
        with create(self._joined, self._profile) as output:
            for piece in pieces:
                with av.open(str(piece), options=self._as_stored) as container:
                    video, audio = self._streams(container)
                    theirs = _parameters(video), _parameters(audio)
                    if sets is None:
                        sets = theirs
                        picture = output.add_stream_from_template(video, opaque=True) if video is not None else None
                        sound = output.add_stream_from_template(audio, opaque=True) if audio is not None else None
                    if theirs != sets:
                        raise Unusable("pieces with other parameter sets")
                    first, last = tick, tick - 1
                    for packet in container.demux():
                        if packet.pts is None:
                            continue
                        if sound is not None and packet.stream is audio:
                            packet.time_base = Fraction(1, grid.rate)
                            packet.pts = packet.dts = grid.phase + packets * grid.frame
                            packet.duration = grid.frame
                            packet.stream = sound
                            packets += 1
                        elif picture is not None:
                            last = first + _tick(packet, fps)
                            packet.time_base = 1 / fps
                            packet.pts = packet.dts = last
                            packet.duration = (
                                0  # as encoders have it; so what is behind the header lies where it was in the pieces
                            )
                            packet.stream = picture
                        output.mux(packet)
                    tick = last + 1


def _parameters(stream: VideoStream | AudioStream | None) -> bytes | None:
    """The parameter sets that everything in the stream is decoded with."""
    return stream.codec_context.extradata if stream is not None else None


def _tick(packet: av.Packet[Any], fps: Fraction) -> int:
    """The number of a picture in its piece. WebM tells it in milliseconds only."""
    assert packet.pts is not None and packet.time_base is not None
    return round(packet.pts * packet.time_base * fps)


def _whole(path: Path, container: str) -> int:
    """Where the file is to be cut: behind the last whole fragment, or behind the index of a finished one."""
    length, size = Settled(path, container).bytes(), path.stat().st_size
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
