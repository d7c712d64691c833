"""A composition that goes on where a dead process was makes the file that one process would have made."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from meet.recorder import pieces as pieces_module
from meet.recorder.composer import compose as compose_module
from meet.recorder.composer.compose import compose
from meet.recorder.composer.made import Unusable
from meet.recorder.composer.output import Output
from meet.recorder.composer.overload import Rung
from meet.recorder.composer.profile import Profile
from meet.recorder.composer.result import Mismatch, Result
from meet.recorder.composer.seam import START
from meet.recorder.composing import Composing
from meet.recorder.journal.reader import JournalReader
from meet.recorder.journal.records import Record
from meet.recorder.journal.writer import JournalWriter
from meet.recorder.pieces import Pieces, boot_id
from meet.recorder.upload.settled import Settled
from tests.support import media
from tests.unit.recorder import synthetic
from tests.unit.recorder.composer.test_compose import person
from tests.unit.recorder.synthetic import meeting

SECONDS = 4.5


def profile(video: str = "H264_MAIN", audio: str = "AAC", hz: int = 48_000) -> Profile:
    return Profile.of(
        {
            "video": {
                "width": 320,
                "height": 180,
                "framerate": 30,
                "bitrate": 500,
                "keyFrameInterval": 1,
                "depth": 24,
                "codec": video,
            },
            "audio": {"bitrate": 96, "frequency": hz, "codec": audio},
        }
    )


@pytest.fixture(scope="module")
def records() -> list[Record]:
    """Two cameras, one microphone."""
    bob = person("bob", 5, transit=0.1, ntp_skew_s=5.0, hue=160)[:1]
    return meeting([*person("ada", 5, transit=0.03, jitter=0.04), *bob], SECONDS)


@pytest.fixture
def prompt_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sound is mixed when it is drawn, so that a short meeting has several fragments long before its end."""
    monkeypatch.setattr(compose_module, "MIX_DELAY_US", 0)


def killed(spool: Path, records: list[Record], at: float, how: Profile) -> Result:
    """Compose, and leave in `spool` what was there at a share of the records; the result of the whole."""
    spool.mkdir()
    whole = spool.with_name("whole.mp4")
    index = round(len(records) * at)

    def until_killed() -> Iterator[Record]:
        yield from records[:index]
        shutil.copy(whole, spool / "composite.mp4")
        (spool / "composite.boot").write_text(boot_id())
        yield from records[index:]

    return compose(until_killed(), whole, how, "grid")


@pytest.fixture
def apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a dead process left cannot be gone on with where it is."""
    monkeypatch.setattr(Pieces, "_cut", lambda self: False)


def go_on(spool: Path, records: list[Record], how: Profile) -> tuple[int, Result]:
    """As the next process does; (pictures it found, result)."""
    pieces = Pieces(spool, how)
    seam = pieces.seal()
    result = compose(records, pieces.writing(), how, "grid", seam=seam)
    pieces.finish(result)
    return seam.ticks, result


def same(one: Path, other: Path) -> None:
    """Every picture the same but for noise of coding, every beep at its place, no click."""
    first, second = media.decode(one), media.decode(other)
    assert first.luma.shape == second.luma.shape and (first.frame_times == second.frame_times).all()
    assert np.abs(first.luma.astype(int) - second.luma.astype(int)).mean(axis=(1, 2)).max() < 2
    assert len(first.samples) == len(second.samples) and first.audio_start == second.audio_start
    assert media.beeps(second) == pytest.approx(media.beeps(first), abs=0.003)
    off = np.abs(first.samples - second.samples)
    at = np.arange(len(off)) / first.sample_rate % 1.0
    # Noise of coding; what is lost, repeated or shifted would be as loud as the beeps (0.6) and the tone between them.
    assert off.max() < 0.3 and off[(at > 0.17) & (at < 0.98)].max() < 0.03
    assert all(abs(offset) < 0.08 for offset in media.av_offsets(second, (slice(None), slice(0, 20))))


@pytest.mark.usefixtures("prompt_sound")
@pytest.mark.parametrize(
    ("video", "audio", "hz", "at"),
    [
        ("H264_MAIN", "AAC", 48_000, 0.45),
        ("H264_MAIN", "AAC", 44_100, 0.7),
        ("H264_MAIN", "OPUS", 48_000, 0.6),
        ("H264_MAIN", "AC_MP3", 44_100, 0.7),
        ("H264_MAIN", "AC_MP3", 24_000, 0.6),
        ("VP8", "OPUS", 48_000, 0.8),
    ],
)
def test_goes_on_behind_the_last_whole_fragment(
    tmp_path: Path, records: list[Record], video: str, audio: str, hz: int, at: float
) -> None:
    how = profile(video, audio, hz)
    whole = killed(tmp_path / "spool", records, at, how)
    size, seconds = Pieces(tmp_path / "spool", how).left()
    assert size == (tmp_path / "spool" / "composite.mp4").stat().st_size
    shutil.copytree(tmp_path / "spool", tmp_path / "torn")
    os.truncate(tmp_path / "torn" / "composite.mp4", size - 99)
    assert seconds - 2.1 < Pieces(tmp_path / "torn", how).left()[1] <= seconds
    before = (tmp_path / "spool" / "composite.mp4").read_bytes()
    found, result = go_on(tmp_path / "spool", records, how)
    assert 0 < found < SECONDS * 30 * at
    assert found / 30 - 0.1 < seconds < found / 30 + 2.1
    assert result == whole
    same(tmp_path / "whole.mp4", tmp_path / "spool" / "composite.mp4")
    after = (tmp_path / "spool" / "composite.mp4").read_bytes()
    differs = 600 if video == "VP8" else 44  # `upload.settled` tells what is there
    assert after[differs : len(before)] == before[differs:], "what was sent of it stays sent"
    assert sorted(p.name for p in (tmp_path / "spool").glob("*.mp4")) == ["composite.mp4"]
    assert Pieces(tmp_path / "spool", how).made() == result


@pytest.mark.parametrize("joined", [True, False])
def test_what_was_stored_of_a_growing_file_is_not_sent_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, joined: bool
) -> None:
    """The file has the same bytes at the same place behind the header, but for the last fragment; also where an encoder
    made I pictures that are no key frames, and where every second picture was left out."""
    records = meeting(person("ada", 8, transit=0.03, jitter=0.04), 7)
    how, spool = profile(), tmp_path / "spool"
    monkeypatch.setattr(compose_module, "LADDER", (Rung(2, 0),))
    if joined:
        monkeypatch.setattr(Pieces, "_cut", lambda self: False)
    killed(spool, records, 0.9, how)
    whole_fragments = Settled(spool / "composite.mp4", "mp4").bytes()
    os.truncate(spool / "composite.mp4", whole_fragments - 1)
    settled = Settled(spool / "composite.mp4", "mp4").bytes()
    os.truncate(spool / "composite.mp4", whole_fragments)
    first = (tmp_path / "whole.mp4").read_bytes()
    assert go_on(spool, records, how)[0] > 60 and settled > 10_000
    now = (spool / "composite.mp4").read_bytes()
    header = 4096 if joined else 44
    assert now[header:settled] == first[header:settled]
    assert now[settled:whole_fragments] != first[settled:whole_fragments], "its last picture lasts for less"


@pytest.mark.usefixtures("prompt_sound")
def test_one_file_of_three_processes(tmp_path: Path, records: list[Record]) -> None:
    """What the first and the second have left stays at its place, byte by byte."""
    how, spool = profile(), tmp_path / "spool"
    whole = killed(spool, records, 0.4, how)
    path, seams, left = spool / "composite.mp4", [], []
    for at in (0.8, 0.81, 1.0):
        for _ in range(2):  # dies before it has written anything
            seam = Pieces(spool, how).seal()
        seams.append(seam.ticks)
        left.append(path.read_bytes())
        killed_at = round(len(records) * at)

        def until_killed(killed_at: int = killed_at) -> Iterator[Record]:
            yield from records[:killed_at]
            shutil.copy(path, tmp_path / "killed.mp4")
            yield from records[killed_at:]

        result = compose(until_killed(), path, how, "grid", seam=seam)
        if at < 1.0:
            shutil.copy(tmp_path / "killed.mp4", path)
            with path.open("ab") as torn:
                torn.write(b"\0\0\1\0moof of which not all is there")
    Pieces(spool, how).finish(result)
    assert 0 < seams[0] < seams[1] == seams[2] and result == whole
    same(tmp_path / "whole.mp4", path)
    made = path.read_bytes()
    assert all(before[44:] == made[44 : len(before)] for before in left) and len(made) > len(left[-1])
    assert [p.name for p in spool.glob("*.mp4")] == ["composite.mp4"]


@pytest.mark.usefixtures("prompt_sound", "apart")
def test_a_second_death_and_one_while_joining(tmp_path: Path, records: list[Record]) -> None:
    """Pieces multiply only with progress, and a death at any moment costs none of them."""
    how, spool = profile(), tmp_path / "spool"
    whole = killed(spool, records, 0.4, how)
    for _ in range(3):  # dies before it has written anything
        assert Pieces(spool, how).seal().ticks == Pieces(spool, how).seal().ticks > 0
    assert [p.name for p in spool.glob("*.mp4")] == ["composite.piece-001.mp4"]
    pieces = Pieces(spool, how)
    first = pieces.seal()

    def until_killed() -> Iterator[Record]:
        index = round(len(records) * 0.8)
        yield from records[:index]
        shutil.copy(pieces.writing(), tmp_path / "killed.mp4")
        yield from records[index:]

    compose(until_killed(), pieces.writing(), how, "grid", seam=first)
    with (tmp_path / "killed.mp4").open("ab") as torn:
        torn.write(b"\0\0\1\0moof of which not all is there")
    shutil.copy(tmp_path / "killed.mp4", pieces.writing())
    second = Pieces(spool, how).seal()
    assert second.ticks > first.ticks and len(list(spool.glob("*piece*"))) == 2
    result = compose(records, Pieces(spool, how).writing(), how, "grid", seam=second)
    (spool / "composite.joined.mp4").write_bytes(b"half a file")
    found, again = go_on(spool, records, how)
    assert found == SECONDS * 30 and again == result == whole, "nothing was left to be made"
    same(tmp_path / "whole.mp4", spool / "composite.mp4")


@pytest.mark.usefixtures("prompt_sound")
def test_overload_goes_on_as_it_was(tmp_path: Path, records: list[Record]) -> None:
    """Every third picture was made when the process died; so it does behind it, until it has proved to be faster."""
    how, spool = profile(), tmp_path / "spool"
    killed(spool, records, 0.6, how)
    seam = Pieces(spool, how).seal()
    thinned = type(seam)(seam.ticks, seam.sample, seam.drawn[::3])
    assert (START.level, seam.level, thinned.level) == (0, 0, 3)
    slow = compose(records, tmp_path / "slow.mp4", how, "grid", seam=thinned, live=lambda: records[0].at)
    assert slow.left_out == pytest.approx(SECONDS * 30 * 2 / 3, abs=3)
    assert slow.frames + slow.left_out == SECONDS * 30


@pytest.mark.usefixtures("prompt_sound")
def test_what_cannot_be_gone_on_with_is_made_again(
    tmp_path: Path, records: list[Record], monkeypatch: pytest.MonkeyPatch
) -> None:
    how = profile()
    killed(tmp_path / "dead", records, 0.6, how)
    for name, damage in {"other": "profile", "reboot": "boot", "garbage": "bytes", "mp3": "codec"}.items():
        spool = tmp_path / name
        shutil.copytree(tmp_path / "dead", spool)
        wanted = how
        if damage == "profile":
            wanted = profile("H264_HIGH")
        elif damage == "boot":
            (spool / "composite.boot").write_text("another")
        elif damage == "bytes":
            (spool / "composite.mp4").write_bytes(bytes(100_000))
        else:
            wanted = profile(audio="AC_MP3")
        seam = Pieces(spool, wanted).seal()
        if damage == "profile":  # it would be written differently
            before = (spool / "composite.mp4").read_bytes()
            with pytest.raises(Unusable, match="another file, from byte"):
                compose(records[:2000], spool / "composite.mp4", wanted, "grid", seam=seam)
            assert (spool / "composite.mp4").read_bytes() == before
            seam = Pieces(spool, wanted).set_aside()
            result = compose(records[:2000], Pieces(spool, wanted).writing(), wanted, "grid", seam=seam)
            with pytest.raises(Unusable, match="parameter sets"):
                Pieces(spool, wanted).finish(result)
        else:
            assert seam is START and not list(spool.glob("*.mp4")), name
    monkeypatch.setattr(pieces_module, "_BOOT_ID", tmp_path / "no such file")
    assert Pieces(tmp_path / "dead", how).seal() is START, "no way to know that what was not fsynced is there"


@pytest.mark.usefixtures("prompt_sound")
def test_a_journal_that_ends_earlier_is_not_believed_to_fit(tmp_path: Path, records: list[Record]) -> None:
    how = profile()
    killed(tmp_path / "spool", records, 0.8, how)
    pieces = Pieces(tmp_path / "spool", how)
    with pytest.raises(Mismatch):
        compose(records[: len(records) // 4], pieces.writing(), how, "grid", seam=pieces.seal())


@pytest.mark.usefixtures("prompt_sound")
async def test_a_finished_file_is_not_made_again(tmp_path: Path, records: list[Record]) -> None:
    """Killed while it is being stored: the next process finds the same bytes, whatever was sent of them."""
    how, spool = profile(), tmp_path / "spool"
    whole = killed(spool, records, 0.5, how)
    synthetic.write(spool / "journal", records)
    (spool / "request.json").write_text("{}")
    composing = Composing(spool, how, on_ready=lambda: None, on_tiles=lambda sizes: None)
    begun: list[int] = []
    composing.on_begin = begun.append
    left = Settled(spool / "composite.mp4", "mp4").bytes()
    assert await composing.finished() == whole
    assert begun == [left], "an upload goes along"
    made = (spool / "composite.mp4").stat()
    assert await composing.finished() == whole
    assert (spool / "composite.mp4").stat().st_mtime_ns == made.st_mtime_ns
    composing.forget()
    assert await composing.finished() == whole
    assert begun == [left, 0]
    assert (spool / "composite.mp4").stat().st_mtime_ns != made.st_mtime_ns


async def test_pieces_that_do_not_fit_are_given_up(tmp_path: Path, records: list[Record]) -> None:
    """The first half is of another profile, which is seen only beside the second."""
    other, how, spool = profile("H264_HIGH"), profile(), tmp_path / "spool"
    killed(spool, records, 0.6, other)
    synthetic.write(spool / "journal", records)
    (spool / "request.json").write_text("{}")
    composing = Composing(spool, how, on_ready=lambda: None, on_tiles=lambda sizes: None)
    result = await composing.finished()
    assert result.frames == SECONDS * 30 and not list(spool.glob("*piece*"))
    same(tmp_path / "whole.mp4", spool / "composite.mp4")


@pytest.mark.usefixtures("prompt_sound")
async def test_a_piece_that_fails_during_the_meeting_does_not_end_the_recording(
    tmp_path: Path, records: list[Record], monkeypatch: pytest.MonkeyPatch
) -> None:
    """All is made again from the journal, of which the rest is still to come."""
    how, spool = profile(), tmp_path / "spool"
    killed(spool, records, 0.4, how)
    (spool / "request.json").write_text("{}")
    reader = JournalReader(spool / "journal")
    writer = JournalWriter(spool / "journal", reader.wake, lambda error: None)
    half = round(len(records) * 0.6)
    failed, caught_up = threading.Event(), threading.Event()
    real = Output.video

    def failing(self: Output, *picture: Any) -> None:
        if not failed.is_set() and picture[1] == 65:
            failed.set()
            raise av.error.ArgumentError(22, "as a muxer says")
        real(self, *picture)
        if failed.is_set() and picture[1] >= 65:
            caught_up.set()

    monkeypatch.setattr(Output, "video", failing)
    composing = Composing(spool, how, on_ready=lambda: None, on_tiles=lambda sizes: None)
    begun: list[int] = []
    composing.on_begin = begun.append
    left = Settled(spool / "composite.mp4", "mp4").bytes()
    composed = composing.live(reader, lambda: records[0].at)
    for record in records[:half]:
        writer.append(record)
    assert await asyncio.to_thread(caught_up.wait, 60)
    assert not list(spool.glob("*piece*"))
    assert begun == [left, 0], "the upload knows that it is another file"
    await asyncio.sleep(0.4)
    assert not composed.done(), "the meeting goes on"
    for record in records[half:]:
        writer.append(record)
    await asyncio.to_thread(writer.close)
    reader.finish()
    assert (await composed).frames == SECONDS * 30
    same(tmp_path / "whole.mp4", spool / "composite.mp4")


@pytest.mark.parametrize(("video", "audio"), [("H264_MAIN", "AAC"), ("VP8", "OPUS")])
def test_a_file_that_the_storage_shares_is_never_written_into(
    tmp_path: Path, records: list[Record], video: str, audio: str
) -> None:
    """Stored, killed, and what says that it is finished cannot be read any more."""
    how, spool = profile(video, audio), tmp_path / "spool"
    killed(spool, records, 0.5, how)
    _, whole = go_on(spool, records, how)
    (tmp_path / "stored").hardlink_to(spool / "composite.mp4")
    before = (tmp_path / "stored").read_bytes()
    (spool / "composite.made.json").write_text("of a later version")
    _, result = go_on(spool, records, how)
    assert result == whole
    assert (tmp_path / "stored").read_bytes() == before
    assert (spool / "composite.mp4").stat().st_nlink == 1


class Death(BaseException):
    """Nothing catches it, as nothing catches SIGKILL."""


class Mortal:
    """Dies before the `left`-th of the calls that change a file; `died_before` is that call's name."""

    def __init__(self, left: int, patch: pytest.MonkeyPatch) -> None:
        self._left = left
        self.died_before: str | None = None
        for owner, names in ((Path, ("unlink", "replace", "write_text")), (os, ("truncate", "fsync"))):
            for name in names:
                patch.setattr(owner, name, self._counted(name, getattr(owner, name)))

    def _counted(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*those: Any, **named: Any) -> Any:
            self._left -= 1
            if not self._left:
                self.died_before = name
                raise Death
            return real(*those, **named)

        return call


@pytest.mark.usefixtures("prompt_sound")
@pytest.mark.parametrize("joined", [True, False])
def test_a_death_at_any_step_costs_nothing(
    tmp_path: Path, records: list[Record], monkeypatch: pytest.MonkeyPatch, joined: bool
) -> None:
    """From sealing to the removal of the last piece; then another process goes on."""
    how, records = profile(), records[: round(len(records) * 0.55)]
    if joined:
        monkeypatch.setattr(Pieces, "_cut", lambda self: False)
    whole = killed(tmp_path / "dead", records, 0.9, how)
    with (tmp_path / "dead" / "composite.mp4").open("ab") as torn:
        torn.write(b"\0\0\1\0moof of which not all is there")
    steps: list[str] = []
    for left in range(1, 100):
        spool = tmp_path / str(left)
        shutil.copytree(tmp_path / "dead", spool)
        with monkeypatch.context() as patch:
            mortal = Mortal(left, patch)
            with contextlib.suppress(Death):
                assert go_on(spool, records, how)[0] > 0
        if mortal.died_before is None:
            break
        steps.append(mortal.died_before)
        made = Pieces(spool, how).made()
        assert (made or go_on(spool, records, how)[1]) == whole, steps
        with av.open(str(spool / "composite.mp4")) as container:
            pictures = [packet for packet in container.demux(video=0) if packet.pts is not None]
        assert len(pictures) == whole.frames, steps
    assert {*steps} == {"unlink", "replace", "write_text", "truncate", "fsync"} and len(steps) > (10 if joined else 8)
