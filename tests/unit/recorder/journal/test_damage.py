"""Wrong bytes in the middle of a journal cost what lies in them, are counted, and nothing behind them is lost."""

from __future__ import annotations

import errno
import io
import random
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from meet.recorder.journal import context, scan
from meet.recorder.journal import writer as writer_module
from meet.recorder.journal.context import Mending, Teller
from meet.recorder.journal.reader import Damage, JournalReader
from meet.recorder.journal.records import (
    HEAD,
    MAGIC,
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
    Speakers,
    Stop,
    Tick,
    Track,
    TrackEnd,
    encode,
)
from meet.recorder.journal.scan import Lost, Scanner
from meet.recorder.journal.summary import summarize
from meet.recorder.journal.writer import JournalWriter
from tests.unit.recorder.synthetic import ZERO

CAMERA = Track(ZERO, 1, "TR_v", "video", "VP8", 90_000, "ada", "Ada", "camera", False)
VOICE = Track(ZERO, 2, "TR_a", "audio", "opus", 48_000, "ada", "Ada", "microphone", False)


def frame(k: int, track: int = 1, size: int = 60) -> Frame:
    return Frame(ZERO + 20_000 * k, track, k, k == 1, False, random.Random(k).randbytes(size))


MEETING: list[Record] = [
    *(Session(ZERO, "EG_x"), Person(ZERO, "ada", "Ada"), CAMERA, VOICE, Begin(ZERO + 5)),
    *(frame(k, 1 + k % 2) for k in range(1, 9)),
    *(ClockReport(ZERO + 10**6, 1, 7, 8), Mute(ZERO + 10**6, 2, True), Tick(ZERO + 10**6), Speakers(ZERO, ["ada"])),
    *(TrackEnd(ZERO + 10**6, 2), Pause(ZERO + 10**6), LayoutChange(ZERO + 10**6, "speaker"), Resume(ZERO + 10**6)),
    *(frame(60), Stop(ZERO + 2 * 10**6, "x")),
]
DATA = MAGIC + b"".join(map(encode, MEETING))


def scanned(data: bytes, chunk: int = 1 << 20, *, complete: bool = False) -> list[Record | Lost]:
    scanner, found = Scanner(), list[Record | Lost]()
    for start in range(0, len(data), chunk):
        found += scanner.feed(data[start : start + chunk])
    return [*found, *scanner.end(complete=complete)]


def spans() -> list[tuple[int, int]]:
    ends = [len(MAGIC)]
    for record in MEETING:
        ends.append(ends[-1] + len(encode(record)))
    return list(pairwise(ends))


@pytest.mark.parametrize("chunk", [37, 1 << 20])
def test_any_wrong_byte_costs_one_record(chunk: int) -> None:
    rng = random.Random(1)
    for number, (start, end) in enumerate(spans()):
        for at in range(start, end):
            data = bytearray(DATA)
            data[at] ^= 1 << rng.randrange(8)
            found = scanned(bytes(data), chunk)
            lost = [item for item in found if isinstance(item, Lost)]
            assert [item for item in found if not isinstance(item, Lost)] == MEETING[:number] + MEETING[number + 1 :], (
                at
            )
            torn = number == len(MEETING) - 1
            assert [item.size for item in lost] == ([] if torn else [end - start]), at


def test_any_stretch_of_noise_costs_what_it_lies_in() -> None:
    rng = random.Random(2)
    for _ in range(300):
        at, length = rng.randrange(len(DATA)), rng.randint(1, 500)
        data = bytearray(DATA)
        data[at : at + length] = rng.randbytes(len(data[at : at + length]))
        whole = [
            record
            for record, (start, end) in zip(MEETING, spans(), strict=True)
            if end <= at or start >= at + length or data[start:end] == DATA[start:end]
        ]
        assert [item for item in scanned(bytes(data)) if not isinstance(item, Lost)] == whole, (at, length)


def test_a_tail_is_torn_unless_the_writer_had_completed_the_segment() -> None:
    for torn in (DATA[:-3], DATA + bytes(4096), DATA + random.Random(3).randbytes(5000)):
        assert not any(isinstance(item, Lost) for item in scanned(torn))
    assert scanned(DATA + bytes(4096), complete=True) == [*MEETING, Lost(4096, None)]
    assert scanned(DATA[:-3], complete=True)[-1] == Lost(len(encode(MEETING[-1])) - 3, None)


def test_what_somebody_sent_is_no_record() -> None:
    """A damaged payload may hold what looks like records, as may what a file system left over from another journal."""
    forged = encode(Stop(ZERO, "forged"))
    hostile = Frame(ZERO, 1, 1, True, False, forged * 3)
    data = bytearray(MAGIC + encode(hostile) + encode(Tick(ZERO + 1)))
    data[len(MAGIC) + HEAD.size + 8] ^= 1
    assert scanned(bytes(data)) == [Lost(len(encode(hostile)), 1), Tick(ZERO + 1)]
    old = encode(Stop(ZERO - 10**9, "of another recording"))
    assert scanned(MAGIC + encode(Tick(ZERO)) + bytes(50) + old + encode(Tick(ZERO + 1)))[2:] == [Tick(ZERO + 1)]


def test_long_damage_is_searched_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunk after chunk; what has been searched is not kept."""
    looked: list[int] = []
    heads = scan._HEADS

    class Watched:
        def search(self, data: bytes, place: int) -> object:
            looked.append(len(data) - place)
            return heads.search(data, place)

    monkeypatch.setattr(scan, "_HEADS", Watched())
    noise = random.Random(4).randbytes(1 << 20)
    found = scanned(MAGIC + encode(Tick(ZERO)) + noise + encode(Tick(ZERO + 1)), 1 << 14)
    assert found == [Tick(ZERO), Lost(len(noise), None), Tick(ZERO + 1)]
    assert sum(looked) < 2 * len(noise)


def write(path: Path, *segments: list[Record], damage: Callable[[bytearray], None] | None = None) -> JournalReader:
    """damage: done to the first segment."""
    path.mkdir(exist_ok=True)
    for number, records in enumerate(segments, 1):
        data = bytearray(MAGIC + b"".join(map(encode, records)))
        if number == 1 and damage is not None:
            damage(data)
        (path / f"{number:06}.seg").write_bytes(data)
    reader = JournalReader(path)
    reader.finish()
    return reader


def wrong(record: int, records: list[Record]) -> Callable[[bytearray], None]:
    """Damage in the body of the record with this index."""

    def damage(data: bytearray) -> None:
        data[len(MAGIC) + sum(len(encode(each)) for each in records[:record]) + HEAD.size + 4] ^= 0x40

    return damage


def test_what_follows_a_lost_frame_says_so(tmp_path: Path) -> None:
    records: list[Record] = [CAMERA, VOICE, *(frame(k, 1 + k % 2) for k in range(1, 11))]
    reader = write(tmp_path, records, damage=wrong(4, records))
    read = list(reader)
    assert [r.rtp for r in read if isinstance(r, Frame) and (r.gap or r.broken)] == [5], "of the same track only"
    assert len(read) == len(records) - 1 and reader.damage == Damage(1, len(encode(records[4])))
    assert list(reader) == read and reader.damage.records == 1, "counted anew"

    def head(data: bytearray) -> None:
        data[len(MAGIC) + sum(len(encode(each)) for each in records[:4]) + 1] ^= 0x40

    reader = write(tmp_path, records, damage=head)
    assert [r.rtp for r in reader if isinstance(r, Frame) and (r.gap or r.broken)] == [4, 5], (
        "nobody knows whose it was"
    )
    reader = write(tmp_path, [*records[:4], Tick(ZERO), *records[4:]], damage=wrong(4, [*records[:4], Tick(ZERO)]))
    assert not any(isinstance(r, Frame) and (r.gap or r.broken) for r in reader), "nothing of anybody was lost"


def test_a_reader_learns_from_the_next_context_what_it_has_missed(tmp_path: Path) -> None:
    """Whatever single record is lost: what the reader knows behind the Context is what the writer knew."""
    at = ZERO + 3 * 10**6
    other = replace(CAMERA, track=3, sid="TR_s", source="screen_share", muted=True)
    first: list[Record] = [
        *(Session(ZERO, "EG_x"), Person(ZERO, "ada", "Ada"), Person(ZERO, "bob", "Bob"), CAMERA, VOICE, other),
        *(Begin(ZERO + 5), frame(1), Mute(at, 3, False), LayoutChange(at, "speaker"), TrackEnd(at, 1)),
        *(Person(at, "bob", "Bob", present=False), Pause(at), Tick(at)),
    ]
    told = Context(at, ZERO + 5, at, "speaker", [VOICE, replace(other, muted=False)], {"ada": "Ada"})
    later: list[Record] = [told, Resume(at + 5), frame(2, 3)]
    whole = list(write(tmp_path, first, later))
    assert whole == [*first, Resume(at + 5), frame(2, 3)], "it is nothing for anybody else"
    expected = known(whole)
    for index in range(1, len(first) - 1):
        if not isinstance(first[index], Frame):
            read = list(write(tmp_path, first, later, damage=wrong(index, first)))
            assert known(read) == expected, first[index]
    (tmp_path / "000001.seg").unlink()
    reader = finished(tmp_path)
    assert known(list(reader)) == expected, "a segment can be read without those before it"
    assert reader.damage == Damage(1, 0)


def finished(path: Path) -> JournalReader:
    reader = JournalReader(path)
    reader.finish()
    return reader


def known(records: list[Record]) -> context.Known:
    """Times of corrections are later than those of what was lost."""
    state = context.Known()
    for record in records:
        if not isinstance(record, Frame):
            state.take(record)
    state.tracks = {number: replace(track, at=0) for number, track in state.tracks.items()}
    return state


def test_a_pause_whose_end_is_lost_ends_with_the_next_frame(tmp_path: Path) -> None:
    away: list[Record] = [Pause(ZERO + 10**6), Resume(ZERO + 2 * 10**6)]
    records: list[Record] = [CAMERA, Begin(ZERO), frame(1), *away, frame(150), frame(151)]
    read = list(write(tmp_path, records, damage=wrong(4, records)))
    assert read == [*records[:4], Resume(frame(150).at), frame(150), frame(151)]
    assert summarize(tmp_path).paused_at == 0


def test_a_stop_behind_damage_is_seen(tmp_path: Path) -> None:
    """A stopped recording that looks as if it were still running would be recorded on."""
    records: list[Record] = [Session(ZERO, "EG_x"), CAMERA, Begin(ZERO), frame(1), frame(2), Stop(ZERO + 10**6, "x")]
    write(tmp_path, records, damage=wrong(0, records))
    found = summarize(tmp_path)
    assert (found.begin_at, found.stopped, found.next_track) == (ZERO, True, 2)


def test_the_writer_tells_again_what_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the beginning of every segment, and soon after a change; readers of a whole journal do not see it."""
    monkeypatch.setattr(context, "_AFTER_S", 0.0)
    monkeypatch.setattr(writer_module, "SEGMENT_BYTES", 2000)
    monkeypatch.setattr(writer_module, "_BATCH_BYTES", 500)
    records: list[Record] = [Session(ZERO, "EG_x"), Person(ZERO, "ada", "Ada"), CAMERA, VOICE, Begin(ZERO)]
    records += [frame(k, 1 + k % 2, 200) for k in range(1, 60)]
    writer = JournalWriter(tmp_path, lambda: None, lambda error: None)
    for record in records:
        writer.append(record)
    writer.close()
    segments = sorted(tmp_path.glob("*.seg"))
    assert len(segments) > 3 and list(finished(tmp_path)) == records
    contexts = [[r for r in scanned(path.read_bytes()) if isinstance(r, Context)] for path in segments]
    told = Context(ZERO, ZERO, 0, "", [CAMERA, VOICE], {"ada": "Ada"})
    assert contexts[0][-1] == told, "a second after the change"
    assert [each[0] for each in contexts[1:]] == [replace(told, at=each[0].at) for each in contexts[1:]]
    assert all(isinstance(scanned(path.read_bytes())[0], Context) for path in segments[1:])


def test_little_of_the_journal_is_repetition(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    teller, told = Teller(), 0
    for k in range(600):  # a minute in which somebody comes every tenth of a second
        now += 0.1
        teller.take(Person(ZERO + k, f"somebody-{k}", "Some Body"))
        told += len(teller.due())
    assert 10_000 < told < 60 * 10_000 + 50_000


def test_what_a_disk_cannot_read_any_more_is_damage(tmp_path: Path) -> None:
    """A bad sector is an error, not a wrong byte."""
    records: list[Record] = [CAMERA, *(frame(k, 1, 500) for k in range(1, 60))]
    path = tmp_path / "000001.seg"
    path.write_bytes(MAGIC + b"".join(map(encode, records)))

    class Disk(io.FileIO):
        def read(self, size: int | None = -1) -> bytes:
            at = self.tell()
            assert size is not None
            if at < 12288 and at + size > 8192 and (at >= 8192 or size == 1 << 20):
                raise OSError(errno.EIO, "Input/output error")
            return super().read(size) or b""

    reader = finished(tmp_path)
    with Disk(path) as disk:
        read = list(reader._segment(disk, 1, Mending()))
    known = {record.rtp for record in read if isinstance(record, Frame)}
    lost = [record for record in records if isinstance(record, Frame) and record.rtp not in known]
    assert (
        reader.damage == Damage(1, sum(len(encode(record)) for record in lost)) and 4096 <= reader.damage.bytes < 6000
    )
    assert [r.rtp for r in read if isinstance(r, Frame) and (r.gap or r.broken)] == [lost[-1].rtp + 1]
