"""A disk that hesitates: the event loop goes on, and nothing is said outside that a successor would not know of."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from meet.media.room import RoomRegistry
from meet.media.twirp.egress_model import EgressNotRunning, EgressUnavailable
from meet.recorder.control.rooms import follow_registry
from tests.unit.recorder.control.world import REQUEST, FakeRecorder, World


class HesitatingDisk:
    """fsync(2) returns while `ready` is set; `waiting` is set as soon as somebody waits for it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ready = threading.Event()
        self.ready.set()
        self.waiting = threading.Event()
        self._fsync = os.fsync
        monkeypatch.setattr("os.fsync", self._slow)

    def _slow(self, fd: int) -> None:
        if not self.ready.is_set():
            self.waiting.set()
            assert self.ready.wait(60)
        self._fsync(fd)

    def stall(self) -> None:
        self.waiting.clear()
        self.ready.clear()

    async def until_waited_for(self) -> None:
        async with asyncio.timeout(40):
            while not self.waiting.is_set():
                await asyncio.sleep(0.005)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[HesitatingDisk]:
    disk = HesitatingDisk(monkeypatch)
    yield disk
    disk.ready.set()


async def active(world: World) -> tuple[str, FakeRecorder]:
    egress_id = await world.start()
    recorder = await world.recorder(egress_id)
    recorder.report("active", save=True)
    await world.until_status(egress_id, "active")
    await world.control._ledger.settled()
    return egress_id, recorder


def kept(world: World, egress_id: str) -> dict[str, object]:
    content = json.loads((world.folder(egress_id) / "control.json").read_text())
    assert isinstance(content, dict)
    return content


async def test_a_start_is_answered_and_told_when_it_is_written(world: World, disk: HesitatingDisk) -> None:
    disk.stall()
    starting = asyncio.create_task(world.control.start(REQUEST))
    await disk.until_waited_for()
    assert not starting.done() and world.events == [] and world.supervisor.started == []
    disk.ready.set()
    assert world.supervisor.started == [(await starting).egress_id]
    assert world.told == [("egress_started", "starting")]


async def test_a_stop_reaches_the_recorder_at_once_and_the_others_when_it_is_written(
    world: World, disk: HesitatingDisk
) -> None:
    egress_id, recorder = await active(world)
    world.events.clear()
    disk.stall()
    stopping = asyncio.create_task(world.control.stop(egress_id))
    assert await recorder.hear() == {"type": "stop", "reason": "stop_requested"}
    await disk.until_waited_for()
    again = asyncio.create_task(world.control.stop(egress_id))
    await asyncio.sleep(0)
    assert (stopping.done(), again.done(), world.told, world.status(egress_id)) == (False, False, [], "active")
    assert kept(world, egress_id)["stop"] is None
    disk.ready.set()
    assert (await stopping).status == "ending"
    with pytest.raises(EgressNotRunning):
        await again
    assert world.told == [("egress_updated", "ending")]
    assert kept(world, egress_id)["stop"] == "stop_requested"


async def test_a_room_that_finishes_holds_nobody_up(world: World, disk: HesitatingDisk) -> None:
    registry = RoomRegistry()
    follow_registry(world.control, registry)
    registry.create("a")
    egress_id, recorder = await active(world)
    disk.stall()
    registry.delete("a")
    assert await recorder.hear() == {"type": "stop", "reason": "room_finished"}
    recorder.report("ending", save=True)  # its own disk has taken that
    await world.until_status(egress_id, "ending")
    disk.ready.set()
    recorder.report("complete", save=True)
    await world.until_status(egress_id, "complete")
    assert [status for _, status in world.told] == ["starting", "active", "ending", "complete"]


async def test_a_room_that_finishes_before_the_start_is_written(data: Path, disk: HesitatingDisk) -> None:
    world = World(data, start_timeout_s=0.1)
    await world.open()
    try:
        disk.stall()
        starting = asyncio.create_task(world.control.start(REQUEST))
        await disk.until_waited_for()
        world.control.room_finished("a")
        disk.ready.set()
        egress_id = (await starting).egress_id
        await world.until_status(egress_id, "aborted")
        assert world.told == [("egress_started", "starting"), ("egress_ended", "aborted")]
        assert world.entry(egress_id).due is None
    finally:
        disk.ready.set()
        await world.close()


async def test_a_caller_who_goes_away_changes_nothing(world: World, disk: HesitatingDisk) -> None:
    egress_id, _ = await active(world)
    disk.stall()
    stopping = asyncio.create_task(world.control.stop(egress_id))
    await disk.until_waited_for()
    stopping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stopping
    disk.ready.set()
    await world.until_status(egress_id, "ending")
    assert kept(world, egress_id)["stop"] == "stop_requested"


async def test_wishes_are_written_in_order(world: World, disk: HesitatingDisk) -> None:
    egress_id, recorder = await active(world)
    disk.stall()
    asked = [asyncio.create_task(world.control.update_layout(egress_id, name)) for name in ("speaker", "grid")]
    asked.append(asyncio.create_task(world.control.set_paused(egress_id, True)))
    heard = [await recorder.hear() for _ in asked]
    assert heard[:2] == [{"type": "update_layout", "layout": name} for name in ("speaker", "grid")]
    assert heard[2] == {"type": "pause"}
    recorder.report("active", paused=True, layout="grid")
    await world.until(lambda: world.control.list()[0].paused)
    assert not any(task.done() for task in asked)
    disk.ready.set()
    assert [(await task).layout for task in asked][-1] == "grid"
    content = kept(world, egress_id)
    assert (content["layout"], content["paused"]) == ("grid", True)


async def test_a_start_without_recorder_is_told_as_over_when_that_is_written(
    world: World, disk: HesitatingDisk
) -> None:
    egress_id = await world.start()
    await world.control._ledger.settled()
    disk.stall()
    entry = world.entry(egress_id)
    entry.cancel_due()
    world.control._ledger._never_came(entry)
    await disk.until_waited_for()
    late = await world.recorder(egress_id)
    assert await late.hear() == {"type": "stop", "reason": "cancelled"}
    assert (world.status(egress_id), world.told) == ("starting", [("egress_started", "starting")])
    disk.ready.set()
    await world.until_status(egress_id, "failed")
    assert json.loads((world.folder(egress_id) / "state.json").read_text())["status"] == "failed"
    assert world.told[1:] == [("egress_ended", "failed")]


async def test_a_shutdown_waits_for_what_was_asked_for(world: World, disk: HesitatingDisk) -> None:
    egress_id, _ = await active(world)
    disk.stall()
    stopping = asyncio.create_task(world.control.stop(egress_id))
    await disk.until_waited_for()
    restarting = asyncio.create_task(world.restart())
    disk.ready.set()
    assert (await stopping).status == "ending"
    await restarting
    assert world.status(egress_id) == "ending"


async def test_a_disk_that_refuses_stops_no_stop(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(fd: int) -> None:
        raise OSError(28, "No space left on device")

    egress_id, recorder = await active(world)
    monkeypatch.setattr("os.fsync", full)
    assert (await world.control.stop(egress_id)).status == "ending"
    assert await recorder.hear() == {"type": "stop", "reason": "stop_requested"}


async def test_what_is_left_of_a_start_whose_caller_went_away(world: World, disk: HesitatingDisk) -> None:
    disk.stall()
    starting = asyncio.create_task(world.control.start(replace(REQUEST, room_name="b")))
    await disk.until_waited_for()
    starting.cancel()
    disk.ready.set()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert list((world.data / "spool").iterdir()) == [] and world.control.list() == []


async def test_a_start_that_is_not_wanted_any_more_before_it_is_written(world: World, disk: HesitatingDisk) -> None:
    """Whoever stops it has not to wait for the disk: nothing was promised yet."""
    disk.stall()
    starting = asyncio.create_task(world.control.start(REQUEST))
    await disk.until_waited_for()
    (state,) = world.control.list(active=True)
    assert (await world.control.stop(state.egress_id)).status == "aborted"
    assert not starting.done()
    disk.ready.set()
    with pytest.raises(EgressUnavailable, match="stopped"):
        await starting
    assert world.supervisor.started == [] and world.events == [] and world.control.list() == []
    assert list((world.data / "spool").iterdir()) == []
