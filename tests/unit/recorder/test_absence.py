"""A recorder that comes back after its meeting has gone: the time in between is no part of the file."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Self

import pytest

from meet.recorder.composer.compose import compose
from meet.recorder.journal import records
from meet.recorder.journal.reader import JournalReader
from meet.recorder.journal.summary import Summary
from meet.recorder.journal.writer import JournalWriter
from meet.recorder.subscriber import recording as recording_module
from meet.recorder.subscriber.recording import JournalSink, RoomRecording, SteadyClock
from meet.recorder.subscriber.signalling import RoomGone, Signalling
from tests.unit.recorder import synthetic
from tests.unit.recorder.composer.test_compose import SMALL
from tests.unit.recorder.synthetic import ZERO, Source, meeting


def gone() -> Signalling:
    raise RoomGone("no such room")


async def test_the_file_ends_where_the_meeting_was_last_seen(tmp_path: Path) -> None:
    """The journal is of long ago; the new process finds no room."""
    journal = tmp_path / "journal"
    seen = [r for r in meeting([Source(synthetic.video("VP8", 2))], 2.0) if not isinstance(r, records.Stop)]
    synthetic.write(journal, seen)
    last_at = max(r.at for r in seen)
    reader, clock = JournalReader(journal), SteadyClock()
    writer = JournalWriter(journal, reader.wake, lambda error: None)
    sink = JournalSink(writer, clock, "EG_test", Summary(begin_at=ZERO, next_track=2))
    recording = RoomRecording(gone, sink, clock, tile=(640, 360), patience_s=0, rejoin_patience_s=0)
    result = await recording.run(ever_joined=True, lost_at=last_at)
    assert result.ever_joined and result.at == last_at < clock.now() - 1_000_000
    sink.stop(result.at, result.reason)
    writer.close()
    reader.finish()
    made = compose(reader, tmp_path / "out.mp4", SMALL, "grid")
    assert abs(made.duration_s - (last_at - ZERO) / 1_000_000) < 0.1


async def test_a_stop_before_the_room_was_found_again_ends_there_too(tmp_path: Path) -> None:
    clock = SteadyClock()
    reader = JournalReader(tmp_path)
    writer = JournalWriter(tmp_path, reader.wake, lambda error: None)
    sink = JournalSink(writer, clock, "EG_test", Summary(begin_at=ZERO))
    recording = RoomRecording(gone, sink, clock, tile=(640, 360), patience_s=60, rejoin_patience_s=60)
    recording.stop("stop_requested")
    result = await recording.run(ever_joined=True, lost_at=ZERO + 5)
    writer.close()
    assert (result.reason, result.at) == ("stop_requested", ZERO + 5)


class Closing:
    """A media server that is being restarted: it takes the connection, and ends it without a word; then it is gone."""

    selection = None
    came = 0

    async def __aenter__(self) -> Self:
        Closing.came += 1
        if Closing.came > 1:
            raise RoomGone("no such room")
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    async def messages(self) -> AsyncIterator[Any]:
        nothing: tuple[Any, ...] = ()
        for message in nothing:
            yield message

    async def send(self, *_: object) -> None:
        pass


async def test_a_connection_that_was_never_answered_is_no_meeting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording_module, "_RETRY_S", 0.01)
    clock, before = SteadyClock(), Summary(begin_at=ZERO, last_at=ZERO + 5, boot="a")
    writer = JournalWriter(tmp_path, lambda: None, lambda error: None, before)
    sink = JournalSink(writer, clock, "EG_test", before, "b")
    connect: Any = Closing
    recording = RoomRecording(connect, sink, clock, tile=(1, 1), patience_s=0.2, rejoin_patience_s=0.2)
    result = await recording.run(ever_joined=True, lost_at=before.last_at)
    writer.close()
    assert Closing.came > 1 and (result.reason, result.at) == ("meeting ended (no such room)", ZERO + 5)
