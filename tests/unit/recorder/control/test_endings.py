"""Starts that come to nothing: cancelled, never answered, overtaken by the end of the room."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from meet.media.room import RoomRegistry
from meet.recorder.control.rooms import follow_registry
from tests.unit.recorder.control.world import World


@pytest.fixture
async def hasty(data: Path) -> AsyncIterator[World]:
    """Gives a recorder a second to appear."""
    running = World(data, start_timeout_s=1.0)
    await running.open()
    yield running
    await running.close()


async def test_a_recorder_that_never_comes_is_a_clear_failure(hasty: World) -> None:
    egress_id = await hasty.start()
    await hasty.until_status(egress_id, "failed")
    (state,) = hasty.control.list()
    assert (state.error, state.error_code) == ("the recorder did not start in time", 504)
    assert state.ended_at_ms
    assert hasty.told == [("egress_started", "starting"), ("egress_ended", "failed")]
    # Final on the disk too, so the supervisor starts no recorder for it ever again.
    assert json.loads((hasty.folder(egress_id) / "state.json").read_text())["status"] == "failed"
    late = await hasty.recorder(egress_id)
    assert await late.hear() == {"type": "stop", "reason": "cancelled"}


async def test_a_recorder_that_came_is_not_given_up(hasty: World) -> None:
    egress_id = await hasty.start()
    recorder = await hasty.recorder(egress_id)
    recorder.report("starting")
    await asyncio.sleep(1.3)
    assert hasty.status(egress_id) == "starting"


async def test_a_cancelled_start_ends_aborted_and_leaves_nothing(world: World) -> None:
    egress_id = await world.start()
    recorder = await world.recorder(egress_id)
    recorder.report("starting", save=True)
    assert (await world.control.stop(egress_id)).status == "starting"
    assert (await world.control.stop(egress_id)).status == "starting"  # asked twice, told once
    assert await recorder.hear() == {"type": "stop", "reason": "cancelled"}
    recorder.report("aborted", save=True, ended_at_ms=7)
    await world.until_status(egress_id, "aborted")
    assert world.folder(egress_id).exists()  # the recorder may still be writing
    await recorder.close()
    await world.until(lambda: not world.folder(egress_id).exists())
    assert world.told == [("egress_started", "starting"), ("egress_ended", "aborted")]


async def test_a_start_cancelled_before_the_recorder_came(hasty: World) -> None:
    egress_id = await hasty.start()
    await hasty.control.stop(egress_id)
    await hasty.until_status(egress_id, "aborted")
    await hasty.until(lambda: not hasty.folder(egress_id).exists())
    assert hasty.told == [("egress_started", "starting"), ("egress_ended", "aborted")]


async def test_a_cancelled_start_whose_recorder_died(hasty: World) -> None:
    egress_id = await hasty.start()
    recorder = await hasty.recorder(egress_id)
    recorder.report("starting")
    await hasty.control.stop(egress_id)
    assert await recorder.hear() == {"type": "stop", "reason": "cancelled"}
    await recorder.close()
    await hasty.until(lambda: not hasty.folder(egress_id).exists())
    assert hasty.status(egress_id) == "aborted"


async def test_a_late_recorder_of_a_cancelled_start_is_told(world: World) -> None:
    egress_id = await world.start()
    await world.control.stop(egress_id)
    recorder = await world.recorder(egress_id)
    assert await recorder.hear() == {"type": "stop", "reason": "cancelled"}


async def test_frames_that_won_the_race_against_the_cancel_are_kept(world: World) -> None:
    egress_id = await world.start()
    recorder = await world.recorder(egress_id)
    await world.control.stop(egress_id)
    recorder.report("active")
    recorder.report("complete", save=True, size=3)
    await world.until_status(egress_id, "complete")
    await recorder.close()
    await asyncio.sleep(0.05)
    assert world.folder(egress_id).exists()


async def test_a_room_that_finishes_while_starting(hasty: World) -> None:
    registry = RoomRegistry()
    follow_registry(hasty.control, registry)
    registry.create("a")
    egress_id = await hasty.start()
    registry.delete("a")
    await hasty.until_status(egress_id, "aborted")
    assert hasty.folder(egress_id).exists()  # nobody cancelled it: it stays visible


async def test_a_recorder_that_works_but_cannot_reach_us_is_not_given_up(hasty: World) -> None:
    egress_id = await hasty.start()
    written = {"egress_id": egress_id, "room_name": "a", "status": "active", "started_at_ms": 7}
    (hasty.folder(egress_id) / "state.json").write_text(json.dumps(written))
    await hasty.until_status(egress_id, "active")
    assert hasty.told == [("egress_started", "starting"), ("egress_updated", "active")]
    recorder = await hasty.recorder(egress_id)
    recorder.report("complete", save=True, size=3)
    await hasty.until_status(egress_id, "complete")


@pytest.mark.usefixtures("watchful")
async def test_one_that_ends_without_a_way_to_us_is_over(world: World) -> None:
    """So is one whose files somebody has removed."""
    ended, removed, speaking = await world.start(), await world.start(), await world.start()
    recorders = {egress_id: await world.recorder(egress_id) for egress_id in (ended, removed, speaking)}
    for egress_id, recorder in recorders.items():
        recorder.report("active", save=True)
        await world.until_status(egress_id, "active")
    for egress_id in (ended, removed):
        await recorders[egress_id].close()
    written = {"egress_id": ended, "room_name": "a", "status": "complete", "size": 3, "ended_at_ms": 9}
    for egress_id in (ended, speaking):  # of who speaks, only what it says counts
        (world.folder(egress_id) / "state.json").write_text(json.dumps(written))
    await world.control._ledger.settled()
    shutil.rmtree(world.folder(removed))
    await world.until_status(ended, "complete")
    await world.until_status(removed, "failed")
    assert world.status(speaking) == "active"
    assert world.control.list(egress_id=ended)[0].size == 3
    assert world.control.list(egress_id=removed)[0].error == "the files of the recording are gone"
    assert world.told[-2:] == [("egress_ended", "complete"), ("egress_ended", "failed")]


async def test_what_was_recorded_before_a_crash_waits_for_its_recorder(hasty: World) -> None:
    """However late it comes on a busy machine, and though its meeting is over."""
    egress_id = await hasty.start()
    (hasty.folder(egress_id) / "journal").mkdir()
    (hasty.folder(egress_id) / "journal" / "000001.seg").write_bytes(b"media")
    await hasty.restart()
    hasty.control.room_finished("a")
    await asyncio.sleep(1.3)
    assert [state.status for state in hasty.control.list()] == ["starting"]
    recorder = await hasty.recorder(egress_id)
    assert await recorder.hear() == {"type": "stop", "reason": "room_finished"}
    recorder.report("complete")
    await hasty.until_status(egress_id, "complete")


async def test_why_nothing_can_be_stored_is_told_until_it_can(world: World) -> None:
    egress_id = await world.start()
    recorder = await world.recorder(egress_id)
    for details in (None, "what is recorded cannot be stored yet: gone", None):
        recorder.report("active", details=details)
    recorder.report("complete")
    await world.until_status(egress_id, "complete")
    assert [event.state.details for event in world.events[1:4]] == [
        None,
        "what is recorded cannot be stored yet: gone",
        None,
    ]


async def test_why_an_ending_takes_its_time_is_told(world: World) -> None:
    egress_id = await world.start()
    recorder = await world.recorder(egress_id)
    recorder.report("active")
    recorder.report("ending", details="End reason: StopEgress API")
    await world.until_status(egress_id, "ending")
    for _ in range(2):
        recorder.report("ending", details="The object store does not answer.")
    recorder.report("complete", details="End reason: StopEgress API")
    await world.until_status(egress_id, "complete")
    assert [event.state.details for event in world.events[2:]] == [
        "End reason: StopEgress API",
        "The object store does not answer.",
        "End reason: StopEgress API",
    ]
