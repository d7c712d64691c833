"""The power goes: unsynced writes are dropped, and every record that the journal had synced is read again."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from pathlib import Path

import pytest

from meet.media.twirp.egress_model import EgressRequest
from meet.media.twirp.egress_model import EgressState as Known
from meet.recorder import finish, state
from meet.recorder.control.spool import Spool
from meet.recorder.journal import writer as writer_module
from meet.recorder.journal.records import HEAD, MAGIC, Frame, Record, Session, encode
from meet.recorder.journal.summary import Summary, summarize
from meet.recorder.journal.writer import JournalWriter
from storage.filesystem import FilesystemStore
from tests.faults.disk import Disk
from tests.unit.recorder import synthetic

REQUEST = EgressRequest("a", "RM_1", "grid", "H264_720P_30", "rec/a--x.mp4", b"")


def frames(rng: random.Random, numbers: itertools.count[int], count: int) -> list[Record]:
    chosen = itertools.islice(numbers, count)
    return [Frame(n, 1, n, n % 30 == 0, False, rng.randbytes(rng.randint(1, 4000))) for n in chosen]


def whole_records(data: bytes) -> int:
    """How many complete records a segment's bytes hold."""
    count, at = 0, len(MAGIC)
    while at + HEAD.size <= len(data):
        at += HEAD.size + HEAD.unpack_from(data, at)[0]
        count += at <= len(data)
    return count


@pytest.mark.parametrize("seed", range(6))
def test_every_synced_record_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    """Three power cuts in one recording, each while the writer is at work."""
    rng = random.Random(seed)
    monkeypatch.setattr(writer_module, "SYNC_INTERVAL_S", 0.03)
    monkeypatch.setattr(writer_module, "SEGMENT_BYTES", rng.choice([20_000, 200_000]))
    root = tmp_path / "0"
    root.mkdir()
    numbers = itertools.count(1)
    survived: list[Record] = []
    for life in range(3):
        disk = Disk(root)
        with disk.install(monkeypatch):
            disk.adopt()
            journal = root / "spool" / "EG_x" / "journal"
            errors: list[OSError] = []
            earlier = set(journal.glob("*.seg"))  # these may have tails of garbage
            writer = JournalWriter(journal, lambda: None, errors.append)
            appended = [Session(next(numbers), "EG_x"), *frames(rng, numbers, rng.randint(1, 200))]
            for record in appended:
                writer.append(record)
                if rng.random() < 0.1:
                    time.sleep(rng.uniform(0, 0.02))
            time.sleep(rng.uniform(0, 0.08))
            root = tmp_path / str(life + 1)
            with disk.frozen:
                written = set(journal.glob("*.seg")) - earlier
                promised = len(survived) + sum(whole_records(disk.synced(path)) for path in written)
                disk.cut_power(root, rng)
            writer.close()
            assert errors == []
        read = synthetic.read(root / "spool" / "EG_x" / "journal")
        history = survived + list(appended)
        # A tail may survive that was not promised, with a hole; nothing may come back that was never written.
        assert read[:promised] == history[:promised] and len(read) >= promised
        following = iter(history)
        assert all(record in following for record in read)
        survived = read
    expected = Summary()
    for record in survived:
        expected.take(record)
    assert summarize(root / "spool" / "EG_x" / "journal") == expected


async def test_a_start_that_was_answered_is_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "data"
    root.mkdir()
    disk = Disk(root)
    with disk.install(monkeypatch):
        Spool(root / "spool").create(Known("EG_aaaaaaaaaaaa", REQUEST), 5)
        disk.cut_power(tmp_path / "after", random.Random(1))
    ((found, _, _),) = Spool(tmp_path / "after" / "spool").scan()
    assert found.request == REQUEST


async def test_at_no_moment_of_the_ending_is_there_neither_journal_nor_object(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Power may go after every single fsync between the last frame and `complete`."""
    root = tmp_path / "data"
    (root / "spool" / "EG_x").mkdir(parents=True)
    (root / "storage").mkdir()
    rng = random.Random(7)
    disk = Disk(root)
    content = rng.randbytes(50_000)
    images: list[Path] = []

    def cut() -> None:
        images.append(tmp_path / f"image{len(images)}")
        disk.cut_power(images[-1], rng)

    spool = root / "spool" / "EG_x"
    with disk.install(monkeypatch):
        disk.adopt()
        writer = JournalWriter(spool / "journal", lambda: None, lambda error: None)
        appended = frames(rng, itertools.count(1), 50)
        for record in appended:
            writer.append(record)
        await asyncio.to_thread(writer.close)
        disk.after_sync = cut
        cut()
        now = state.EgressState("EG_x", "a", "ending", "grid", "H264_720P_30", "rec/a--x.mp4")
        state.write(spool / "state.json", now)
        (spool / "composite.mp4").write_bytes(content)
        blobs = FilesystemStore(root / "storage")
        await finish.store(blobs, now.key, spool / "composite.mp4", len(content), "video/mp4", lambda text: None)
        state.write(spool / "state.json", now.advance("complete"))
        finish.discard(spool)
        disk.after_sync = None
        cut()
    assert len(images) > 6
    statuses = set()
    for image in images:
        kept = synthetic.read(image / "spool" / "EG_x" / "journal")
        known = state.read(image / "spool" / "EG_x" / "state.json")
        stored = image / "storage" / "rec" / "a--x.mp4"
        status = known.status if known is not None else None
        statuses.add(status)
        if status == "complete":
            assert stored.read_bytes() == content
        else:
            assert kept == appended
    assert statuses == {None, "ending", "complete"}


def test_a_record_is_as_long_as_it_says() -> None:
    """The test's own count of records agrees with the writer's."""
    records = frames(random.Random(3), itertools.count(1), 5)
    data = MAGIC + b"".join(map(encode, records))
    assert [whole_records(data), whole_records(data[:-1])] == [5, 4]
