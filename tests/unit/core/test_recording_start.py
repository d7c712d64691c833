"""Starting: who may, one per room, waiting for active, and nothing left behind."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import NoReturn

import pytest
from structlog.testing import capture_logs

from meet.core.callers import Caller, RoomMemberClaims
from meet.core.errors import (
    AlreadyRecording,
    DatabaseUnavailable,
    InsufficientPermissions,
    MediaServerError,
    NoParticipants,
    RecordingDisabled,
    RoomNotFound,
)
from meet.core.model.permissions import SPEAKER, Permissions, overlay
from meet.core.model.recording import Egress
from meet.core.recording_errors import RecordingRefused, RecordingStartTimeout
from tests.unit.core.conftest import World


def token(room_id: str, **permissions: bool) -> Caller:
    held: Permissions = overlay(SPEAKER, permissions)  # type: ignore[arg-type]
    return Caller("room_member", member=RoomMemberClaims(iat=0, room_id=room_id, permissions=held, badge="other"))


async def nothing_left(world: World, room_id: str) -> None:
    assert await world.repositories.recordings.of_room(room_id) == []
    assert await world.repositories.recordings.locks() == []


async def test_start(world: World) -> None:
    room = await world.meeting(room_name="Demo", access={"user": {"enabled": True}})
    recording = await world.core.recordings.start(world.admin, room.room_id)
    uid = recording.recording_id.rsplit("--", 1)[1]
    assert recording.recording_id == f"{room.room_id}--{recording.egress_id}--{uid}"
    assert recording.key == f"openvidu-meet/recordings/{room.room_id}/{room.room_id}--{uid}.mp4"
    assert recording.to_document() == {
        "recordingId": recording.recording_id,
        "roomId": room.room_id,
        "roomName": "Demo",
        "status": "active",
        "layout": "grid",
        "encoding": "H264_720P_30",
        "filename": f"{room.room_id}--{uid}.mp4",
        "startDate": world.clock.now,
    }
    assert recording.room_owner == "admin"
    assert recording.room_user_access is True
    assert len({recording.public_secret, recording.private_secret}) == 2
    assert [lock.key for lock in await world.repositories.recordings.locks()] == [recording.key]


async def test_overrides_are_for_this_recording_only(world: World) -> None:
    room = await world.meeting(config={"recording": {"enabled": True, "layout": "speaker"}})
    first = await world.core.recordings.start(world.admin, room.room_id, encoding="H264_1080P_30")
    assert (first.layout, first.encoding) == ("speaker", "H264_1080P_30")
    await world.core.media_events.egress_changed(world.media.complete(first.egress_id))
    second = await world.core.recordings.start(world.admin, room.room_id, layout="single-speaker")
    assert (second.layout, second.encoding) == ("single-speaker", "H264_720P_30")
    assert (await world.stored(room.room_id)).config["recording"]["layout"] == "speaker"


async def test_who_may(world: World) -> None:
    with pytest.raises(RoomNotFound):
        await world.core.recordings.start(world.admin, "nowhere")
    off = await world.meeting(config={"recording": {"enabled": False}})
    with pytest.raises(RecordingDisabled):
        await world.core.recordings.start(token(off.room_id), off.room_id)
    room = await world.meeting()
    for caller in (token(room.room_id), token(off.room_id, canRecord=True)):
        with pytest.raises(InsufficientPermissions):
            await world.core.recordings.start(caller, room.room_id)
    started = await world.core.recordings.start(token(room.room_id, canRecord=True), room.room_id)
    assert started.status == "active"


async def test_needs_participants(world: World) -> None:
    room = await world.room()
    with pytest.raises(NoParticipants):
        await world.core.recordings.start(world.admin, room.room_id)
    world.media.join(room.room_id, "alice")
    world.media.down = True
    with pytest.raises(NoParticipants):
        await world.core.recordings.start(world.admin, room.room_id)
    await nothing_left(world, room.room_id)


async def test_one_of_fifty_parallel_starts_wins(world: World) -> None:
    room = await world.meeting()
    outcomes = await asyncio.gather(
        *(world.core.recordings.start(world.admin, room.room_id) for _ in range(50)), return_exceptions=True
    )
    assert sum(not isinstance(outcome, BaseException) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, AlreadyRecording) for outcome in outcomes) == 49
    assert len(world.media.egress) == 1


async def test_waits_for_the_event(world: World) -> None:
    room = await world.meeting()
    world.media.activates = False

    async def later(egress: Egress) -> None:
        async def activate() -> None:
            await asyncio.sleep(0.05)
            active = replace(egress, status="active", started_at_ms=world.clock.now)
            await world.core.media_events.egress_changed(active)

        tasks.append(asyncio.create_task(activate()))

    tasks: list[asyncio.Task[None]] = []
    world.media.on_start = later
    recording = await world.core.recordings.start(world.admin, room.room_id)
    assert recording.status == "active"
    assert world.media.egress[recording.egress_id].status == "starting"  # so it was the event, not the poll
    await asyncio.gather(*tasks)


async def test_asks_when_the_event_is_lost(world: World) -> None:
    room = await world.meeting()
    world.media.activates = False
    tasks: list[asyncio.Task[None]] = []

    async def later(egress: Egress) -> None:
        async def activate() -> None:
            await asyncio.sleep(0.05)
            world.media.change(egress.egress_id, status="active", started_at_ms=world.clock.now)

        tasks.append(asyncio.create_task(activate()))

    world.media.on_start = later
    assert (await world.core.recordings.start(world.admin, room.room_id)).status == "active"
    await asyncio.gather(*tasks)


async def test_event_before_the_answer(world: World) -> None:
    """A webhook may overtake the answer of the call that caused it."""
    room = await world.meeting()
    world.media.on_start = world.core.media_events.egress_changed
    recording = await world.core.recordings.start(world.admin, room.room_id)
    assert recording.status == "active"
    assert len(await world.repositories.recordings.of_room(room.room_id)) == 1


@pytest.mark.parametrize("start_timeout_s", [1.5])
async def test_timeout_leaves_nothing(world: World) -> None:
    room = await world.meeting()
    world.media.activates = False
    with pytest.raises(RecordingStartTimeout) as caught:
        await world.core.recordings.start(world.admin, room.room_id)
    assert caught.value.message == f"Recording in room '{room.room_id}' timed out while starting"
    (egress_id,) = world.media.egress
    assert world.media.stopped == [egress_id]
    await nothing_left(world, room.room_id)
    # Late events do not bring it back, and a file that still appears is removed.
    world.blobs.keys.add(world.media.egress[egress_id].key)
    for status in ("active", "complete"):
        await world.core.media_events.egress_changed(world.media.change(egress_id, status=status))
        await nothing_left(world, room.room_id)
    assert world.blobs.keys == set()
    world.media.activates = True
    assert (await world.core.recordings.start(world.admin, room.room_id)).status == "active"


async def test_failure_while_starting_is_reported_before_the_timeout(world: World) -> None:
    room = await world.meeting()
    world.media.activates = False

    async def fail(egress: Egress) -> None:
        world.media.change(egress.egress_id, status="failed", error="no capacity")

    world.media.on_start = fail
    with pytest.raises(RecordingStartTimeout):
        await world.core.recordings.start(world.admin, room.room_id)
    await nothing_left(world, room.room_id)


async def test_refused_egress(world: World) -> None:
    room = await world.meeting()
    world.media.refuses_egress = True
    with pytest.raises(MediaServerError):
        await world.core.recordings.start(world.admin, room.room_id)
    await nothing_left(world, room.room_id)


async def test_no_room_for_another_recording(world: World) -> None:
    room = await world.meeting()

    async def full(_egress: Egress) -> None:
        raise RecordingRefused(room.room_id, "free disk space is low")

    world.media.on_start = full
    with capture_logs() as logs, pytest.raises(RecordingRefused) as caught:
        await world.core.recordings.start(world.admin, room.room_id)
    assert "disk" not in caught.value.message
    assert [entry["reason"] for entry in logs if entry["event"] == "recording_start_failed"] == [caught.value.detail]
    await nothing_left(world, room.room_id)


async def full(*_: object) -> NoReturn:
    raise DatabaseUnavailable("its disk is full")


async def test_no_room_for_the_lock(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    room = await world.meeting()
    with monkeypatch.context() as patch:
        patch.setattr(world.repositories.recordings, "acquire_lock", full)
        with pytest.raises(RecordingRefused) as caught:
            await world.core.recordings.start(world.admin, room.room_id)
    assert caught.value.detail == "The database is not available: its disk is full"
    assert world.media.egress == {}
    await nothing_left(world, room.room_id)


@pytest.mark.parametrize("waits", [False, True])
async def test_no_room_for_the_row_nor_for_taking_the_lock_back(
    world: World, monkeypatch: pytest.MonkeyPatch, waits: bool
) -> None:
    """The lock goes with the next start in the room, or by itself."""
    room = await world.meeting()
    monkeypatch.setattr(world.core.starter._leftovers, "_retry_s", 0.01 if waits else 60)
    with monkeypatch.context() as patch:
        for method in ("create", "abandon"):
            patch.setattr(world.repositories.recordings, method, full)
        for _ in range(2):  # never "already being recorded"
            with pytest.raises(RecordingRefused):
                await world.core.recordings.start(world.admin, room.room_id)
        assert world.media.stopped == list(world.media.egress) != []
        assert len(await world.repositories.recordings.locks()) == 1
    if waits:
        while await world.repositories.recordings.locks():
            await asyncio.sleep(0.01)
    started = await world.core.recordings.start(world.admin, room.room_id)
    assert started.status == "active"
    assert [lock.key for lock in await world.repositories.recordings.locks()] == [started.key]
    await world.core.starter.drain()


async def test_no_room_for_taking_the_lock_back_from_an_empty_room(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = await world.room()
    with monkeypatch.context() as patch:
        patch.setattr(world.repositories.recordings, "abandon", full)
        with pytest.raises(NoParticipants):
            await world.core.recordings.start(world.admin, room.room_id)
    with pytest.raises(NoParticipants):
        await world.core.recordings.start(world.admin, room.room_id)
    await world.core.starter.drain()
    await nothing_left(world, room.room_id)


async def test_lost_answer_stops_the_egress_that_was_started(world: World) -> None:
    room = await world.meeting()
    world.media.loses_start_answer = True
    with pytest.raises(MediaServerError):
        await world.core.recordings.start(world.admin, room.room_id)
    assert world.media.stopped == list(world.media.egress)
    await nothing_left(world, room.room_id)


async def test_caller_that_goes_away_leaves_a_consistent_recording(world: World) -> None:
    room = await world.meeting()
    world.media.activates = False
    waiting = asyncio.create_task(world.core.recordings.start(world.admin, room.room_id))
    while not world.media.egress:
        await asyncio.sleep(0.005)
    waiting.cancel()
    (egress_id,) = world.media.egress
    world.media.change(egress_id, status="active", started_at_ms=world.clock.now)
    await world.core.starter.drain()
    (stored,) = await world.repositories.recordings.of_room(room.room_id)
    assert stored.status == "active"


async def test_signals(world: World) -> None:
    room = await world.meeting()
    await world.core.recordings.start(world.admin, room.room_id)
    await world.core.signals.drain()
    payloads = [json.loads(sent.payload) for sent in world.media.sent]
    assert {sent.topic for sent in world.media.sent} == {"meet_recording_updated"}
    assert [payload["recording"]["status"] for payload in payloads] == ["starting", "starting", "active"]
    assert payloads[0]["recording"]["recordingId"] == ""
    assert payloads[0]["timestamp"] == world.clock.now
    late = world.media.join(room.room_id, "late")
    await world.core.media_events.participant_joined(room.room_id, late)
    await world.core.signals.drain()
    assert world.media.sent[-1].sids == (late.sid,)
