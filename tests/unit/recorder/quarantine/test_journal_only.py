"""A meeting whose composer keeps dying is recorded to its end, and composed when it is over."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from meet.config import Settings
from meet.recorder import main, state
from meet.recorder.composing import Composing
from meet.recorder.journal.reader import JournalReader
from meet.recorder.quarantine.note import Note, place
from meet.recorder.quarantine.watch import Quarantine
from meet.recorder.subscriber import recording as subscriber
from meet.recorder.subscriber.recording import Result
from tests.unit.recorder import synthetic
from tests.unit.recorder.synthetic import meeting
from tests.unit.recorder.test_cutoff import SMALL


class Meeting:
    """Is over as soon as somebody comes back."""

    def __init__(self, *_: object, **options: object) -> None: ...

    def resume(self) -> None:
        """It was not paused."""

    async def run(self, *, ever_joined: bool, lost_at: int) -> Result:
        return Result("meeting ended", lost_at, ever_joined)


@pytest.mark.parametrize("deaths", [3, 4])
def test_after_five_deaths_it_is_composed_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, deaths: int) -> None:
    monkeypatch.setattr(main, "_LINGER_S", 0.0)  # there is nobody to be told
    monkeypatch.setattr(subscriber, "RoomRecording", Meeting)
    spool = tmp_path / "spool" / "EG_x"
    spool.mkdir(parents=True)
    request = {"egress_id": "EG_x", "room_name": "a", "key": "rec/a--x.mp4", "encoding": SMALL}
    (spool / "request.json").write_text(json.dumps(request))
    state.write(spool / "state.json", state.EgressState.from_request(request).advance("active"))
    since = time.time_ns() // 1000 - synthetic.ZERO - 2_000_000
    synthetic.write(spool / "journal", (replace(record, at=record.at + since) for record in meeting([], 1.0)[:-1]))
    live: list[bool] = []
    compose_live = Composing.live

    def watched(self: Composing, reader: JournalReader, now: Any) -> Any:
        live.append(True)
        return compose_live(self, reader, now)

    monkeypatch.setattr(Composing, "live", watched)
    for _ in range(deaths):
        die(spool)
        Quarantine(spool).take_over()
    die(spool)
    assert main.run(Settings.load(data_dir=tmp_path), "EG_x") == 0
    assert (live == []) is (deaths + 1 >= 5)
    found = state.read(spool / "state.json")
    assert found is not None and (found.status, found.details) == ("complete", "End reason: Source closed")


def die(spool: Path) -> None:
    """What a process leaves that dies while it encodes."""
    note = Note.open(place(spool))
    note.begin(live=True)
    note.working(synthetic.ZERO)
