"""Stopping, reading, sharing, deleting and zipping recordings."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from meet.core.callers import ANONYMOUS, Caller, RoomMemberClaims
from meet.core.errors import (
    AnonymousAccessDisabled,
    InsufficientPermissions,
    MeetError,
    NoRecordingsAvailable,
    RecordingAlreadyStopped,
    RecordingNotFound,
    RecordingNotStopped,
    RecordingNotStreamable,
    RecordingStillStarting,
    Unauthorized,
    UnknownRecordingSecret,
)
from meet.core.model.paging import PageRequest, RecordingQuery, TextMatch
from meet.core.model.permissions import SPEAKER, Permissions, overlay
from meet.core.model.recording import Recording
from meet.core.model.room import Room
from meet.core.recording_errors import RecordingKept
from tests.unit.core.conftest import World


def token(room_id: str, **permissions: bool) -> Caller:
    held: Permissions = overlay(SPEAKER, permissions)  # type: ignore[arg-type]
    return Caller("room_member", member=RoomMemberClaims(iat=0, room_id=room_id, permissions=held, badge="other"))


async def finished(world: World, room: Room | None = None) -> Recording:
    room = room or await world.meeting()
    started = await world.core.recordings.start(world.admin, room.room_id)
    await world.core.media_events.egress_changed(world.media.complete(started.egress_id))
    world.blobs.keys.add(started.key)
    return await world.core.recordings.get(world.admin, started.recording_id)


async def listed(world: World, caller: Caller, **filters: object) -> set[str]:
    query = RecordingQuery(page=PageRequest("startDate"), **filters)  # type: ignore[arg-type]
    return {each.recording_id for each in (await world.core.recordings.list(caller, query)).items}


async def test_stop_and_completion(world: World) -> None:
    room = await world.meeting()
    recording = await world.core.recordings.start(world.admin, room.room_id)
    world.clock.advance(2.5)
    stopped = await world.core.recordings.stop(world.admin, recording.recording_id)
    assert (stopped.status, stopped.duration) == ("ending", 2.5)
    with pytest.raises(RecordingAlreadyStopped):
        await world.core.recordings.stop(world.admin, recording.recording_id)
    await world.core.media_events.egress_changed(world.media.complete(recording.egress_id))
    done = await world.core.recordings.get(world.admin, recording.recording_id)
    assert (done.status, done.size, done.duration) == ("complete", 1234, 5.5)
    assert done.to_document()["endDate"] == world.clock.now + 5500
    assert await world.repositories.recordings.locks() == []
    with pytest.raises(RecordingAlreadyStopped):
        await world.core.recordings.stop(world.admin, recording.recording_id)


async def test_stop_errors(world: World) -> None:
    room = await world.meeting()
    with pytest.raises(RecordingNotFound):
        await world.core.recordings.stop(world.admin, "nope--EG_1--0123456789")
    recording = await world.core.recordings.start(world.admin, room.room_id)
    with pytest.raises(InsufficientPermissions):
        await world.core.recordings.stop(token(room.room_id), recording.recording_id)
    world.media.egress.clear()
    with pytest.raises(RecordingNotFound, match=f"^Recording '{recording.egress_id}' not found$"):
        await world.core.recordings.stop(world.admin, recording.recording_id)


async def test_stopping_what_only_starts_stops_it_and_says_so(world: World) -> None:
    room = await world.meeting()
    world.media.activates = False
    starting = asyncio.create_task(world.core.recordings.start(world.admin, room.room_id))
    while not (stored := await world.repositories.recordings.of_room(room.room_id)):
        await asyncio.sleep(0.005)
    with pytest.raises(RecordingStillStarting):
        await world.core.recordings.stop(world.admin, stored[0].recording_id)
    assert world.media.stopped == [stored[0].egress_id]
    (outcome,) = await asyncio.gather(starting, return_exceptions=True)
    assert isinstance(outcome, Exception)


async def test_get_needs_retrieve(world: World) -> None:
    recording = await finished(world)
    other = await world.room()
    assert await world.core.recordings.get(token(recording.room_id), recording.recording_id) == recording
    refused = (
        token(recording.room_id, canRetrieveRecordings=False),
        token(other.room_id),
        await world.user("plain1"),
        ANONYMOUS,
    )
    for caller in refused:
        with pytest.raises(InsufficientPermissions):
            await world.core.recordings.get(caller, recording.recording_id)
    with pytest.raises(RecordingNotFound):
        await world.core.recordings.get(ANONYMOUS, "nope--EG_1--0123456789")


async def test_secrets(world: World) -> None:
    recording = await finished(world)
    get, user = world.core.recordings.get_with_secret, world.admin.user
    assert await get(recording.recording_id, recording.public_secret, None) == recording
    assert await get(recording.recording_id, recording.private_secret, user) == recording
    with pytest.raises(Unauthorized):
        await get(recording.recording_id, recording.private_secret, None)
    for secret in ("wrong", "ünï", recording.public_secret + "0"):
        with pytest.raises(UnknownRecordingSecret):
            await get(recording.recording_id, secret, user)
    await world.end_meeting(recording.room_id)
    off = {"anonymous": {"recording": {"enabled": False}}}
    await world.core.rooms.update_access(world.admin, recording.room_id, off)  # type: ignore[arg-type]
    with pytest.raises(AnonymousAccessDisabled, match="is disabled for recordings"):
        await get(recording.recording_id, recording.public_secret, user)
    with pytest.raises(AnonymousAccessDisabled):
        await world.core.recordings.share_path(world.admin, recording.recording_id, private=False)
    path = await world.core.recordings.share_path(world.admin, recording.recording_id, private=True)
    assert path == f"/recording/{recording.recording_id}?recordingSecret={recording.private_secret}"


async def test_media_only_of_complete_ones(world: World) -> None:
    room = await world.meeting()
    started = await world.core.recordings.start(world.admin, room.room_id)
    for status in ("active", "ending", "failed"):
        await world.core.media_events.egress_changed(world.media.change(started.egress_id, status=status))
        with pytest.raises(RecordingNotStreamable):
            await world.core.recordings.media(world.admin, started.recording_id)
        with pytest.raises(RecordingNotStreamable):
            await world.core.recordings.media_with_secret(started.recording_id, started.public_secret, None)
    done = await finished(world, room)
    assert (await world.core.recordings.media(world.admin, done.recording_id)).key == done.key


async def test_what_was_recorded_up_to_a_limit_can_be_played(world: World) -> None:
    room = await world.meeting()
    started = await world.core.recordings.start(world.admin, room.room_id)
    await world.core.media_events.egress_changed(world.media.change(started.egress_id, status="limit_reached"))
    with pytest.raises(RecordingNotStreamable):  # nothing was written before the limit
        await world.core.recordings.media(world.admin, started.recording_id)
    other = await world.meeting()
    limited = await world.core.recordings.start(world.admin, other.room_id)
    await world.core.media_events.egress_changed(
        world.media.change(limited.egress_id, status="limit_reached", size=1234)
    )
    assert (await world.core.recordings.media(world.admin, limited.recording_id)).size == 1234


async def test_delete(world: World) -> None:
    room = await world.meeting()
    running = await world.core.recordings.start(world.admin, room.room_id)
    with pytest.raises(RecordingNotStopped):
        await world.core.recordings.delete(world.admin, running.recording_id)
    complete = world.media.complete(running.egress_id)
    await world.core.media_events.egress_changed(complete)
    world.blobs.keys.add(running.key)
    with pytest.raises(InsufficientPermissions):
        await world.core.recordings.delete(token(room.room_id), running.recording_id)
    await world.core.recordings.delete(token(room.room_id, canDeleteRecordings=True), running.recording_id)
    assert world.blobs.keys == set()
    with pytest.raises(RecordingNotFound):
        await world.core.recordings.delete(world.admin, running.recording_id)
    # A webhook delivered once more does not resurrect it.
    await world.core.media_events.egress_changed(complete)
    assert await world.repositories.recordings.of_room(room.room_id) == []


async def test_delete_with_a_failing_store_keeps_everything(world: World) -> None:
    recording = await finished(world)
    world.blobs.broken = True
    with pytest.raises(ConnectionError):
        await world.core.recordings.delete(world.admin, recording.recording_id)
    assert await world.core.recordings.get(world.admin, recording.recording_id) == recording
    result = await world.core.recordings.delete_many(world.admin, [recording.recording_id])
    assert [(each.recording_id, each.error) for each in result.failed] == [(recording.recording_id, "Unexpected error")]
    world.blobs.broken = False
    await world.core.recordings.delete(world.admin, recording.recording_id)
    assert world.blobs.keys == set()


async def test_what_the_store_keeps_stays_and_the_rest_goes(world: World) -> None:
    locked, free = await finished(world), await finished(world)
    world.blobs.locked.add(locked.key)
    result = await world.core.recordings.delete_many(world.admin, [locked.recording_id, free.recording_id])
    assert result.deleted == (free.recording_id,)
    assert [(each.recording_id, each.error) for each in result.failed] == [(locked.recording_id, "Unexpected error")]
    assert await world.core.recordings.get(world.admin, locked.recording_id) == locked
    with pytest.raises(RecordingKept, match="keeps the file"):
        await world.core.recordings.delete(world.admin, locked.recording_id)
    await world.repositories.recordings.begin_delete([locked.recording_id], world.clock.now)
    await world.core.recording_jobs.clean_up()
    assert await world.core.recordings.get(world.admin, locked.recording_id) == locked
    world.blobs.locked.clear()
    await world.core.recordings.delete(world.admin, locked.recording_id)
    assert world.blobs.keys == set()


async def test_two_deletions_of_which_one_gives_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    recording = await finished(world)
    repository, real = world.repositories.recordings, world.blobs.delete
    await repository.begin_delete([recording.recording_id], world.clock.now)

    async def slow(recordings: Sequence[Recording]) -> Mapping[str, MeetError]:
        kept = await real(recordings)
        await repository.cancel_delete([recording.recording_id])  # the first one's time is up
        return kept

    monkeypatch.setattr(world.blobs, "delete", slow)
    await world.core.recording_jobs.clean_up()
    assert await repository.get(recording.recording_id) is None
    assert await repository.is_tombstoned(recording.key)


async def test_crash_between_object_and_row_is_finished_later(world: World) -> None:
    recording = await finished(world)
    hidden = await world.repositories.recordings.begin_delete([recording.recording_id], world.clock.now)
    assert hidden == [recording.recording_id]
    with pytest.raises(RecordingNotFound):  # not shown without its media, should that be gone already
        await world.core.recordings.get(world.admin, recording.recording_id)
    await world.core.recording_jobs.clean_up()
    assert world.blobs.keys == set()
    assert not await world.repositories.recordings.any_of_room(recording.room_id)
    assert await world.repositories.recordings.is_tombstoned(recording.key)


async def test_bulk_delete(world: World) -> None:
    room = await world.meeting()
    first = await finished(world, room)
    foreign = await finished(world)
    running = await world.core.recordings.start(world.admin, room.room_id)
    missing = "nope--EG_1--0123456789"
    asked = [
        running.recording_id,
        first.recording_id,
        foreign.recording_id,
        missing,
        first.recording_id,
        missing,
    ]
    result = await world.core.recordings.delete_many(token(room.room_id, canDeleteRecordings=True), asked)
    assert result.deleted == (first.recording_id,)
    assert [(each.recording_id, each.error) for each in result.failed] == [
        (foreign.recording_id, "Insufficient permissions to access this resource"),
        (missing, f"Recording '{missing}' not found"),
        (missing, f"Recording '{missing}' not found"),
        (running.recording_id, f"Recording '{running.recording_id}' is not stopped yet"),
    ]
    assert world.blobs.keys == {foreign.key}


async def test_zip_selection(world: World) -> None:
    first, foreign = await finished(world), await finished(world)
    asked = [first.recording_id, "nope--EG_1--0123456789", foreign.recording_id, first.recording_id]
    mine = await world.core.recordings.select_for_zip(token(first.room_id), asked)
    assert [each.recording_id for each in mine] == [first.recording_id]
    both = await world.core.recordings.select_for_zip(world.admin, asked)
    assert [each.recording_id for each in both] == [first.recording_id, foreign.recording_id]
    with pytest.raises(NoRecordingsAvailable):
        await world.core.recordings.select_for_zip(token(first.room_id), [foreign.recording_id])


async def test_list_scope(world: World) -> None:
    manager = await world.user("manny", "room_manager")
    plain = await world.user("plain1")
    shared_room = await world.meeting(room_name="Shared", access={"user": {"enabled": True}})
    shared, hidden = await finished(world, shared_room), await finished(world)
    member_room = await world.meeting()
    await world.member(member_room.room_id, "manny")
    joined = await finished(world, member_room)
    everything = {shared.recording_id, hidden.recording_id, joined.recording_id}
    assert await listed(world, world.admin) == everything
    assert await listed(world, manager) == {shared.recording_id, joined.recording_id}
    assert await listed(world, plain) == {shared.recording_id}
    assert await listed(world, token(hidden.room_id), room_id=shared.room_id) == {hidden.recording_id}
    with pytest.raises(InsufficientPermissions):
        await listed(world, token(hidden.room_id, canRetrieveRecordings=False))
    assert await listed(world, world.admin, name=TextMatch("shared", ignore_case=True)) == {shared.recording_id}
    ignored = TextMatch("Shared")
    assert await listed(world, world.admin, room_id=hidden.room_id, name=ignored) == {hidden.recording_id}
    assert await listed(world, world.admin, status="active") == set()
    await world.end_meeting(shared_room.room_id)
    roles = {"speaker": {"permissions": {"canRetrieveRecordings": False}}}
    await world.core.rooms.update_roles(world.admin, shared_room.room_id, roles)  # type: ignore[arg-type]
    assert await listed(world, plain) == set()
