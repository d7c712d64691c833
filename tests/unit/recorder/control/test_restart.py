"""The media process dies and comes back: the spool tells it everything."""

from __future__ import annotations

import json
import time
from dataclasses import replace

from meet.media.twirp.egress_model import EgressState
from meet.recorder.control.retention import KEEP_S
from tests.unit.recorder.control.world import World


def known(world: World) -> dict[str, EgressState]:
    return {state.egress_id: replace(state, updated_at_ms=0) for state in world.control.list()}


async def test_everything_is_known_again_and_nothing_is_told_twice(world: World) -> None:
    running, done = await world.start(), await world.start()
    for egress_id, status in ((running, "active"), (done, "complete")):
        recorder = await world.recorder(egress_id)
        recorder.report(status, save=True, started_at_ms=5, size=7)
        await world.until_status(egress_id, status)
    await world.control.update_layout(running, "speaker")
    before = known(world)
    await world.restart()
    assert known(world) == before
    assert world.events == []
    recorder = await world.recorder(running)
    assert await recorder.hear() == {"type": "update_layout", "layout": "speaker"}
    recorder.report("active")
    recorder.report("complete")
    await world.until_status(running, "complete")
    assert world.told == [("egress_ended", "complete")]


async def test_what_happened_meanwhile_is_told_on_return(world: World) -> None:
    egress_id = await world.start()
    await world.control.close()
    state = {"egress_id": egress_id, "room_name": "a", "status": "complete", "size": 9, "ended_at_ms": 99}
    state["ended_at_ms"] = time.time_ns() // 1_000_000
    (world.folder(egress_id) / "state.json").write_text(json.dumps(state))
    await world.restart()
    assert world.told == [("egress_ended", "complete")]
    assert world.events[0].state.size == 9


async def test_what_no_receiver_confirmed_is_told_again_with_the_same_id(world: World) -> None:
    world.confirming = False
    egress_id = await world.start()
    recorder = await world.recorder(egress_id)
    recorder.report("active", save=True)
    await world.until_status(egress_id, "active")
    ids = [event.event_id for event in world.events]
    assert len(set(ids)) == 2
    await world.restart()
    assert world.told == [("egress_started", "starting"), ("egress_updated", "active")]
    assert [event.event_id for event in world.events] == ids
    world.events[1].confirm()
    await world.restart()
    assert world.told == []


async def test_a_stop_survives(world: World) -> None:
    active, starting = await world.start(), await world.start()
    recorder = await world.recorder(active)
    recorder.report("active", save=True)
    await world.until_status(active, "active")
    await recorder.close()
    await world.until(lambda: world.entry(active).link is None)
    await world.control.stop(active)
    await world.control.stop(starting)
    await world.restart()
    assert world.status(active) == "ending"
    again = await world.recorder(active)
    assert await again.hear() == {"type": "stop", "reason": "stop_requested"}
    again = await world.recorder(starting)
    assert await again.hear() == {"type": "stop", "reason": "cancelled"}


async def test_half_made_entries_and_junk_in_the_spool(world: World) -> None:
    spool = world.data / "spool"
    half = spool / "EG_halfmade0000"
    half.mkdir(parents=True)
    (half / "control.json").write_text("{}")
    broken = spool / "EG_broken000000"
    broken.mkdir()
    (broken / "request.json").write_text("{")
    odd = spool / "EG_odd000000000"
    odd.mkdir()
    (odd / "request.json").write_text('{"room_name": "a", "key": "k", "created_ms": NaN}')
    (odd / "control.json").write_text('{"original": "x"}')
    (spool / "lost+found").mkdir()
    (spool / "note.txt").write_text("x")
    await world.restart()
    assert [state.egress_id for state in world.control.list()] == ["EG_odd000000000"]
    assert sorted(path.name for path in spool.iterdir()) == [
        "EG_broken000000",
        "EG_odd000000000",
        "lost+found",
        "note.txt",
    ]


async def test_tombstones_last_seven_days_but_a_lost_journal_stays(world: World) -> None:
    old, fresh, lost = await world.start(), await world.start(), await world.start()
    now = time.time_ns() // 1_000_000
    for egress_id, status, age_s in (
        (old, "complete", KEEP_S + 60),
        (fresh, "complete", KEEP_S - 60),
        (lost, "failed", KEEP_S + 60),
    ):
        state = {"status": status, "ended_at_ms": now - age_s * 1000}
        (world.folder(egress_id) / "state.json").write_text(json.dumps(state))
    journal = world.folder(lost) / "journal"
    journal.mkdir()
    (journal / "0.seg").write_bytes(b"frames")
    await world.restart()
    assert [state.egress_id for state in world.control.list()] == [fresh]
    await world.until(lambda: not world.folder(old).exists())
    assert (journal / "0.seg").exists()
