"""What operators are told of recordings as a whole."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from meet.media.twirp.egress_model import EgressRefused, EgressUnavailable
from meet.recorder.control import usage
from meet.recorder.control.admission import Admission
from meet.recorder.control.metrics import RecordingMetrics
from meet.recorder.control.usage import Reading
from tests.unit.recorder.control.world import REQUEST, World

NOW_MS = 1_700_000_000_000


class Clock:
    """Unix time that the test moves."""

    def __init__(self) -> None:
        self.ms = NOW_MS

    def __call__(self) -> int:
        return self.ms


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def world(data: Path, clock: Clock) -> AsyncIterator[World]:
    made = World(data, wall_ms=clock, admission=Admission(data / "spool", storage=data / "storage"))
    await made.open()
    yield made
    await made.close()


def metrics_of(world: World) -> RecordingMetrics:
    supervisor = world.data / "run" / "supervisor.sock"
    return RecordingMetrics(world.control, Admission(world.data / "spool", storage=world.data / "storage"), supervisor)


async def scrape(metrics: RecordingMetrics) -> dict[str, float]:
    """By name and the one label's value."""
    families = text_string_to_metric_families((await metrics.text()).decode())
    return {" ".join((s.name, *s.labels.values())): s.value for family in families for s in family.samples}


async def test_a_recording_from_its_start_to_its_end(world: World, clock: Clock) -> None:
    metrics = metrics_of(world)
    nothing = await scrape(metrics)
    for name in ("in_progress starting", "in_progress active", "in_progress ending", "finished_total failed"):
        assert nothing[f"meet_recordings_{name}"] == 0
    egress_id = await world.start()
    assert (await scrape(metrics))["meet_recordings_in_progress starting"] == 1
    recorder = await world.recorder(egress_id)
    recorder.report("active", save=True)
    await world.until_status(egress_id, "active")
    assert (await scrape(metrics))["meet_recordings_in_progress active"] == 1
    await world.control.stop(egress_id)
    clock.ms += 90_000
    waiting = await scrape(metrics)
    assert waiting["meet_recordings_in_progress ending"] == 1
    assert waiting["meet_recording_oldest_ending_seconds"] == 90
    recorder.report("limit_reached", save=True)
    await world.until_status(egress_id, "limit_reached")
    over = await scrape(metrics)
    assert over["meet_recordings_finished_total limit_reached"] == 1
    assert over["meet_recordings_finished_total complete"] == 0
    assert over["meet_recordings_in_progress ending"] == over["meet_recording_oldest_ending_seconds"] == 0


async def test_how_long_it_waits_outlives_the_control(world: World, clock: Clock) -> None:
    egress_id = await world.start()
    recorder = await world.recorder(egress_id)
    recorder.report("active", save=True)
    await world.until_status(egress_id, "active")
    await world.control.stop(egress_id)
    recorder.report("ending", save=True, details="the store does not answer", updated_at_ms=clock.ms + 50_000)
    await world.until(lambda: world.control.list()[0].details == "the store does not answer")
    clock.ms += 60_000
    await world.restart()
    assert (await scrape(metrics_of(world)))["meet_recording_oldest_ending_seconds"] == 60
    # Of one that a former version wrote down, at least since its last step.
    path = world.folder(egress_id) / "control.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"ending_ms": None}))
    await world.restart()
    assert (await scrape(metrics_of(world)))["meet_recording_oldest_ending_seconds"] == 10


async def test_what_ended_while_nobody_was_there_counts_once(world: World) -> None:
    egress_id = await world.start()
    world.confirming = False
    await world.control.close()
    (world.folder(egress_id) / "state.json").write_text(json.dumps({"egress_id": egress_id, "status": "failed"}))
    world.control = world._new()
    metrics = metrics_of(world)
    await world.control.open()
    assert (await scrape(metrics))["meet_recordings_finished_total failed"] == 1
    assert (await scrape(metrics))["meet_recordings_finished_total failed"] == 1


async def test_refused_starts(world: World) -> None:
    metrics = metrics_of(world)
    world.supervisor.refuse = "no"
    with pytest.raises(EgressUnavailable):
        await world.start()
    world.control._admission = Admission(world.data / "spool", min_free_bytes=1 << 60)
    with pytest.raises(EgressRefused):
        await world.control.start(REQUEST)
    told = await scrape(metrics)
    refused = {name.partition(" ")[2]: value for name, value in told.items() if "starts_refused_total" in name}
    assert refused == {"disk": 1, "storage": 0, "spool": 0, "cpu": 0, "encoding": 0, "recorder": 1}


async def test_disk_and_processes(world: World) -> None:
    egress_id = await world.start()
    await world.control._ledger.settled()  # what was confirmed is written down
    spool = world.data / "spool"
    before = usage.of(spool)
    (world.folder(egress_id) / "journal").mkdir()
    (world.folder(egress_id) / "journal" / "000001.seg").write_bytes(bytes(1000))
    assert usage.of(spool) == usage.Usage(before.unfinished + 1000, 0, {})
    for name, status in (("EG_failed00", "failed"), ("EG_stored00", "complete"), ("EG_empty000", "complete")):
        (spool / name / "journal").mkdir(parents=True)
        state = {"egress_id": name, "room_name": "a", "status": status, "layout": "grid", "encoding": "x", "key": "k"}
        (spool / name / "state.json").write_text(json.dumps(state))
        if name != "EG_empty000":
            (spool / name / "journal" / "000001.seg").write_bytes(bytes(10))
    world.supervisor.restarts = {"died": 3, "hung": 1}
    told = await scrape(metrics_of(world))
    assert told["meet_recording_spool_bytes unfinished"] == before.unfinished + 1000
    assert told["meet_recording_spool_bytes finished"] > 20
    assert told["meet_recording_journals_kept failed"] == told["meet_recording_journals_kept complete"] == 1
    assert told["meet_recording_free_bytes spool"] > 0 < told["meet_recording_free_bytes storage"]
    restarts = [told[f"meet_recorder_restarts_total {reason}"] for reason in ("died", "hung", "not_started")]
    assert restarts == [3, 1, 0]


async def test_without_a_supervisor_the_rest_is_told(world: World) -> None:
    await world.supervisor.close()
    told = await scrape(metrics_of(world))
    assert told["meet_recordings_in_progress active"] == 0
    assert not any(name.startswith("meet_recorder_restarts") for name in told)


async def test_a_disk_that_stands_still_is_asked_once() -> None:
    going_on, asked = threading.Event(), []

    def read() -> int:
        asked.append(1)
        going_on.wait(20)
        return 7

    reading = Reading(read, age_s=60, patience_s=0.01)
    try:
        assert await reading.value() is None
        assert await reading.value() is None
    finally:
        going_on.set()
    async with asyncio.timeout(40):
        while (value := await reading.value()) is None:
            await asyncio.sleep(0.005)
    assert (value, len(asked)) == (7, 1)
    assert (await reading.value(), len(asked)) == (7, 1)


async def test_what_cannot_be_read_is_left_out() -> None:
    def read() -> int:
        raise OSError(5, "Input/output error")

    assert await Reading(read, age_s=60).value() is None
