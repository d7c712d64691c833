"""Lost webhooks, lost egress, left-over locks."""

from __future__ import annotations

import pytest

from meet.core.errors import AlreadyRecording
from meet.core.model.media import MediaParticipant
from meet.core.model.recording import Recording
from tests.unit.core.conftest import World


async def running(world: World) -> Recording:
    room = await world.meeting()
    return await world.core.recordings.start(world.admin, room.room_id)


async def status(world: World, recording: Recording) -> str:
    return (await world.core.recordings.get(world.admin, recording.recording_id)).status


async def test_lost_end_converges(world: World) -> None:
    recording = await running(world)
    world.media.complete(recording.egress_id)
    await world.core.recording_jobs.reconcile()
    assert await status(world, recording) == "complete"
    assert await world.repositories.recordings.locks() == []


async def test_lost_start_event_converges(world: World) -> None:
    room = await world.meeting()
    key = f"openvidu-meet/recordings/{room.room_id}/{room.room_id}--0123456789.mp4"
    await world.media.start_room_composite(room.room_id, layout="grid", encoding="H264_720P_30", key=key)
    await world.core.recording_jobs.reconcile()
    (stored,) = await world.repositories.recordings.of_room(room.room_id)
    assert stored.status == "active"


async def test_unchanged_egress_is_not_written_again(world: World) -> None:
    recording = await running(world)
    await world.core.signals.drain()
    sent = len(world.media.sent)
    world.clock.advance(10)
    await world.core.recording_jobs.reconcile()
    await world.core.signals.drain()
    assert len(world.media.sent) == sent
    assert (await world.core.recordings.get(world.admin, recording.recording_id)).updated_at < world.clock.now


async def test_unknown_egress_is_given_up_only_after_the_grace(world: World) -> None:
    recording = await running(world)
    egress = world.media.egress.pop(recording.egress_id)
    await world.core.recording_jobs.reconcile()
    world.clock.advance(299)
    await world.core.recording_jobs.reconcile()
    assert await status(world, recording) == "active"
    world.media.egress[recording.egress_id] = egress  # the recorder came back: counting starts again
    await world.core.recording_jobs.reconcile()
    del world.media.egress[recording.egress_id]
    for seconds, expected in ((0, "active"), (299, "active"), (1, "aborted")):
        world.clock.advance(seconds)
        await world.core.recording_jobs.reconcile()
        assert await status(world, recording) == expected
    assert await world.repositories.recordings.locks() == []


async def test_unreachable_media_server_decides_nothing(world: World) -> None:
    recording = await running(world)
    world.media.down = True
    for _ in range(3):
        world.clock.advance(1000)
        await world.core.recording_jobs.reconcile()
        await world.core.recording_jobs.release_locks_before(world.clock.now)
    assert await status(world, recording) == "active"
    assert len(await world.repositories.recordings.locks()) == 1


async def test_recording_of_an_empty_room_is_stopped(world: World) -> None:
    recording = await running(world)
    present = dict(world.media.rooms)
    states: list[dict[str, list[MediaParticipant]]] = [{}, present, {recording.room_id: []}]
    for rooms in states:  # a restart of the media server does not count
        world.media.rooms = rooms
        for _ in range(2):
            world.clock.advance(149)
            await world.core.recording_jobs.reconcile()
            assert world.media.stopped == []
    world.clock.advance(151)
    await world.core.recording_jobs.reconcile()
    assert world.media.stopped == [recording.egress_id]
    assert await status(world, recording) == "ending"


async def test_abandoned_egress_that_survived_is_stopped(world: World) -> None:
    recording = await running(world)
    await world.database.write(
        lambda connection: connection.exec_driver_sql("UPDATE recordings SET status = 'starting'")
    )
    assert await world.repositories.recordings.abandon(recording.room_id, recording.key, 0) is None
    await world.core.recording_jobs.reconcile()
    assert world.media.stopped == [recording.egress_id]
    assert await world.repositories.recordings.of_room(recording.room_id) == []


async def test_lock_of_a_start_that_died_is_released(world: World) -> None:
    room = await world.meeting()
    await world.repositories.recordings.acquire_lock(room.room_id, "key", world.clock.now)
    await world.core.recording_jobs.release_locks()
    with pytest.raises(AlreadyRecording):
        await world.core.recordings.start(world.admin, room.room_id)
    world.clock.advance(31)
    await world.core.recording_jobs.release_locks()
    assert (await world.core.recordings.start(world.admin, room.room_id)).status == "active"
    world.clock.advance(31)
    await world.core.recording_jobs.release_locks()
    assert len(await world.repositories.recordings.locks()) == 1


async def test_tombstones_are_forgotten_after_a_month(world: World) -> None:
    recording = await running(world)
    await world.core.media_events.egress_changed(world.media.complete(recording.egress_id))
    await world.core.recordings.delete(world.admin, recording.recording_id)
    world.clock.advance(29 * 86400)
    await world.core.recording_jobs.clean_up()
    assert await world.repositories.recordings.is_tombstoned(recording.key)
    world.clock.advance(2 * 86400)
    await world.core.recording_jobs.clean_up()
    assert not await world.repositories.recordings.is_tombstoned(recording.key)
